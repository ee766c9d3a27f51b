"""WhatsApp's exports, Android's and iOS's: `13/06/2023, 19:05 - Name: text` or `[13.06.23, 19:05:33] Name: text`.

A line without a time goes on with the message before it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.records.chat_scenes import chat_records
from pipeline.records.chat_times import CLOCK, DATE, Stamp, stamp_of, times_of
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile

SAMPLED_LINES = 200
MIN_SHARE = 0.3  # of the sampled lines begin a message: the others go on with one
MARKS = "\u200e\u200f\u202a\u202c\ufeff"  # of the writing direction, which iOS puts before lines and notices
MESSAGE = re.compile(rf"[{MARKS}]*\[?{DATE},?\s+{CLOCK}(?:\]\s*|\s[-–]\s)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
SPOKEN = re.compile(r"(?P<speaker>[^:<>\n]{1,60}?):\s(?P<text>.*)", re.DOTALL)
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


@dataclass(frozen=True, slots=True)
class Message:
    """A message's place, its date and time, and what stands after them."""

    source: str
    stamp: Stamp
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
    times = times_of(message.stamp for message in messages)
    yield from chat_records(zip(turns, times, strict=True), options)


def _messages(file: RawFile) -> Iterator[Message]:
    pending: Message | None = None
    for number, line in file.lines():
        found = MESSAGE.fullmatch(line.strip())
        if found:
            if pending:
                yield pending
            pending = Message(f"{file.path}:{number}", stamp_of(found), found["rest"])
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
