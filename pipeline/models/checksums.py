"""SHA-256 of files, each read once: weights take half a second and more, at the start of every command."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.atomic_io import read_json, write_json
from pipeline.home import understudy_home

KNOWN_DIGESTS = "digests.json"  # of files as they were when they were read


def file_sha256(file: Path) -> str:
    """The file's SHA-256 in hex; it is read again only when its size or time has changed.

    Raises:
        OSError: it cannot be read.
    """
    known_digests, path = understudy_home() / KNOWN_DIGESTS, str(file.resolve())
    status = file.stat()
    state = [status.st_size, status.st_mtime_ns]
    entry = read_json(known_digests).get(path)
    if not isinstance(entry, list) or entry[:2] != state:
        with file.open("rb") as opened:
            entry = [*state, hashlib.file_digest(opened, "sha256").hexdigest()]
        known = {one: kept for one, kept in read_json(known_digests).items() if Path(one).is_file()}
        write_json(known_digests, known | {path: entry})
    return str(entry[2])
