"""Files that are there whole or not at all, and the templates of the self-contained pages among them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def write_whole(text: str, path: Path) -> None:
    """`path` holds the text; a reader never meets half of it, nor does a process that is killed leave half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    sync(temporary)  # or the new name might reach the disk before the content does
    temporary.replace(path)


def sync(path: Path) -> None:
    """What was written to a file, or the names in a folder, is on the disk.

    Raises:
        OSError: the disk did not take it, which a write that was only buffered does not tell.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, content: Any) -> None:
    """`path` holds the content as readable JSON, whole."""
    write_whole(json.dumps(content, ensure_ascii=False, indent=2) + "\n", path)


def page_templates(folder: Path, **filters: Callable[..., str]) -> Environment:
    """The HTML templates of a folder: values are escaped, and a name that is not given is an error."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= filters
    return environment
