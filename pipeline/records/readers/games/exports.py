"""What the exports of games' programs have in common: values of any type, documents beside one, speakers' namesakes."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.names import spelling
from pipeline.records.raw_file import open_raw
from pipeline.records.readers.rows.json_rows import json_document

LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no file of ours can hold
NAMESAKE = "further speakers of a game who are displayed under the character's name, taken for the same person"


def string_of(value: Any) -> str:
    """A value's text without what no file can hold; empty where it is none."""
    return LONE_SURROGATE.sub("\ufffd", value).strip() if isinstance(value, str) else ""


def listed(value: Any, key: str) -> list[Any]:
    """The list of that key; empty where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def document_beside(path: Path) -> Any:
    """The document of a game's other file, for which several of its files ask; None where it is missing or broken.

    Its own reading says where it is broken.
    """
    if not path.is_file():
        return None
    stat = path.stat()
    return _document(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=64)
def _document(path: Path, _changed: int, _size: int) -> Any:
    """The same; its time and size are part of the key, as one that was mended is read anew."""
    try:
        return json_document(open_raw(path))
    except UnderstudyError:
        return None


def namesakes(shown: Iterable[str | None], names: Collection[str]) -> Iterator[str]:
    """A remark for each of the speakers, beside the first, who are shown under one of the names."""
    own = {*map(spelling, names)}
    yield from islice((NAMESAKE for name in shown if name and spelling(name) in own), 1, None)
