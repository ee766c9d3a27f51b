"""Lorebooks of cards, SillyTavern, NovelAI (its scenarios, too), RisuAI (its modules) and Agnai: all is background."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions, mapping, sequence, string
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.cards.card_text import INSTRUCTION, is_instruction
from pipeline.records.readers.rows.json_rows import json_document

MARK = re.compile(r'"entries"\s*:\s*[\[{]|"lorebook_v3"|"scenarioVersion"\s*:|"type"\s*:\s*"risu(?:Module)?"')
NESTED = ("data", "module")  # where a book lies within a file: of cards' version 3, of a module of RisuAI
ENTRIES = ("entries", "data", "lorebook")  # the latter two are RisuAI's: an exported lorebook, a module
TEXT_KEYS = ("content", "text", "entry")  # NovelAI's entries have the second, Agnai's the third
NAME_KEYS = ("name", "comment", "displayName")
TRIGGERS = ("keys", "key", "keywords")
USES = frozenset({*TEXT_KEYS, *NAME_KEYS, *TRIGGERS, "enabled", "disable", "mode"})
LEAST_TEXT = 20  # characters of a string that must be an entry's text, under a key that is not known
PLACEHOLDER = re.compile(r"\$\{(?P<key>[^{}]+)\}")
DECORATORS = re.compile(r"(?:\s*@@@?[a-z_]+[^\n]*(?:\n|\Z))+")  # at the beginning of an entry, one a line
NAME = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object with entries."""
    if not file.encoding or first_char(file) != "{":
        return False
    return MARK.search(file.beginning) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of a lorebook's file."""
    yield from read_book(str(file.path), json_document(file), options.unused_keys)


def read_book(source: str, document: Any, unused_keys: Counter[str]) -> Iterator[RawRecord]:
    """The records of a lorebook of any program; the keys of its entries that are not used are counted."""
    book = mapping(source, document)
    if "scenarioVersion" in book:
        yield from _read_scenario(source, book, unused_keys)
        return
    for key in NESTED:
        book = mapping(source, book[key]) if isinstance(book.get(key), Mapping) else book
    entries = next((book[key] for key in ENTRIES if book.get(key) is not None), None)
    yield from read_entries(source, entries, CHARACTER, CHARACTER, unused_keys)


def _read_scenario(source: str, scenario: Mapping[str, Any], unused_keys: Counter[str]) -> Iterator[RawRecord]:
    """A scenario's memory, author's note and lorebook as passages, with its placeholders filled in.

    Its prompt, the beginning of a story, is nobody's line, and its ephemeral context holds for a few steps only.
    """
    named = {"displayName": string(source, scenario, "title")}
    aside = {"prompt": "a scenario's prompt", "ephemeralContext": "a scenario's ephemeral context"}
    if prompt := string(source, scenario, "prompt"):
        yield RawRecord(f"{source}#prompt", CHARACTER, prompt, unusable=aside["prompt"])
    records: list[RawRecord] = []
    for field in ("context", "ephemeralContext"):
        texts = sequence(source, scenario.get(field) or [], field)
        entries = [named | dict(mapping(f"{source}#{field}", entry)) for entry in texts]
        passages = read_entries(f"{source}#{field}", entries, CHARACTER, CHARACTER, unused_keys)
        records += (replace(raw, unusable=raw.unusable or aside.get(field, "")) for raw in passages if raw.text)
    book = mapping(f"{source}#lorebook", scenario.get("lorebook") or {})
    records += read_entries(f"{source}#lorebook", book.get("entries") or [], CHARACTER, CHARACTER, unused_keys)
    values = _placeholders(source, scenario)
    for raw in records:
        yield replace(raw, text=PLACEHOLDER.sub(lambda match: values.get(match["key"], match[0]), raw.text))


def _placeholders(source: str, scenario: Mapping[str, Any]) -> dict[str, str]:
    """What stands for each `${key}` of a scenario until a player gives another text."""
    listed = sequence(source, scenario.get("placeholders") or [], "placeholders")
    given = [mapping(f"{source}#placeholders", value) for value in listed]
    return {string(source, value, "key"): string(source, value, "defaultValue") for value in given}


def read_entries(
    source: str, entries: Any, speaker: str, called: str, unused_keys: Counter[str]
) -> Iterator[RawRecord]:
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
        unused_keys.update(str(key) for key in entry if key not in USES)
        written = next((text for key in TEXT_KEYS if (text := string(where, entry, key))), "")
        decorated, title = DECORATORS.match(written), _title(where, entry, called)
        text = NAME.sub(called, written[decorated.end() if decorated else 0 :].strip())
        yield RawRecord(
            where,
            speaker,
            text,
            asked=title,
            kind="background",
            why="an entry of a lorebook",
            unusable=_why_unusable(entry, written) or (INSTRUCTION if is_instruction(title, written) else ""),
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
    keys: Any = next((entry[key] for key in TRIGGERS if entry.get(key)), [])
    listed = keys.split(",") if isinstance(keys, str) else keys  # RisuAI's stand in one string
    first = {"key": listed[0]} if isinstance(listed, list) and listed else {}
    title = next((text for key in NAME_KEYS if (text := string(where, entry, key))), "") or string(where, first, "key")
    return NAME.sub(called, title)
