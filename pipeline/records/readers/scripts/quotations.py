"""Paragraphs of prose, and what is told and what is quoted in each."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.records.clean import has_cjk
from pipeline.records.raw_file import RawFile

SOMEBODY = "?"  # who says it is no name that is known, or not surely
UNSAID, NOT_SAID = "!", "a thought, or something written"
PAIRS = {"“": "”", "「": "」", "『": "』"}
SINGLE_OPENS = re.compile(r"(?:^|(?<=[\s(—–“]))‘(?=\S)")
SINGLE_CLOSES = re.compile(r"(?<=[.,!?…—–])’(?!\w)")
ENDS = re.compile(r"[.!?…。！？”」』\"'’—:：]$")
WRAPPED_SHARE = 0.4  # of the lines with another below, that stop amid a sentence where paragraphs are wrapped
FEW_DOUBLE, MANY_SINGLE = 2, 6  # marks, in a text that quotes ‘so’


@dataclass(frozen=True, slots=True)
class Segment:
    """What is told or, `quoted`, what stands between quotation marks, without them."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The place of a paragraph in its file, all of it, and its segments; none where the marks are not in pairs."""

    number: int
    text: str
    segments: tuple[Segment, ...] = ()

    @property
    def quotes(self) -> bool:
        """Whether something is quoted in it."""
        return any(segment.quoted for segment in self.segments)


def paragraphs_of(file: RawFile, most: int | None = None) -> list[Paragraph]:
    """The paragraphs of the first `most` lines: a line each, or what blank lines separate where the text is wrapped."""
    lines = [(number, line.strip()) for number, line in itertools.islice(file.lines(), most)]
    if _is_wrapped([line for _, line in lines]):
        lines = list(_unwrapped(lines))
    single = _quotes_singly([line for _, line in lines])
    return [replace(Paragraph(number, line), segments=segments_of(line, single)) for number, line in lines if line]


def joined(text: str, more: str) -> str:
    """Both parts, with a space between them unless one is in a script that has none."""
    return f"{text} {more}".strip() if not (has_cjk(text) or has_cjk(more)) else text + more


def segments_of(text: str, single: bool = False) -> tuple[Segment, ...]:
    """What is told and what is quoted, in turn; nothing where a mark has no other."""
    if single:
        text = SINGLE_CLOSES.sub("”", SINGLE_OPENS.sub("“", text))
    if text.count('"') % 2 or ('"' in text and any(mark in text for mark in PAIRS)):
        return ()
    if '"' in text:
        parts = text.split('"')
        return tuple(Segment(part.strip(), number % 2 == 1) for number, part in enumerate(parts) if part.strip())
    return tuple(_paired(text)) if _is_balanced(text) else ()


def _is_balanced(text: str) -> bool:
    return all(text.count(opening) == text.count(closing) for opening, closing in PAIRS.items())


def _paired(text: str) -> Iterator[Segment]:
    start, until, opened, depth = 0, "", "", 0
    for position, char in enumerate(text):
        if not until and char in PAIRS:
            if told := text[start:position].strip():
                yield Segment(told, False)
            start, opened, until, depth = position + 1, char, PAIRS[char], 1
        elif until and char in (opened, until):
            depth += 1 if char == opened else -1
            if not depth:
                yield Segment(text[start:position].strip(), True)
                start, until = position + 1, ""
    if rest := text[start:].strip():
        yield Segment(rest, False)


def _is_wrapped(lines: Sequence[str]) -> bool:
    """Whether paragraphs stand between blank lines, and many a line stops amid a sentence."""
    pairs = [line for line, after in itertools.pairwise(lines) if line and after]
    return "" in lines and sum(not ENDS.search(line) for line in pairs) > max(2, WRAPPED_SHARE * len(pairs))


def _unwrapped(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for is_there, some in itertools.groupby(lines, key=lambda one: bool(one[1])):
        if is_there:
            block = list(some)
            yield block[0][0], functools.reduce(joined, (line for _, line in block))


def _quotes_singly(lines: Sequence[str]) -> bool:
    text = "\n".join(lines)
    doubles = sum(text.count(mark) for mark in '"“「')
    return doubles <= FEW_DOUBLE and text.count("‘") >= MANY_SINGLE
