"""Lorebooks, those of cards, SillyTavern, NovelAI (its scenarios, too) and RisuAI: every entry is background."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions, mapping, sequence, string
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.json_rows import json_document

MARK = re.compile(r'"entries"\s*:\s*[\[{]|"lorebook_v3"|"scenarioVersion"\s*:|"type"\s*:\s*"risu"')
TEXT_KEYS = ("content", "text")  # NovelAI's entries have the latter
NAME_KEYS = ("name", "comment", "displayName")
LEAST_TEXT = 20  # characters of a string that must be an entry's text, under a key that is not known
DECORATOR = re.compile(r"^@@@?[a-z_]+.*\n?", re.MULTILINE)
NAME = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object with entries."""
    if not file.encoding or first_char(file) != "{":
        return False
    return MARK.search(file.head.decode(file.encoding, errors="ignore")) is not None


def read(file: RawFile, _: ReadOptions) -> Iterator[RawRecord]:
    """The records of a lorebook's file."""
    path, document = str(file.path), mapping(str(file.path), json_document(file))
    if "scenarioVersion" in document:
        yield from _read_scenario(path, document)
    elif isinstance(document.get("data"), list):  # RisuAI's
        yield from read_entries(path, document["data"], CHARACTER, CHARACTER)
    else:
        book = mapping(path, document["data"]) if "data" in document else document
        yield from read_entries(path, book.get("entries"), CHARACTER, CHARACTER)


def _read_scenario(source: str, scenario: Mapping[str, Any]) -> Iterator[RawRecord]:
    """A scenario's memory and lorebook as passages; its prompt, the beginning of a story, is nobody's line."""
    prompt = string(source, scenario, "prompt")
    if prompt:
        yield RawRecord(f"{source}#prompt", CHARACTER, prompt, unusable="a scenario's prompt")
    named = {"displayName": string(source, scenario, "title")}
    memory = [
        named | dict(mapping(source, entry)) for entry in sequence(source, scenario.get("context") or [], "context")
    ]
    yield from read_entries(f"{source}#context", memory, CHARACTER, CHARACTER)
    book = mapping(f"{source}#lorebook", scenario.get("lorebook") or {})
    yield from read_entries(f"{source}#lorebook", book.get("entries") or [], CHARACTER, CHARACTER)


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
        written = next((text for key in TEXT_KEYS if (text := string(where, entry, key))), "")
        text = NAME.sub(called, DECORATOR.sub("", written).strip())
        yield RawRecord(
            where,
            speaker,
            text,
            asked=_title(where, entry, called),
            kind="background",
            why="an entry of a lorebook",
            unusable=_why_unusable(entry, written),
        )


def _why_unusable(entry: Mapping[str, Any], text: str) -> str:
    """Why an entry is no passage; empty if it is one, or has no text at all."""
    if entry.get("enabled") is False or entry.get("disable") is True:
        return "a disabled entry"
    if entry.get("mode") == "folder":
        return "a folder of entries"
    elsewhere = [key for key, value in entry.items() if isinstance(value, str) and len(value) >= LEAST_TEXT]
    return "" if text or not elsewhere else f"an unknown form of entry (keys: {', '.join(map(str, entry))})"


def _title(where: str, entry: Mapping[str, Any], called: str) -> str:
    keys = entry.get("keys") or entry.get("key") or []
    listed = keys.split(",") if isinstance(keys, str) else keys  # RisuAI's stand in one string
    first = {"key": listed[0]} if isinstance(listed, list) and listed else {}
    title = next((text for key in NAME_KEYS if (text := string(where, entry, key))), "") or string(where, first, "key")
    return NAME.sub(called, title)
