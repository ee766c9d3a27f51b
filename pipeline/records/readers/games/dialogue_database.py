"""The database of Unity's Dialogue System as people export it: JSON as Unity writes it, or one csv of several tables.

{"actors": [{"id": 1, "fields": [{"title": "Name", "value": "Mira"}]}],
 "conversations": [{"id": 1, "fields": [...], "dialogueEntries": [{"id": 1, "fields": [
    {"title": "Actor", "value": "1"}, {"title": "Dialogue Text", "value": "Mind the third stair."}],
    "outgoingLinks": [{"destinationConversationID": 1, "destinationDialogueID": 2}]}]}]}

In the csv each table stands below its name alone, its columns, and their types.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.games.exports import listed, string_of
from pipeline.records.readers.games.flow import Flow
from pipeline.records.readers.rows.json_rows import json_document

JSON_KEYS = (('"globalUserScript"', '"emphasisSettings"'), ('"conversations"', '"dialogueEntries"', '"outgoingLinks"'))
CSV_HEAD = re.compile(
    r"\ufeff?(?:Database,*\r?\nName,Version,Author\b|DialogueEntries,*\r?\nentrytag,ConvID,ID,Actor\b)"
)
TABLES = frozenset(
    {"Database", "Actors", "Items", "Locations", "Variables", "Conversations", "DialogueEntries", "OutgoingLinks"}
)
OMITTED = "{{omit}}"
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Database:
    """Actors, the titles of conversations, and their entries, by ids; and how they follow one another."""

    actors: Mapping[str, Fields]
    titles: Mapping[str, str]
    entries: Mapping[str, Fields]  # by conversation and entry, as in 3.12
    flow: Flow


def is_database(file: RawFile) -> bool:
    """Whether the file is one of the two exports."""
    if not file.encoding:
        return False
    head = file.beginning
    if CSV_HEAD.match(head):
        return True
    return head.lstrip("\ufeff \t\r\n").startswith("{") and any(all(key in head for key in keys) for keys in JSON_KEYS)


def database_of(file: RawFile) -> Database:
    """The file's database.

    Raises:
        UnderstudyError: it is broken.
    """
    head = file.beginning
    return _from_csv(file) if CSV_HEAD.match(head) else _from_json(json_document(file))


def _from_json(document: Any) -> Database:
    conversations = _mappings(document, "conversations")
    entries, links = dict[str, Fields](), list[tuple[str, str]]()
    for conversation in conversations:
        for entry in _mappings(conversation, "dialogueEntries"):
            own = f"{conversation.get('id')}.{entry.get('id')}"
            entries[own] = {**_fields(entry), "IsGroup": str(entry.get("isGroup") in (True, 1))}
            for link in _mappings(entry, "outgoingLinks"):
                links.append((own, f"{link.get('destinationConversationID')}.{link.get('destinationDialogueID')}"))
    actors = {str(actor.get("id")): _fields(actor) for actor in _mappings(document, "actors")}
    titles = {str(one.get("id")): _fields(one).get("Title", "") for one in conversations}
    return Database(actors, titles, entries, _flow(entries, links))


def _from_csv(file: RawFile) -> Database:
    tables = _tables(file)
    actors = {row.get("ID", ""): row for row in tables["Actors"]}
    titles = {row.get("ID", ""): row.get("Title", "") for row in tables["Conversations"]}
    entries = {f"{row.get('ConvID')}.{row.get('ID')}": _renamed(row) for row in tables["DialogueEntries"]}
    links = [
        (f"{row.get('OriginConvID')}.{row.get('OriginID')}", f"{row.get('DestConvID')}.{row.get('DestID')}")
        for row in tables["OutgoingLinks"]
    ]
    return Database(actors, titles, entries, _flow(entries, links))


def _renamed(row: Fields) -> Fields:
    """An entry's row with the names that its fields have in the database."""
    names = {"MenuText": "Menu Text", "DialogueText": "Dialogue Text"}
    return {names.get(name, name): value for name, value in row.items()}


def _tables(file: RawFile) -> Mapping[str, list[Fields]]:
    """The rows of each table, without the types of its columns.

    Raises:
        UnderstudyError: a quotation mark is left open.
    """
    reader = csv.reader((f"{line}\n" for _, line in file.lines()), strict=True)
    found: dict[str, list[Fields]] = defaultdict(list)
    table, names = "", list[str]()
    try:
        for cells in reader:
            if cells and cells[0].lstrip("\ufeff") in TABLES and not any(cells[1:]):
                table, names = cells[0].lstrip("\ufeff"), []
            elif not names:
                names = cells
            elif not _are_types(cells):
                found[table].append({name: _text(value) for name, value in zip(names, cells, strict=False)})
    except csv.Error as error:
        where = f"{file.path}:{reader.line_num}"
        raise UnderstudyError(where, f"is no table ({error})", fix="export it again") from error
    return found


def _are_types(cells: Sequence[str]) -> bool:
    """Whether the row says of what type the columns are: Number, Text, Text."""
    return len(cells) > 1 and cells[0] in ("Number", "Text") and cells[1] in ("Number", "Text", "Special")


def _flow(entries: Mapping[str, Fields], links: Iterable[tuple[str, str]]) -> Flow:
    sources: dict[str, list[str]] = defaultdict(list)
    for source, target in dict.fromkeys(links):
        sources[target].append(source)
    said = {id for id, entry in entries.items() if entry.get("Dialogue Text") or entry.get("Menu Text")}
    return Flow(sources, said, {id for id in entries if id.endswith(".0")} - said)


def _fields(entry: Mapping[str, Any]) -> Fields:
    """The values of an asset's fields by their titles."""
    listed = [one for one in _mappings(entry, "fields") if isinstance(one.get("title"), str)]
    return {one["title"]: _text(one.get("value")) for one in listed}


def _text(value: Any) -> str:
    return "" if value == OMITTED else string_of(value)


def _mappings(value: Any, key: str) -> list[Mapping[str, Any]]:
    return [one for one in listed(value, key) if isinstance(one, Mapping)]
