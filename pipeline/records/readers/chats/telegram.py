"""Telegram's `result.json`, of one chat or of all: messages with their senders, a text being a string or parts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.chat_scenes import chat_records, message_turn
from pipeline.records.chat_times import parse_time
from pipeline.records.program_texts import NOTICE
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, mapping, sequence, string
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.rows.row_keys import count_unused

MARK = re.compile(r'"messages"\s*:\s*\[\s*\{[^{}\[\]]*"type"\s*:\s*"(?:message|service)"[^{}\[\]]*"date(?:_unixtime)?"')
USES = frozenset({"id", "type", "date", "from", "text"})
COPIES = frozenset({"date_unixtime", "text_entities"})  # which say the same once more


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object with messages of Telegram's types."""
    if not file.encoding or first_char(file) != "{":
        return False
    return MARK.search(file.beginning) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message by itself, with the turns of its chat before it; a long pause begins a new scene."""
    source = str(file.path)
    document = mapping(source, json_document(file))
    if "messages" in document:
        chats = [document]
    else:
        chats = sequence(source, mapping(source, document.get("chats")).get("list"), "chats")
    for number, value in enumerate(chats):
        where = source if len(chats) == 1 else f"{source}#{number}"
        chat = mapping(where, value)
        messages = sequence(where, chat.get("messages"), "messages")
        senders = (message.get("from") for message in messages if isinstance(message, Mapping))
        people = {sender for sender in senders if isinstance(sender, str)}
        turns = (_message(f"{where}#{at}", message, options, people) for at, message in enumerate(messages))
        yield from chat_records(turns, options)


def _message(where: str, value: Any, options: ReadOptions, people: Collection[str]) -> tuple[RawTurn, datetime | None]:
    message = mapping(where, value)
    count_unused(where, message, USES | COPIES, options.unused_keys)
    text = _text(where, message.get("text"))
    at = parse_time(string(where, message, "date"))
    if string(where, message, "type") != "message":
        return RawTurn(where, UNNAMED, text, NOTICE), at
    speaker = string(where, message, "from") or UNNAMED
    return message_turn(where, speaker, text, options, people), at


def _text(where: str, text: Any) -> str:
    """A text, or the texts of its parts: links, mentions and formatted words stand among plain strings."""
    parts = text if isinstance(text, list) else [text or ""]
    said = [part if isinstance(part, str) else string(where, mapping(where, part), "text") for part in parts]
    if not all(isinstance(part, str) for part in said):
        raise UnderstudyError(where, "has a 'text' that is neither a string nor parts", fix="delete that message")
    return "".join(said).strip()
