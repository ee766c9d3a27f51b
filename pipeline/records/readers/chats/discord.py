"""DiscordChatExporter's JSON: a channel's messages with their authors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipeline.records.chat_scenes import chat_records
from pipeline.records.chat_times import parse_time
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, mapping, sequence, string
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.rows.row_keys import count_unused

MARK = re.compile(r'\{\s*"guild"\s*:\s*\{.*"messages"\s*:\s*\[', re.DOTALL)
SPOKEN = frozenset({"Default", "Reply"})
USES = frozenset({"id", "author", "content", "type", "timestamp"})


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object of a guild and its messages."""
    if not file.encoding or first_char(file) != "{":
        return False
    return MARK.match(file.beginning.lstrip()) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message with the turns before it; a long pause begins a new scene."""
    source = str(file.path)
    messages = sequence(source, mapping(source, json_document(file)).get("messages"), "messages")
    yield from chat_records(
        (_timed_turn(f"{source}#{number}", value, options) for number, value in enumerate(messages)), options
    )


def _timed_turn(where: str, value: Any, options: ReadOptions) -> tuple[RawTurn, datetime | None]:
    message = mapping(where, value)
    count_unused(where, message, USES, options.unused_keys)
    return _turn(where, message), parse_time(string(where, message, "timestamp"))


def _turn(where: str, message: Any) -> RawTurn:
    author = mapping(where, message.get("author") or {})
    name = string(where, author, "nickname") or string(where, author, "name") or UNNAMED
    text = string(where, message, "content")
    if string(where, message, "type") not in SPOKEN:
        return RawTurn(where, name, text, "a notice of the program")
    return RawTurn(where, name, text, "" if text else "a message without text")
