"""Questions and answers as plain text: a line `Q: ...` (问：, Question 3:), and under it `A: ...` (答：, Answer:)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile

LABEL = re.compile(
    r"(?:[-+•·*>]\s+)?\*{0,2}(?:(?P<asks>Q|Question|问题?|提问)|A|Answer|答案?|回答)"
    r"\s*(?P<number>\d{0,3})\s*\*{0,2}\s*[:：]\s*\*{0,2}\s*(?P<text>.*)",
    re.IGNORECASE,
)
CHOICE = re.compile(r"[B-F]\s*[:：.)]")  # of several answers to choose from
YOU = re.compile(r"\b(?:you|your|yours|yourself)\b|[你您]", re.IGNORECASE)
SAMPLED_LINES = 200
LEAST_PAIRS = 2


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether answers follow questions in its first lines, half of them or more begin so, and most ask `you`.

    What asks nobody is a program's FAQ or an examination; people may be called Q and A.
    """
    names = [name for name in (options.character, *options.other_names) if name]
    if not file.encoding or any(LABEL.fullmatch(f"{name}:") for name in names):
        return False
    lines = [line.strip() for _, line in itertools.islice(file.lines(), SAMPLED_LINES)]
    found = [LABEL.fullmatch(line) for line in lines if line]
    labels = [match for match in found if match]
    asked = [match["text"] for match in labels if match["asks"]]
    if any(CHOICE.match(line) for line in lines) or 2 * sum(_asks_somebody(text, names) for text in asked) < len(asked):
        return False
    pairs = sum(bool(one["asks"]) and not after["asks"] for one, after in itertools.pairwise(labels))
    return pairs >= LEAST_PAIRS and 2 * len(labels) >= len(found)


def _asks_somebody(question: str, names: Sequence[str]) -> bool:
    return YOU.search(question) is not None or any(name in question for name in names)


def read(file: RawFile, _: ReadOptions) -> Iterator[RawRecord]:
    """Each answer with its question; lines below an answer, up to a blank one, are the rest of it."""
    asked, answer = "", None
    for number, raw_line in itertools.chain(file.lines(), [(0, "")]):
        line, source = raw_line.strip(), f"{file.path}:{number}"
        label = LABEL.fullmatch(line)
        if answer and (label or not line):
            yield answer
            answer = None
        if label and label["asks"]:
            asked = label["text"].strip()
        elif label:
            why = "" if asked else "an answer to nothing"
            answer = RawRecord(source, CHARACTER, label["text"].strip(), asked=asked, place=source, unusable=why)
            asked = ""
        elif answer and line:
            answer = replace(answer, text=f"{answer.text} {line}".strip())
        elif asked and line:
            asked = f"{asked} {line}"
        elif line:
            yield RawRecord(source, CHARACTER, line, unusable="neither a question nor an answer")
