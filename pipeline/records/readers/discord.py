"""DiscordChatExporter's JSON: a channel's messages with their authors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, mapping, scene_records, sequence, string
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.json_rows import json_document

MARK = re.compile(r'\{\s*"guild"\s*:\s*\{.*"messages"\s*:\s*\[', re.DOTALL)
SPOKEN = frozenset({"Default", "Reply"})
SCENE_GAP = timedelta(hours=6)  # without a message, after which a new scene begins
CUSTOM_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
USES = frozenset({"messages", "author", "content", "type", "timestamp"})


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object of a guild and its messages."""
    if not file.encoding or first_char(file) != "{":
        return False
    return MARK.match(file.head.decode(file.encoding, errors="ignore").lstrip()) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message by itself, with the turns before it; a long pause begins a new scene."""
    source = str(file.path)
    messages = sequence(source, mapping(source, json_document(file)).get("messages"), "messages")
    scene: list[RawTurn] = []
    last: datetime | None = None
    for number, value in enumerate(messages):
        where = f"{source}#{number}"
        message = mapping(where, value)
        at = _time(string(where, message, "timestamp"))
        if scene and last and at and at - last > SCENE_GAP:
            yield from scene_records(scene, title="", place=scene[0].source, window=options.window, each_line=True)
            scene = []
        scene.append(_turn(where, message))
        last = at or last
    if scene:
        yield from scene_records(scene, title="", place=scene[0].source, window=options.window, each_line=True)


def _turn(where: str, message: Any) -> RawTurn:
    author = mapping(where, message.get("author") or {})
    name = string(where, author, "nickname") or string(where, author, "name") or UNNAMED
    text = CUSTOM_EMOJI.sub(r"\1", string(where, message, "content"))
    if string(where, message, "type") not in SPOKEN:
        return RawTurn(where, name, text, "a notice of the program")
    return RawTurn(where, name, text, "" if text else "a message without text")


def _time(text: str) -> datetime | None:
    """When a message was sent; None where that is no date."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
