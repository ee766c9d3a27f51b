"""The sentences of a passage as people write it: with lines that end one, and lines that were wrapped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

MID_SENTENCE = "\r"  # in place of a line's end where nobody can tell whether a sentence goes on
LONGEST_TITLE = 8  # characters
END = re.compile(r"[.!?。！？…:：][\"”」』)）]*\s*$")  # of a line that ends a sentence
STOP = re.compile(r"[!?。！？]|\.(?!\w)")
NARROWEST = 50  # columns of a line that may have been wrapped, a Chinese character counting two
NEAR_THE_MARGIN = 0.8  # of the passage's longest line
ENDS = re.compile(
    r"(?:[!?。！？]|(?<!\b[A-Z])(?<!\bSt)(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bLt)(?<!\bCapt)\.(?!\w))+[\"”」』)）]*|\n"
)
MARK = re.compile(r"\s*(?:[-*•·●◆■◇○※★☆>#+|]|\[|【|\d{1,2}[.、)）])")
ENTRY = re.compile(r"[^:：\n]{1,24}[:：]\s*\S")
# What is said between quotation marks: a quoted name has no sentence's punctuation.
QUOTATION = re.compile(
    r"“[^“”]*[，。！？,.!?][^“”]*”|「[^「」]*[，。！？][^「」]*」|『[^『』]*[，。！？][^『』]*』"
    r"|\"[^\"\n]*[，。！？,.!?][^\"\n]*\""
)


def sentences(passage: str, subject: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """(what it says in its own voice, the sentence as written) of each sentence.

    A quotation counts as quotation marks. A line's end is a sentence's, unless the next line goes on with it; where
    that is unclear it is `MID_SENTENCE`. What `subject` matches at a line's start begins a sentence.
    """
    voice = QUOTATION.sub(lambda found: "”" * len(found[0]), _unwrapped(passage, subject))
    start = 0
    for end in (*(found.end() for found in ENDS.finditer(voice)), len(voice)):
        if voice[start:end].strip():
            yield voice[start:end], passage[start:end]
        start = end


def _unwrapped(passage: str, subject: re.Pattern[str]) -> str:
    """The passage, as long as it was, with each line's end as a space, `MID_SENTENCE`, or as it is."""
    lines = passage.split("\n")
    widest = max(map(_width, lines))
    ends = [_end_of(line, following, widest, subject) for line, following in pairwise(lines)]
    return "".join(part for line, end in zip(lines, [*ends, ""], strict=True) for part in (line, end))


def _end_of(line: str, following: str, widest: int, subject: re.Pattern[str]) -> str:
    begins_anew = not following.strip() or MARK.match(following) or ENTRY.match(following)
    if begins_anew or not line.strip() or subject.match(following.strip()):
        return "\n"
    if line.rstrip().endswith(("，", ",", "、", ";", "；")) or re.match(r"[a-z]", following.strip()):
        return " "
    wrapped = _width(line) >= max(NARROWEST, widest * NEAR_THE_MARGIN) or _is_cut(line, following)
    return MID_SENTENCE if wrapped and not MARK.match(line) else "\n"


def _is_cut(line: str, following: str) -> bool:
    """Whether a line that is too long for a title has no end, and the next one has: both may be one sentence."""
    return len(line) > LONGEST_TITLE and END.search(line) is None and STOP.search(following) is not None


def _width(line: str) -> int:
    """Columns of a line."""
    return len(line) + sum(unicodedata.east_asian_width(char) in "WF" for char in line)
