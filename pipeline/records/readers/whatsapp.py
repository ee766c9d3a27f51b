"""WhatsApp's exports, Android's and iOS's: `13/06/2023, 19:05 - Name: text` or `[13.06.23, 19:05:33] Name: text`.

A line without a time goes on with the message before it. Which of the first two numbers of a date is the day is decided
by the whole file: a number over 12 is one. Where none is, a date with points, or without AM and PM, has the day first.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.records.chat_scenes import chat_records
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile

SAMPLED_LINES = 200
MIN_SHARE = 0.3  # of the sampled lines begin a message: the others go on with one
MARKS = "\u200e\u200f\u202a\u202c\ufeff"  # of the writing direction, which iOS puts before lines and notices
MESSAGE = re.compile(
    rf"[{MARKS}]*\[?(?P<date>\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}}),?\s+"
    r"(?P<before>上午|下午|오전|오후)?\s?(?P<time>\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)(?P<after>\s?[ap]\.?\s?m\.?)?"
    r"(?:\]\s*|\s[-–]\s)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
SPOKEN = re.compile(r"(?P<speaker>[^:\n]{1,60}?):\s(?P<text>.*)", re.DOTALL)
AFTERNOON = re.compile(r"下午|오후|p", re.IGNORECASE)
MEDIA = re.compile(
    r"<[^<>]*(?:omitted|ausgeschlossen|omitido|omis|omessi|忽略|略过|省略)[^<>]*>"
    r"|(?:image|video|audio|sticker|gif|document|contact card|bild|imagen|图片|视频|语音|贴图) ?"
    r"(?:omitted|weggelassen|omitid[oa]|absente?|已忽略|已略过)|.*\((?:file attached|datei angehängt|archivo adjunto)\)"
    r"|<(?:attached|angehängt|adjunto|附件)[:：][^<>]*>",
    re.IGNORECASE,
)
DELETED = re.compile(
    r"(?:this message was deleted|you deleted this message|diese nachricht wurde gelöscht|du hast diese nachricht "
    r"gelöscht|(?:se )?eliminó este mensaje|ce message a été supprimé|此(?:消息|訊息)已(?:被)?删除|您已删除此消息)\.?",
    re.IGNORECASE,
)
EDITED = re.compile(r"\s*<(?:this message was edited|diese nachricht wurde bearbeitet|此消息已编辑)>\s*", re.IGNORECASE)
NOTICE, MEDIA_NOTICE, DELETED_NOTICE = "a notice of the program", "a picture or another file", "a deleted message"
USES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """A message's place, the numbers of its date and time, and what stands after them."""

    source: str
    date: tuple[str, str, str]
    time: tuple[int, int]
    afternoon: bool | None  # None where the clock has 24 hours
    rest: str


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether enough of its first lines begin with a date and a time, and somebody speaks after them."""
    if not file.encoding:
        return False
    lines = [line for _, line in itertools.islice(file.lines(), SAMPLED_LINES) if line.strip()]
    begun = [found for line in lines if (found := MESSAGE.fullmatch(line.strip()))]
    return len(begun) >= MIN_SHARE * len(lines) > 0 and any(SPOKEN.fullmatch(found["rest"]) for found in begun)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message with the turns before it; a long pause begins a new scene."""
    messages = list(_messages(file))
    turns = (_turn(message) for message in messages)
    yield from chat_records(zip(turns, _times(messages), strict=True), options)


def _messages(file: RawFile) -> Iterator[Message]:
    pending: Message | None = None
    for number, line in file.lines():
        found = MESSAGE.fullmatch(line.strip())
        if found:
            if pending:
                yield pending
            first, second, third = re.split(r"[./-]", found["date"])
            hour, minute, *_ = map(int, re.split(r"[:.]", found["time"]))
            half = found["before"] or found["after"]
            afternoon = None if half is None else AFTERNOON.search(half) is not None
            pending = Message(f"{file.path}:{number}", (first, second, third), (hour, minute), afternoon, found["rest"])
        elif pending:
            pending = replace(pending, rest=f"{pending.rest}\n{line.strip()}")
    if pending:
        yield pending


def _turn(message: Message) -> RawTurn:
    spoken = SPOKEN.fullmatch(message.rest.strip(MARKS))
    if spoken is None:
        return RawTurn(message.source, UNNAMED, message.rest.strip(), NOTICE)
    text = EDITED.sub("", spoken["text"].strip(MARKS)).strip()
    reason = MEDIA_NOTICE if MEDIA.fullmatch(text) else DELETED_NOTICE if DELETED.fullmatch(text) else ""
    return RawTurn(message.source, spoken["speaker"].strip(f"{MARKS} ~"), text, reason)


def _times(messages: Iterable[Message]) -> list[datetime | None]:
    """When each message was sent; None where its numbers are no date."""
    messages = list(messages)
    day_first = _is_day_first(messages)
    return [_time(message, day_first=day_first) for message in messages]


def _is_day_first(messages: Iterable[Message]) -> bool:
    dates = [(int(one.date[0]), int(one.date[1]), one) for one in messages if len(one.date[0]) <= len("31")]
    if any(first > 12 for first, _, _ in dates):
        return True
    if any(second > 12 for _, second, _ in dates):
        return False
    return not any(one.afternoon is not None for _, _, one in dates)


def _time(message: Message, *, day_first: bool) -> datetime | None:
    first, second, third = map(int, message.date)
    if len(message.date[0]) > len("31"):
        year, month, day = first, second, third
    else:
        year, month, day = (third, second, first) if day_first else (third, first, second)
    hour, minute = message.time
    if message.afternoon is not None:
        hour = hour % 12 + 12 * message.afternoon
    try:
        return datetime(year + 2000 * (year < 100), month, day, hour, minute)
    except ValueError:
        return None
