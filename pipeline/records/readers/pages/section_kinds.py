"""What the sections of a page are: its text, lines, lines that may be another's, or drafts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pipeline.records.readers.pages.page_sections import Section, plain
from pipeline.records.readers.pages.quoted import is_of_lines, is_quoted, may_name_somebody
from pipeline.records.readers.scripts.script_lines import is_discarded
from pipeline.records.traditional_chinese import to_simplified

LOWEST = 99  # below any heading
DRAFT = re.compile(  # of a page; in a script these are titles as well
    r".*\b(?:drafts?|outdated|old version|ignore|ideas?|to-?do)\b.*|.*(?:草稿|废弃|旧版|待办|脑洞).*", re.IGNORECASE
)


def kinds_of(sections: Sequence[Section]) -> Iterator[tuple[Section, Literal["draft", "lines", "doubtful", "text"]]]:
    """Each section with what it is: a draft, as all below what is discarded; lines, as what is quoted below theirs.

    Doubtful are those of them below a heading that may be somebody's name.
    """
    draft = said = LOWEST
    for one in sections:
        if one.depth <= draft:
            draft = one.depth if is_discarded(one.title) else LOWEST
        if one.depth <= said:
            said = one.depth if is_of_lines(one.title) else LOWEST
        if draft != LOWEST or DRAFT.fullmatch(to_simplified(one.title)):
            yield one, "draft"
        elif is_of_lines(one.title):
            yield one, "lines"
        elif one.depth > said and _is_quoted(one):
            yield one, "doubtful" if may_name_somebody(one.title) else "lines"
        else:
            yield one, "text"


def as_list(sections: Sequence[Section], title: str) -> list[Section]:
    """The sections of a list called `title`; nothing where none is of lines, or what has no heading is not quoted."""
    first = sections[0] if sections and not sections[0].title else Section()
    rest = sections[1:] if sections and first is sections[0] else sections
    made = [replace(first, title=title, only_quoted=True), *rest]
    is_one = not first.lines or _is_quoted(first)
    return made if is_one and any(one.lines and kind == "lines" for one, kind in kinds_of(made)) else []


def _is_quoted(section: Section) -> bool:
    lines = [line for _, text in section.lines if (line := plain(text))]
    return 2 * sum(map(is_quoted, lines)) > len(lines)
