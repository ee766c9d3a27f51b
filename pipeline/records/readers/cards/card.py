"""Character cards, V1, V2 and V3: descriptions become background, greetings and examples dialogue.

Specifications: github.com/malfoyslastname/character-card-spec-v2, github.com/kwaroran/character-card-spec-v3.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import (
    USER,
    RawRecord,
    RawTurn,
    ReadOptions,
    UnknownFormError,
    mapping,
    scene_records,
    sequence,
    string,
)
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.cards.card_text import LEFT_OUT, without_machinery
from pipeline.records.readers.cards.lorebook import read_entries
from pipeline.records.readers.rows.json_rows import json_document

MARKS = re.compile(r'"(chara_card_v\d+|first_mes|mes_example)"')
# Field, and the title of its passage, in Chinese for a Chinese text.
PASSAGES: tuple[tuple[str, str, str], ...] = (
    ("description", "Description", "角色详细"),
    ("personality", "Personality", "性格"),
    ("scenario", "Scenario", "场景"),
)
TEXTS = ("nickname", "first_mes", "mes_example", *(field for field, _, _ in PASSAGES))
BOOK = "character_book"
GREETINGS = ("alternate_greetings", "group_only_greetings")
# Notes to users and instructions to a model: never trained on, so their text is not even kept in the rejects.
WITHHELD = ("creator_notes", "creator_notes_multilingual", "system_prompt", "post_history_instructions")
USES = frozenset({"name", *TEXTS, *GREETINGS, *WITHHELD, BOOK})
START = re.compile(r"<START>", re.IGNORECASE)
NAME = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)
OWN_LABEL = re.compile(
    rf"^[^\S\n]*(\*{{0,2}})(?:{NAME.pattern})(?:\1\s*[:：]|\s*[:：]\1)[^\S\n]*", re.IGNORECASE | re.MULTILINE
)
THE_USER = re.compile(r"\{\{\s*user\s*\}\}|<USER>", re.IGNORECASE)
HAN = re.compile(r"[\u3400-\u9fff]")


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object that names a card's specification or its fields."""
    if not file.encoding or first_char(file) != "{":
        return False
    return MARKS.search(file.beginning) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of a card in a JSON file."""
    yield from read_card(str(file.path), json_document(file), options)


def read_card(source: str, document: Any, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of a card of any version.

    Raises:
        UnderstudyError: it has no name, or a text of it cannot be written.
    """
    card = mapping(source, document)
    if "spec" in card:
        card = mapping(f"{source}#data", card.get("data"))
    name = string(source, card, "name")
    if not name:  # without a card's texts it is another program's file, which has one of their names somewhere
        refused = UnderstudyError if any(card.get(field) for field in TEXTS) else UnknownFormError
        raise refused(source, "is a card without a 'name'", fix="add it")
    options.unused_keys.update(str(field) for field in card if field not in USES)
    odd = _odd_fields(card)
    card = {field: value for field, value in card.items() if field not in odd}
    for field in odd:
        yield RawRecord(f"{source}#{field}", name, "", unusable=f"a card's {field} of the wrong type")
    called = string(source, card, "nickname") or name
    yield from _passages(source, card, name, called)
    yield from _greetings(source, card, name, called, options.remarks)
    for number, example in enumerate(START.split(string(source, card, "mes_example")), 1):
        place = f"{source}#mes_example.{number}"
        turns = _example_turns(place, NAME.sub(called, example), name, called)
        yield from scene_records(turns, title="", place=place, window=options.window)
    if card.get("character_book") is not None:
        book = mapping(f"{source}#character_book", card["character_book"])
        yield from read_entries(f"{source}#character_book", book.get("entries", []), name, called, options.unused_keys)


def _odd_fields(card: Mapping[str, Any]) -> list[str]:
    """The fields whose value has another type than the specification gives it; the rest of the card is read."""
    given = {field: card[field] for field in (*TEXTS, *GREETINGS, BOOK) if card.get(field) is not None}
    types = dict.fromkeys(TEXTS, str) | dict.fromkeys(GREETINGS, list) | {BOOK: Mapping}
    return [
        field
        for field, value in given.items()
        if not isinstance(value, types[field])
        or (isinstance(value, list) and not all(isinstance(text, str) for text in value))
    ]


def _passages(source: str, card: Mapping[str, Any], name: str, called: str) -> Iterator[RawRecord]:
    for field, title, chinese_title in PASSAGES:
        if text := NAME.sub(called, string(source, card, field)):
            asked = chinese_title if HAN.search(text) else title
            yield RawRecord(f"{source}#{field}", name, text, asked=asked, kind="background", why=f"the card's {field}")
    for field in WITHHELD:
        if card.get(field):
            yield RawRecord(f"{source}#{field}", name, "", unusable=f"a card's {field}, withheld")


def _greetings(
    source: str, card: Mapping[str, Any], name: str, called: str, remarks: Counter[str]
) -> Iterator[RawRecord]:
    greetings = [("first_mes", string(source, card, "first_mes"))]
    for field in GREETINGS:
        for number, text in enumerate(sequence(source, card.get(field) or [], field)):
            greetings.append((f"{field}.{number}", string(f"{source}#{field}", {field: text}, field)))
    for place, text in greetings:
        if text:
            where, said = f"{source}#{place}", without_machinery(text)
            remarks[LEFT_OUT] += said != text
            yield RawRecord(
                where,
                name,
                NAME.sub(called, OWN_LABEL.sub("", said)),
                place=where,
                kind="dialogue",
                why="the card's greeting",
            )


def _example_turns(source: str, example: str, name: str, called: str) -> Iterator[RawTurn]:
    """Turns of an example; a line that begins with no name continues the turn before it."""
    speakers = {called: name, name: name}
    turn: tuple[int, str, list[str]] | None = None
    for number, line in enumerate(example.split("\n"), 1):
        who, colon, rest = line.partition(":") if ":" in line else line.partition("：")
        user = THE_USER.fullmatch(who.strip())
        if colon and (user or who.strip() in speakers):
            if turn:
                yield _turn(source, turn)
            turn = (number, USER if user else speakers[who.strip()], [rest])
        elif turn:
            turn[2].append(line)
        elif line.strip():
            yield RawTurn(f"{source}:{number}", name, line.strip(), "no speaker")
    if turn:
        yield _turn(source, turn)


def _turn(source: str, turn: tuple[int, str, list[str]]) -> RawTurn:
    return RawTurn(f"{source}:{turn[0]}", turn[1], without_machinery("\n".join(turn[2]).strip()))
