"""A chat in a table, as WeClone and WeChatMsg export it: a message a row, with its sender and its room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline.records.chat_scenes import ends_scene
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records, string
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.row_keys import count_unused
from pipeline.records.readers.table import header, table_rows

# Their names of our columns, where the recipe's `columns` does not say others.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "speaker": ("talker", "Sender"),
    "text": ("msg", "StrContent"),
    "room": ("room_name", "TalkerId", "StrTalker", "room", "chat_id", "conversation_id"),
    "time": ("CreateTime", "StrTime", "time", "timestamp", "date"),
    "type": ("type_name", "Type", "type"),
}
NEEDED = ("speaker", "text", "room")
TEXT_TYPES = frozenset({"", "1", "text", "文本", "文字"})  # WeChat's number of a text, and words for it
TIME_FORMATS = ("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M")
EPOCH_DIGITS = {10: 1, 13: 1000}  # of a number of seconds, or of milliseconds, since 1970


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether it is a table whose first line names a sender, a text and a room."""
    if not file.encoding:
        return False
    return set(NEEDED) <= _columns(header(file), options).keys()


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message by itself, with the turns of its room before it; a long pause begins a new scene."""
    columns = _columns(header(file), options)
    scenes: dict[str, list[RawTurn]] = {}
    last: dict[str, datetime] = {}
    for source, row in table_rows(file):
        count_unused(source, row, columns.values(), options.unused_keys)
        room, at = string(source, row, columns["room"]), _time(string(source, row, columns.get("time", "")))
        if room in scenes and ends_scene(last.get(room), at, options):
            yield from _scene(scenes.pop(room), room, options)
        scenes.setdefault(room, []).append(_turn(source, row, columns))
        if at:
            last[room] = at
    for room, scene in scenes.items():
        yield from _scene(scene, room, options)


def _columns(names: list[str], options: ReadOptions) -> dict[str, str]:
    """Their name of each of our columns that the table has."""
    found: dict[str, str] = {}
    for ours, theirs in COLUMNS.items():
        said = options.columns.get(ours)
        name = next((one for one in ((said,) if said else (*theirs, ours)) if one in names), None)
        if name:
            found[ours] = name
    return found


def _scene(turns: list[RawTurn], room: str, options: ReadOptions) -> Iterator[RawRecord]:
    place = f"{turns[0].source} ({room})" if room else turns[0].source
    yield from scene_records(turns, title="", place=place, window=options.window, each_line=not options.merge_messages)


def _turn(source: str, row: Mapping[str, Any], columns: Mapping[str, str]) -> RawTurn:
    speaker = string(source, row, columns["speaker"]) or UNNAMED
    text = string(source, row, columns["text"])
    sort = string(source, row, columns.get("type", ""))
    if sort.lower() not in TEXT_TYPES:
        return RawTurn(source, speaker, text, "a picture, a file or a notice")
    return RawTurn(source, speaker, text, "" if text else "a message without text")


def _time(text: str) -> datetime | None:
    """When a message was sent; None where that is no date."""
    if text.isdecimal() and len(text) in EPOCH_DIGITS:
        return datetime.fromtimestamp(int(text) / EPOCH_DIGITS[len(text)])
    for form in (None, *TIME_FORMATS):
        try:
            at = datetime.fromisoformat(text) if form is None else datetime.strptime(text, form)
            return at.replace(tzinfo=None)
        except ValueError:
            continue
    return None
