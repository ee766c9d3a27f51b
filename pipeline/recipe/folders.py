"""Folders named after characters: no name leads out of the folder above, and no two names to one folder."""

from __future__ import annotations

import hashlib
import re

UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]|[. ]+$|^[. ]+')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|cast)(\..*)?", re.IGNORECASE)
LONGEST_NAME = 60  # characters of a folder's name: 4 bytes each at most, of the 255 that file systems allow


def safe_folder_name(name: str, taken: set[str]) -> str:
    """A folder's name for a character: it leads nowhere else, differs from all in `taken`, and is added there."""
    plain = UNSAFE.sub("_", name)[:LONGEST_NAME] or "_"
    if plain != name or RESERVED.fullmatch(plain) or plain.casefold() in taken:
        plain = f"{plain}-{hashlib.blake2b(name.encode(errors='replace'), digest_size=4).hexdigest()}"
    taken.add(plain.casefold())
    return plain
