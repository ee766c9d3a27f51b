"""WhatsApp's exports, Android's and iOS's: `13/06/2023, 19:05 - Name: text` or `[13.06.23, 19:05:33] Name: text`.

A line without a time goes on with the message before it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from pipeline.records.chat_scenes import chat_records, message_turn
from pipeline.records.chat_times import CLOCK, DATE, Stamp, stamp_of, times_of
from pipeline.records.program_texts import NOTICE, reason_of_notice
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile

SAMPLED_LINES = 200
MIN_SHARE = 0.3  # of the sampled lines begin a message: the others go on with one
MARKS = "\u200e\u200f\u202a\u202c\ufeff"  # of the writing direction, which iOS puts before lines and notices
MESSAGE = re.compile(rf"[{MARKS}]*\[?{DATE},?\s+{CLOCK}(?:\]\s*|\s[-–]\s)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
SPOKEN = re.compile(r"(?P<speaker>[^:<>\n]{1,60}?):\s(?P<text>.*)", re.DOTALL)
EDITED = re.compile(r"\s*<(?:this message was edited|diese nachricht wurde bearbeitet|此消息已编辑)>\s*", re.IGNORECASE)


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
    people = {spoken["speaker"].strip(f"{MARKS} ~") for message in messages if (spoken := _spoken(message))}
    turns = (_turn(message, options, people) for message in messages)
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


def _spoken(message: Message) -> re.Match[str] | None:
    return SPOKEN.fullmatch(message.rest.strip(MARKS))


def _turn(message: Message, options: ReadOptions, people: Collection[str]) -> RawTurn:
    spoken, rest = _spoken(message), message.rest.strip(f"{MARKS} ")
    if spoken is None or reason_of_notice(rest, people):  # a notice may have a colon, in a group's name
        return RawTurn(message.source, UNNAMED, rest, NOTICE)
    text = EDITED.sub("", spoken["text"].strip(MARKS)).strip()
    return message_turn(message.source, spoken["speaker"].strip(f"{MARKS} ~"), text, options, people)
