"""SillyTavern's chats: line 1 {"user_name", "character_name", ...}, then {"name", "is_user", "mes"}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.records.raw import RawRecord, RawTurn, ReadOptions, mapping, scene_records, string
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.cards.card import THE_USER
from pipeline.records.readers.cards.card_text import LEFT_OUT, without_machinery
from pipeline.records.readers.rows.json_rows import first_line, json_lines
from pipeline.records.readers.rows.row_keys import count_unused
from pipeline.records.role_play import without_players

MARKS = ("user_name", "character_name")
MESSAGE_KEYS = frozenset({"name", "mes", "is_user"})
USES = MESSAGE_KEYS | {"is_system", "extra"}

NO_USER_NAMES = frozenset({"unused", "user", "you", "anonymous", "{{user}}"})  # what the program writes for want of one


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether its first line names the two who talk, or is a message itself, as in a group's chat."""
    if not file.encoding or first_char(file) != "{":
        return False
    first = first_line(file)
    return isinstance(first, dict) and (all(mark in first for mark in MARKS) or first.keys() >= MESSAGE_KEYS)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message as a turn of one long scene. Swipes, the replies not chosen, are left where they are."""
    user = _user_name(file)
    messages = (_turn(source, value, user, options) for source, value in json_lines(file) if not _is_head(value))
    said = without_players(messages, None)
    yield from scene_records(said, title="", place=str(file.path), window=options.window)


def _is_head(value: Any) -> bool:
    return isinstance(value, dict) and "mes" not in value and any(mark in value for mark in MARKS)


def _user_name(file: RawFile) -> str:
    """Who {{user}} is in the log, by its head, or where that has nobody's name, by what is said; empty if unknown."""
    for source, value in json_lines(file):
        key = "user_name" if _is_head(value) else "name" if isinstance(value, dict) and value.get("is_user") else ""
        name = string(source, value, key) if key else ""
        if name and name.lower() not in NO_USER_NAMES:
            return name
    return ""


def _turn(source: str, value: Any, user: str, options: ReadOptions) -> RawTurn:
    message = mapping(source, value)
    count_unused(source, message, USES, options.unused_keys)
    extra = message.get("extra")
    is_narrator = isinstance(extra, Mapping) and extra.get("type") == "narrator"
    hidden = "a hidden message" if message.get("is_system") else "a narrator's message" if is_narrator else ""
    name = string(source, message, "name", required=True)
    written = string(source, message, "mes", required=True)
    said = without_machinery(written)
    options.remarks[LEFT_OUT] += said != written
    return RawTurn(source, name, THE_USER.sub(lambda _: user, said) if user else said, hidden)
