"""Lorebooks and SillyTavern's world files: every entry is background."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions, mapping, string
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.json_rows import json_document

MARK = re.compile(r'"entries"\s*:\s*[\[{]|"lorebook_v3"')
DECORATOR = re.compile(r"^@@@?[a-z_]+.*\n?", re.MULTILINE)
NAME = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object with entries."""
    if not file.encoding or first_char(file) != "{":
        return False
    return MARK.search(file.head.decode(file.encoding, errors="ignore")) is not None


def read(file: RawFile, _: ReadOptions) -> Iterator[RawRecord]:
    """The records of a lorebook's file."""
    document = mapping(str(file.path), json_document(file))
    book = mapping(str(file.path), document["data"]) if "data" in document else document
    yield from read_entries(str(file.path), book.get("entries"), CHARACTER, CHARACTER)


def read_entries(source: str, entries: Any, speaker: str, called: str) -> Iterator[RawRecord]:
    """Every entry, a list or a mapping of them, as a passage titled by its name, else by its first key.

    Raises:
        UnderstudyError: an entry is no mapping.
    """
    if not isinstance(entries, list | Mapping):
        raise UnderstudyError(source, "has no 'entries'", fix='write {"entries": [{"keys": [...], "content": ...}]}')
    pairs = entries.items() if isinstance(entries, Mapping) else enumerate(entries)
    for number, value in pairs:
        where = f"{source}#{number}"
        entry = mapping(where, value)
        text = NAME.sub(called, DECORATOR.sub("", string(where, entry, "content")).strip())
        off = entry.get("enabled") is False or entry.get("disable") is True
        yield RawRecord(
            where,
            speaker,
            text,
            asked=_title(where, entry, called),
            kind="background",
            why="an entry of a lorebook",
            unusable="a disabled entry" if off else "",
        )


def _title(where: str, entry: Mapping[str, Any], called: str) -> str:
    keys = entry.get("keys") or entry.get("key") or []
    first = {"key": keys[0]} if isinstance(keys, list) and keys else {}
    title = string(where, entry, "name") or string(where, entry, "comment") or string(where, first, "key")
    return NAME.sub(called, title)
