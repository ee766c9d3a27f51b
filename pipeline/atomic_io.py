"""Atomic writes: a file is there complete or not at all, and what is broken reads as empty."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Write the text atomically: no reader ever sees a part of it, and a killed process leaves none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")  # other processes may write the same file
    temporary.write_text(text, encoding="utf-8")
    sync(temporary)  # or the new name might reach the disk before the content does
    temporary.replace(path)


def sync(path: Path) -> None:
    """What was written to a file, or the names in a folder, is on the disk.

    Raises:
        OSError: the disk did not take it, of which a buffered write gives no error.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def share_alike(folder: Path, like: Path) -> None:
    """Each file of the folder may be read by the same as `like`, which was made as the umask says.

    Weights are not: safetensors makes its files for their owner alone.
    """
    mode = stat.S_IMODE(like.stat().st_mode)
    for file in folder.iterdir():
        if file.is_file():
            file.chmod(mode)


def write_json(path: Path, content: Any) -> None:
    """Write the content as readable JSON, atomically."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file; empty if there is none, or it is broken or no object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
