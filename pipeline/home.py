"""The program's own cache folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any


def understudy_home() -> Path:
    """The program's cache folder: `UNDERSTUDY_HOME`, else `understudy` in the user's cache."""
    if home := os.environ.get("UNDERSTUDY_HOME"):
        return Path(home).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "understudy"


def kept_file(folder: str, decisive: Any, suffix: str = ".json") -> Path:
    """Where in a folder of the cache an outcome is kept: by the digest of all that decides it."""
    content = json.dumps(decisive, ensure_ascii=False, sort_keys=True)
    return understudy_home() / folder / f"{hashlib.blake2b(content.encode(), digest_size=16).hexdigest()}{suffix}"


def read_kept_list(path: Path, count: int) -> list[Any] | None:
    """The list of so many entries that is kept in the file; None if it is not there, broken or another."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, list) and len(kept) == count else None
