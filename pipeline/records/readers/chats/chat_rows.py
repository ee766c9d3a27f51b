"""Messages in rows: their sender, their text, and a room or a time, under the names that exporters give them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pipeline.records.account_names import own_names
from pipeline.records.chat_scenes import chat_scene, ends_scene, message_turn
from pipeline.records.chat_times import parse_time
from pipeline.records.program_texts import sender_name
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, string
from pipeline.records.readers.rows.row_keys import count_unused
from pipeline.records.readers.tables.no_lines import IS_ERROR, is_error_value
from pipeline.records.role_play import Play, play_of

Rows = Iterable[tuple[str, Mapping[str, Any]]]
# Their names of our columns, where the recipe's `columns` does not say others.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "speaker": (
        "talker", "Sender", "sender", "sender_name", "author", "Author", "from", "nickname",
        "发送人", "发送者", "发送方", "发件人", "昵称", "發送人", "發送者", "發送方", "寄件人", "暱稱",
    ),
    "text": (
        "msg", "StrContent", "message", "Message", "content", "Content",
        "消息", "内容", "消息内容", "訊息", "內容", "訊息內容",
    ),
    "room": (
        "room_name", "TalkerId", "StrTalker", "room", "chat_id", "conversation_id", "channel", "Channel",
        "会话", "联系人", "聊天对象", "群名", "群聊", "房间", "房間", "聯絡人", "聊天對象", "群組",
    ),
    "time": (
        "CreateTime", "StrTime", "time", "timestamp", "date", "Date", "datetime", "sent_at",
        "时间", "日期", "发送时间", "時間", "發送時間",
    ),
    "type": ("type_name", "Type", "type"),
}  # fmt: skip
NEEDED = {"speaker", "text"}
OF_A_LINE = {"speaker": "speaker", "text": "text"}  # with a time alone, these are the columns of single lines
TEXT_TYPES = frozenset({"", "1", "text", "文本", "文字"})  # WeChat's number of a text, and words for it


def is_chat(names: Sequence[str], options: ReadOptions) -> bool:
    """Whether the columns are a sender, a text, and a room or a time."""
    columns = _columns(names, options)
    is_timed = "time" in columns and not OF_A_LINE.items() <= columns.items()
    return columns.keys() >= NEEDED and ("room" in columns or is_timed)


def are_dated_lines(names: Sequence[str], options: ReadOptions) -> bool:
    """Whether the columns are `speaker`, `content` and a time without a room, as of a workbook's list of lines."""
    columns = _columns(names, options)
    return (columns.get("speaker"), columns.get("text")) == ("speaker", "content") and "room" not in columns


def read_messages(rows: Callable[[], Rows], names: Sequence[str], options: ReadOptions) -> Iterator[RawRecord]:
    """Every message by itself, with the turns of its room before it; a long pause begins a new scene."""
    columns = _columns(names, options)
    who = columns["speaker"]
    sent = [(row.get(who) or UNNAMED, row.get(columns["text"]) or "") for _, row in rows()]
    own = own_names(sent, options)
    people = {sender_name(own.get(sender, sender)) for sender, _ in sent} - {UNNAMED}
    named = ((source, {**row, who: own[row[who]]} if row.get(who) in own else row) for source, row in rows())
    messages = [_message(source, row, columns, options, people) for source, row in named if any(row.values())]
    said: dict[str, list[RawTurn]] = {}
    for room, _, turn in messages:
        said.setdefault(room, []).append(turn)
    plays = {room: play_of(turns) for room, turns in said.items()}
    scenes: dict[str, list[RawTurn]] = {}
    last: dict[str, datetime] = {}
    for room, at, turn in messages:
        if room in scenes and ends_scene(last.get(room), at, options):
            yield from _scene(scenes.pop(room), room, plays[room], options)
        scenes.setdefault(room, []).append(turn)
        if at:
            last[room] = at
    for room, scene in scenes.items():
        yield from _scene(scene, room, plays[room], options)


def _columns(names: Sequence[str], options: ReadOptions) -> dict[str, str]:
    """Their name of each of our columns that the table has."""
    found: dict[str, str] = {}
    for ours, theirs in COLUMNS.items():
        said = options.columns.get(ours)
        name = next((one for one in ((said,) if said else (*theirs, ours)) if one in names), None)
        if name:
            found[ours] = name
    return found


def _scene(turns: list[RawTurn], room: str, play: Play | None, options: ReadOptions) -> Iterator[RawRecord]:
    yield from chat_scene(turns, play, options, f"{turns[0].source} ({room})" if room else "")


def _message(
    source: str, row: Mapping[str, Any], columns: Mapping[str, str], options: ReadOptions, people: Collection[str]
) -> tuple[str, datetime | None, RawTurn]:
    """The room of a message, its time, and its turn."""
    count_unused(source, row, columns.values(), options.unused_keys)
    at = parse_time(string(source, row, columns.get("time", "")))
    return string(source, row, columns.get("room", "")), at, _turn(source, row, columns, options, people)


def _turn(
    source: str, row: Mapping[str, Any], columns: Mapping[str, str], options: ReadOptions, people: Collection[str]
) -> RawTurn:
    named = string(source, row, columns["speaker"])
    speaker = UNNAMED if not named or is_error_value(named) else named
    text = string(source, row, columns["text"])
    sort = string(source, row, columns.get("type", ""))
    if sort.lower() not in TEXT_TYPES:
        return RawTurn(source, sender_name(speaker), text, "a picture, a file or a notice")
    if is_error_value(text):
        return RawTurn(source, sender_name(speaker), text, IS_ERROR)
    return message_turn(source, speaker, text, options, people)
