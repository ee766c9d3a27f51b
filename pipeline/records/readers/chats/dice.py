"""Chats of tabletop games (Roll20): what people say, and between it what their dice did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.scripts.transcript import NO_SCRIPTS
from pipeline.records.readers.set_aside import read_rest

ROLLING = re.compile(r"(?:[^:：\n]{1,60}[:：]\s*)?rolling\s+\(?\d*d\d+\b.*", re.IGNORECASE)
# (1)+5 and =6 below it, a check (`Insight: 17`, `Lume: Insight: 17`), and the time above it all.
RESULT = re.compile(r"\(?[\d(][\d()+\-*/\s]*\)?(?:[+-]\s*\d+)?|=\s*-?\d+")
CHECK = re.compile(r"(?:(?P<who>[^:：\n]{1,40})[:：]\s*)?(?P<what>[A-Z][A-Za-z ]{2,20}):\s*-?\d{1,3}")
SPEAKER = re.compile(r"(?P<name>[^:：\n]{1,60})[:：]\s*(?P<text>.*)")
# What is checked in such games; anything else is a check only directly below a roll.
SKILLS = frozenset({
    "acrobatics", "animal handling", "arcana", "athletics", "deception", "history", "insight", "intimidation",
    "investigation", "medicine", "nature", "perception", "performance", "persuasion", "religion", "sleight of hand",
    "stealth", "survival", "strength", "dexterity", "constitution", "intelligence", "wisdom", "charisma", "initiative",
    "damage", "attack", "saving throw", "spot hidden", "listen", "luck", "sanity", "dodge", "psychology",
})  # fmt: skip
TIME = re.compile(r"(?:[A-Z][a-z]+ \d{1,2}, \d{4}\s*)?\d{1,2}:\d{2}\s?[AP]M", re.IGNORECASE)
LEAST_ROLLS = 2
DICE = "a roll of dice"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether dice are rolled in its text, with what came of it below."""
    if not file.encoding or file.path.suffix.lower() in NO_SCRIPTS or looks_like_json(file):
        return False
    head = file.beginning.splitlines()
    rolls = sum(ROLLING.fullmatch(line.strip()) is not None for line in head)
    return rolls >= LEAST_ROLLS and any(RESULT.fullmatch(line.strip()) for line in head)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What people say with the turns before it; the dice are set aside.

    Raises:
        UnknownFormError: nobody speaks in it.
    """
    lines = list(file.lines())
    reasons = [DICE if of_dice else "" for of_dice in are_of_dice([line.strip() for _, line in lines])]
    yield from read_rest(file, lines, reasons, options, what="a chat of a tabletop game")


def are_of_dice(lines: Sequence[str]) -> list[bool]:
    """Of each line whether it is a roll, what came of it, or a time of the log."""
    people = _people(lines)
    found: list[bool] = []
    below_roll = False
    for line in lines:
        is_roll = ROLLING.fullmatch(line) is not None
        is_result = RESULT.fullmatch(line) is not None or _is_check(line, people, below_roll=below_roll)
        found.append(is_roll or is_result or TIME.fullmatch(line) is not None)
        below_roll = is_roll or (below_roll and (is_result or not line))
    return found


def _people(lines: Sequence[str]) -> set[str]:
    """Who says a word in the log."""
    spoken = (one for line in lines if not ROLLING.fullmatch(line) and (one := SPEAKER.fullmatch(line)))
    return {one["name"].strip().lower() for one in spoken if any(char.isalpha() for char in one["text"])}


def _is_check(line: str, people: set[str], *, below_roll: bool) -> bool:
    """Whether a line says what was checked and how high: `Mira: 27` and `Mira: Answer: 42` are said."""
    found = CHECK.fullmatch(line)
    if not found or found["what"].strip().lower() in people:
        return False
    return below_roll or found["what"].strip().lower() in SKILLS
