"""Conversations amid a page about the character: she and others speak there in turn, with their names before colons."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from pipeline.records.names import MANNER, spelling
from pipeline.records.raw import RawRecord, scene_records
from pipeline.records.readers.pages.profile import entry
from pipeline.records.readers.scripts.script_lines import LABEL, spoken_line
from pipeline.records.readers.scripts.script_turns import turns_of

LONGEST_TITLE = 12  # characters of a line above one that is its title
ENDS = tuple("。！？!?…，,；;：:.")

Lines = Sequence[tuple[int, str]]


def skits_of(lines: Lines, names: Collection[str]) -> tuple[list[tuple[str, Lines]], list[tuple[int, str]]]:
    """The title and the lines of each conversation in which the character speaks, and the other lines."""
    skits, rest, at = list[tuple[str, Lines]](), list[tuple[int, str]](), 0
    while at < len(lines):
        end = at
        while end < len(lines) and _speaker(lines[end][1]):
            end += 1
        speakers = {spelling(_speaker(line)) for _, line in lines[at:end]}
        if len(speakers) > 1 and speakers & {*names}:
            title = rest.pop()[1].strip() if rest and _is_title(rest[-1][1]) else ""
            skits.append((title, lines[at:end]))
        else:
            rest += lines[at : max(end, at + 1)]
        at = max(end, at + 1)
    return skits, rest


def skit_records(path: Path, skits: Sequence[tuple[str, Lines]], window: int) -> Iterator[RawRecord]:
    """What everybody says in them, with the turns before it."""
    for title, lines in skits:
        turns = turns_of((f"{path}:{number}", line) for number, line in lines)
        yield from scene_records(turns, title=title, place=f"{path}:{lines[0][0]}", window=window)


def _speaker(line: str) -> str:
    """Who speaks in the line; nothing where a label or nothing stands before its colon."""
    found = spoken_line(line.strip())
    if not found or not found["text"] or entry(line) or LABEL.fullmatch(found["speaker"]):
        return ""
    return MANNER.sub("", found["speaker"])


def _is_title(line: str) -> bool:
    bare = line.strip()
    return 0 < len(bare) <= LONGEST_TITLE and not bare.endswith(ENDS) and entry(bare) is None
