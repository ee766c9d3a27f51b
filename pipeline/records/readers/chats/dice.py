"""Chats of tabletop games (Roll20): what people say, and between it what their dice did."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.scripts.transcript import NO_SCRIPTS
from pipeline.records.readers.set_aside import read_rest

ROLLING = re.compile(r"(?:[^:：\n]{1,60}[:：]\s*)?rolling\s+\(?\d*d\d+\b.*", re.IGNORECASE)
# (1)+5 and =6 below it, a check (`Insight: 17`, `Lume: Insight: 17`), a command, and the time above it all.
RESULT = re.compile(r"\(?[\d(][\d()+\-*/\s]*\)?(?:[+-]\s*\d+)?|=\s*-?\d+")
CHECK = re.compile(r"(?:[^:：\n]{1,40}[:：]\s*)?[A-Z][A-Za-z ]{2,20}:\s*-?\d{1,3}")
TIME = re.compile(r"(?:[A-Z][a-z]+ \d{1,2}, \d{4}\s*)?\d{1,2}:\d{2}\s?[AP]M", re.IGNORECASE)
LEAST_ROLLS = 2
DICE = "a roll of dice"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether dice are rolled in its text, with what came of it below."""
    if not file.encoding or file.path.suffix.lower() in NO_SCRIPTS or looks_like_json(file):
        return False
    head = file.head.decode(file.encoding, errors="ignore").splitlines()
    rolls = sum(ROLLING.fullmatch(line.strip()) is not None for line in head)
    return rolls >= LEAST_ROLLS and any(RESULT.fullmatch(line.strip()) for line in head)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What people say with the turns before it; the dice are set aside.

    Raises:
        UnknownFormError: nobody speaks in it.
    """
    lines = list(file.lines())
    reasons = [DICE if is_of_dice(line.strip()) else "" for _, line in lines]
    yield from read_rest(file, lines, reasons, options, what="a chat of a tabletop game")


def is_of_dice(line: str) -> bool:
    """Whether a line is a roll, what came of it, or a time of the log."""
    return any(form.fullmatch(line) for form in (ROLLING, RESULT, CHECK, TIME))
