"""The lines of a Markdown note: what its writer keeps for themselves in it is no text about the character."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.records.readers.pages.page_sections import CODE_FENCE, plain
from pipeline.records.readers.pages.profile import as_label, entry

TASK = re.compile(r"\s*[-*+]\s+\[[ xX/-]\]\s")
CALLOUT = re.compile(r"\s*>\s*\[!(?P<kind>[\w-]+)\][+-]?\s*(?P<text>.*)")
# Callouts for whoever runs the game, and for what is to be done.
HIDDEN = re.compile(r"warning|caution|danger|secret|gm|dm|todo|bug|fail(?:ure)?|error|missing|attention", re.IGNORECASE)
TAG = re.compile(r"(?:^|(?<=\s))#[^\W\d][\w/-]*(?=\s|$)")
ITEM = re.compile(r"(?P<indent>[ \t]*)[-*+•]\s+\S")
CODE, WORK, ASIDE = "code", "a task", "a callout for the writer"


def note_lines(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str, str]]:
    """(number, text without markup, why it is no text about the character) of each line.

    What is listed below a label that is not the character's own (`Mother: Ines`, and below it `Age: 60`) stands in
    brackets behind it.
    """
    made: list[tuple[int, str, str]] = []
    holder, level = -1, 0  # the place of the label that the next lines may be below, and its indentation
    for number, line, why in _sorted(lines):
        text = TAG.sub("", plain(line)).strip() if "#" in line else plain(line)
        item = ITEM.match(line)
        indent = len(item["indent"]) if item else -1
        if holder >= 0 and indent > level and not why and (found := entry(text)):
            made[holder] = (made[holder][0], _with_detail(made[holder][1], as_label(*found)), "")
            continue
        holder, level = (len(made), indent) if item and not why and _is_of_others(text) else (-1, 0)
        made.append((number, text, why))
    return made


def _sorted(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """Each line with why it is none of the text."""
    fenced, hidden = False, False
    for number, line in lines:
        if CODE_FENCE.match(line):
            fenced = not fenced
            yield number, line, CODE
            continue
        callout = CALLOUT.match(line)
        hidden = bool(HIDDEN.fullmatch(callout["kind"])) if callout else hidden and line.lstrip().startswith(">")
        why = CODE if fenced else ASIDE if hidden else WORK if TASK.match(line) else ""
        yield number, callout["text"] if callout and not why else line, why


def _is_of_others(text: str) -> bool:
    """Whether it is `label: value` with a label that no profile has for the character itself."""
    return re.match(r"[^\W\d_][^:：]{0,24}[:：]\s*\S", text) is not None and entry(text) is None


def _with_detail(before: str, detail: str) -> str:
    return f"{before[:-1]}; {detail})" if before.endswith(")") else f"{before} ({detail})"
