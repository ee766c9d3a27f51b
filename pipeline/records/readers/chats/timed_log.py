"""Chats and transcripts as plain text with a time at every message, from other programs than WhatsApp.

    [10:01] <Orla> Sit.             IRC, Matrix
    10:01 - Orla: Sit.              Signal, Zoom, Skype
    10:01<tab>Orla<tab>Sit.         LINE, WeeChat; a line of its own gives the date
    [Orla] [오전 10:01] Sit.         KakaoTalk
    2024-01-01 10:01:00 Orla(1234)  QQ, WeChat: what is said stands on the lines below
    Orla — 01/01/2024 10:01 AM      Discord, Otter: the same

A line without a time goes on with the message before it. A file has one of these forms: the one that most lines have.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.records.account_names import own_names
from pipeline.records.chat_scenes import chat_records, message_turn
from pipeline.records.chat_times import CLOCK, DATE, Stamp, on_day, stamp_of, times_of
from pipeline.records.program_texts import ACCOUNT, NOTICE, OWN_TITLE, reason_of_notice, sender_name
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.chats.whatsapp import MARKS, MIN_SHARE, SAMPLED_LINES
from pipeline.records.readers.scripts.transcript import NAME_LETTER, NO_SCRIPTS

FEWEST = 3  # messages
# A zone's name, and when it ended, may follow: 20:01:15 UTC, [00:00.000 --> 00:04.000].
AFTER_TIME = r"(?:Z|[+-]\d\d:?\d\d|\s(?:UTC|GMT|[CEMP][DS]T|CEST|BST|JST)\b|\s*-->\s*[\d:.,]{4,12})?"
STAMP = rf"[\[(]?(?:{DATE}[T,\s]+)?{CLOCK}(?:[.,]\d+)?{AFTER_TIME}[\])]?"
DATED = rf"[\[(]?{DATE}[T,\s]+{CLOCK}[\])]?"
NAME = r"(?P<speaker>[^\s:：<>\[\]][^:：<>\[\]\n\t]{0,48}?)"
NUMBER = r"(?P<account>\s*[(（<][^()（）<>\s]{4,60}[)）>])?"  # of an account, or its address
TODAY = r"(?:today|yesterday|heute|gestern|hoy|ayer|今天|昨天)(?:,?\s+(?:at|um|a las))?\s*"
# Of each form the patterns that a message may begin with.
FORMS: Mapping[str, tuple[re.Pattern[str], ...]] = {
    name: tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns)
    for name, patterns in {
        "nick": (rf"{STAMP}\s*(?:[-–|]\s*)?<[\s@+~%&]?(?P<speaker>[^<>\n]{{1,48}})>\s+(?P<text>.*)",),
        "tab": (rf"{STAMP}\t(?P<speaker>[^\t]{{1,48}})\t(?P<text>.*)",),
        "name first": (rf"\[(?P<speaker>[^\[\]]{{1,48}})\]\s*\[{CLOCK}\]\s+(?P<text>.*)",),
        "colon": (rf"{STAMP}\s*(?:[-–—|]\s+)?{NAME}(?P<account>{ACCOUNT})?\s?[:：]\s+(?P<text>.*)",),
        "above": (
            rf"{DATED}\s*(?:[-–—|]\s+)?{NAME}{NUMBER}",
            rf"(?=[\[(]){STAMP}\s*(?:[-–—|]\s+)?{NAME}{NUMBER}",
        ),
        "behind": (
            rf"{NAME}{NUMBER}\s*(?:[-–—|,]\s+)?{DATED}",
            rf"{NAME}{NUMBER}(?:\s+[-–—|,]\s+{TODAY}|(?:\s*[-–—|,]\s+|\s+)(?=[\[(])|\s\s+|\t)[\[(]?{CLOCK}[\])]?",
        ),
    }.items()
}
TITLED = re.compile(rf"(?:{OWN_TITLE})+(?=\S)")
TEXT_BELOW = ("above", "behind")
STAMPED = re.compile(rf"{STAMP}(?P<rest>\s.*)", re.IGNORECASE | re.DOTALL)
ACTION = re.compile(r"\s+\*{1,3}\s(?P<speaker>\S+)\s(?P<text>.+)", re.DOTALL)
DAY = re.compile(rf"[^\d\n]{{0,24}}{DATE}[^\d\n]{{0,24}}")
TO_EVERYONE = re.compile(r"from\s+(?P<speaker>.+?)\s+to\s+.+", re.IGNORECASE)  # Zoom


@dataclass(frozen=True, slots=True)
class Message:
    """A message's place, its time, its speaker and its text; a notice of the program has no speaker.

    `account` is the number or address of an account that stood behind the speaker's name, in its brackets.
    """

    source: str
    stamp: Stamp
    speaker: str
    text: str
    account: str = ""


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether enough of its first lines have a time and a name in one of the forms, and somebody speaks twice."""
    if not file.encoding or file.path.suffix.lower() in NO_SCRIPTS or looks_like_json(file):
        return False
    return _form(file) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message with the turns before it; a long pause begins a new scene."""
    form = _form(file) or "colon"
    messages = _without_titles([_unquoted(one) if form == "tab" else one for one in _messages(file, form)])
    own = own_names([(f"{one.speaker}{one.account}", one.text) for one in messages], options)
    messages = [replace(one, speaker=own.get(f"{one.speaker}{one.account}", one.speaker)) for one in messages]
    people = {sender_name(message.speaker) for message in messages} - {UNNAMED}
    messages = [part for message in messages for part in _without_notices(message, people)]
    times = times_of(message.stamp for message in messages)
    turns = (_turn(message, options, people) for message in messages)
    yield from chat_records(zip(turns, times, strict=True), options)


def _form(file: RawFile) -> str | None:
    """The form that most of the first lines have, if it is the file's."""
    lines = [line.strip(f"{MARKS} \r\n") for _, line in itertools.islice(file.lines(), SAMPLED_LINES)]
    lines = [line for line in lines if line and not DAY.fullmatch(line)]
    counts = {name: sum(_message(name, line) is not None for line in lines) for name in FORMS}
    best = max(counts, key=lambda name: counts[name])
    if counts[best] < max(FEWEST, MIN_SHARE * len(lines)):
        return None
    speakers = Counter(found["speaker"] for line in lines if (found := _message(best, line)))
    texts = len(lines) - counts[best]
    return best if max(speakers.values()) > 1 and (best not in TEXT_BELOW or 2 * texts >= counts[best]) else None


def _message(form: str, line: str) -> re.Match[str] | None:
    found = next((found for pattern in FORMS[form] if (found := pattern.fullmatch(line))), None)
    return found if found and NAME_LETTER.search(found["speaker"]) else None


def _messages(file: RawFile, form: str) -> Iterator[Message]:
    pending: Message | None = None
    day: re.Match[str] | None = None
    for number, raw_line in file.lines():
        line = raw_line.strip(f"{MARKS} \r\n")
        if found := DAY.fullmatch(line):
            day = found
        elif message := _begun(f"{file.path}:{number}", form, line):
            if pending:
                yield pending
            pending = replace(message, stamp=on_day(message.stamp, day)) if day else message
        elif pending and line:
            pending = replace(pending, text=f"{pending.text}\n{line}".strip())
    if pending:
        yield pending


def _begun(source: str, form: str, line: str) -> Message | None:
    """The message that begins on a line, if one does."""
    if found := _message(form, line):
        speaker = TO_EVERYONE.sub(r"\g<speaker>", found["speaker"].strip())
        has = found.groupdict()
        return Message(source, stamp_of(found), speaker, has.get("text") or "", (has.get("account") or "").strip())
    if form in TEXT_BELOW or not (found := STAMPED.fullmatch(line)):
        return None
    if action := ACTION.fullmatch(found["rest"]):
        return Message(source, stamp_of(found), action["speaker"], f"*{action['text']}*")
    return Message(source, stamp_of(found), UNNAMED, found["rest"].strip())


def _without_titles(messages: Sequence[Message]) -> list[Message]:
    """The messages under their senders' names without a group's own titles (【执剑长老】季无尘).

    They are titles before a name with an account, and where several people have one: 【甲】乙 alone may be a name.
    """
    titled = {one.speaker for one in messages if TITLED.match(one.speaker)}
    are_titles = len({TITLED.sub("", name) for name in titled}) > 1
    return [replace(one, speaker=TITLED.sub("", one.speaker)) if are_titles or one.account else one for one in messages]


def _unquoted(message: Message) -> Message:
    """The message without the quotation marks in which LINE exports several lines."""
    text = message.text
    is_quoted = "\n" in text and len(text) > 1 and text[0] == text[-1] == '"'
    return replace(message, text=text[1:-1].replace('""', '"').strip()) if is_quoted else message


def _without_notices(message: Message, people: Collection[str]) -> Iterator[Message]:
    """The message, and each notice below it: what the program says between two messages has no time of its own."""
    lines = message.text.split("\n")
    notices = [line for line in lines[1:] if reason_of_notice(line, people)]
    said = "\n".join(line for line in lines if line not in notices) if notices else message.text
    yield replace(message, text=said.strip())
    yield from (replace(message, speaker=UNNAMED, text=line) for line in notices)


def _turn(message: Message, options: ReadOptions, people: Collection[str]) -> RawTurn:
    if message.speaker == UNNAMED:
        return RawTurn(message.source, UNNAMED, message.text.strip(), NOTICE)
    return message_turn(message.source, message.speaker, message.text, options, people)
