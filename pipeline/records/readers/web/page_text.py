"""A web page's article as the lines of a text: Markdown headings, `label: value`, lists; its tables by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipeline.records.comparable import letters
from pipeline.records.names import spelling
from pipeline.records.raw import CHARACTER, UNNAMED, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.pages.profile import as_label
from pipeline.records.readers.pages.quoted import QUOTE_MARKS, is_of_lines, of_lines, quoted_lines
from pipeline.records.readers.tables.table_grid import Grid
from pipeline.records.readers.tables.word_tables import read_grid
from pipeline.records.readers.web.page_content import subject_of
from pipeline.records.readers.web.page_parts import Part, joined
from pipeline.records.readers.web.page_tables import Row, grid_of, lines_in

A_TABLE, ABOUT_IT = "a table of the page", "lines about the character"
BESIDE_LINES = "a text beside lines"
# Below such a heading others speak: Quotes about Mira, 他人评价.
OF_OTHERS = re.compile(
    r".*\babout (?:{names}|her|him|them)\b.*|.*(?:关于|關於)(?:{names}|她|他)的?(?:台词|臺詞|语音|語音|评价|評價)?|"
    r".*(?:他人|其他角色|别人|別人|旁人|(?<!自我)评价|(?<!自我)評價).*|.*\b(?:others?|other characters?)\b.*",
    re.IGNORECASE,
)
NOBODY = r"(?!)"
PASSAGE = 80  # letters of a value, above which it is a text below a title


@dataclass(slots=True)
class PageText:
    """The lines of a page, the places of those that are labels, and what was read of tables and below headings.

    `titles` are headings within lines by their places, where a page about somebody has what the lines are called.
    """

    lines: list[str] = field(default_factory=list)
    labels: set[int] = field(default_factory=set)
    titles: dict[int, str] = field(default_factory=dict)
    records: list[RawRecord] = field(default_factory=list)
    is_own: bool = False


@dataclass(slots=True)
class _Headings:
    """The headings that a part stands below: (level, title), and whether the whole page is the character's."""

    names: frozenset[str]
    page_is_own: bool
    page_part: str
    above: list[tuple[int, str]] = field(default_factory=list)

    def enter(self, level: int, title: str) -> None:
        self.above = [one for one in self.above if one[0] < level] + [(level, title)]

    @property
    def is_own(self) -> bool:
        """Whether it is about the character."""
        return self.page_is_own or any(
            spelling(subject_of(title, self.names)[0]) in self.names for _, title in self.above
        )

    @property
    def lines_title(self) -> str:
        """What the headings call the lines that stand here; empty where they call none."""
        found = [said for _, title in self.above if (said := of_lines(title, self.names))]
        return found[0] if found else self.page_part if is_of_lines(self.page_part) else ""

    @property
    def is_of_others(self) -> bool:
        """Whether it is others who speak here."""
        names = "|".join(map(re.escape, self.names)) or NOBODY
        others = re.compile(OF_OTHERS.pattern.replace("{names}", names), re.IGNORECASE)
        said = [title for _, title in self.above if others.fullmatch(spelling(title))]
        return bool(said) and (
            bool(self.lines_title) or any(re.search("quote|line|语音|台词|語音|臺詞", one, re.I) for one in said)
        )

    @property
    def title(self) -> str:
        """The heading right above."""
        return self.above[-1][1] if self.above else self.page_part


def page_text(file: RawFile, title: str, parts: Sequence[Part], options: ReadOptions) -> PageText:
    """The page's text below its title, which is the character's name where it is about the character."""
    names = frozenset(map(spelling, options.names))
    subject, part = subject_of(title, names)
    is_own = spelling(subject) in names
    made = PageText([f"# {subject}", ""] if subject else [], is_own=is_own)
    headings = _Headings(names, is_own, part)
    if part:
        made.lines += [f"## {part}", ""]
    beside = _beside_lines(parts, replace(headings))
    deeper = any(one.kind == "heading" and one.level == 1 and one.text != title for one in parts)
    for at, one in enumerate(parts):
        if one.kind == "heading":
            _heading(made, headings, replace(one, level=min(6, max(2, one.level + deeper))), title)
        elif headings.is_of_others:
            _set_aside(file, made, one, ABOUT_IT)
        elif at in beside:
            _set_aside(file, made, one, BESIDE_LINES)
        elif one.kind == "table":
            _table(file, made, one.rows, headings, options)
        elif one.kind == "labels":
            _labels(file, made, one, headings)
        else:
            _text(made, one)
    return made


def _beside_lines(parts: Sequence[Part], headings: _Headings) -> set[int]:
    """The places of texts below a heading for lines that are none: beside lines in a list, or bold as titles."""
    found: dict[str, list[int]] = {}
    listed: set[str] = set()
    for at, one in enumerate(parts):
        if one.kind == "heading":
            headings.enter(one.level, one.text)
        elif said := headings.lines_title:
            found.setdefault(said, []).extend([at] * (one.kind == "text"))
            listed |= {said} if one.kind != "text" or _is_quoted(one) else set()
    texts = [(said, at) for said, places in found.items() for at in places if not _is_quoted(parts[at])]
    return {at for said, at in texts if said in listed or parts[at].is_bold}


def _is_quoted(part: Part) -> bool:
    return part.text.startswith(tuple(QUOTE_MARKS))


def _heading(made: PageText, headings: _Headings, part: Part, title: str) -> None:
    if not part.text or part.text == title:
        return
    headings.enter(part.level, part.text)
    said = headings.lines_title
    shown = said if said and headings.is_own and not of_lines(part.text, headings.names) else part.text
    made.titles[len(made.lines) + 1] = f"{'#' * part.level} {part.text}"
    made.lines += ["", f"{'#' * part.level} {shown}", ""]


def _text(made: PageText, part: Part) -> None:
    if part.kind == "item":
        first, *rest = part.text.split("\n")
        made.lines += [f"- {first}", *rest]
    else:
        made.lines += [*part.text.split("\n"), ""]


def _labels(file: RawFile, made: PageText, part: Part, headings: _Headings) -> None:
    """Labels as lines of a profile; under a heading for lines the titles of what is said."""
    keys = [spelling(key) for key, _ in part.pairs]
    is_dialogue = len({*keys}) < len(keys) or (headings.is_own and not headings.names.isdisjoint(keys))
    if headings.is_own and headings.lines_title and not is_dialogue:
        _said(file, made, part.pairs, headings)
        return
    if not is_dialogue and _are_passages(part) and headings.above and spelling(headings.title) not in headings.names:
        level = headings.above[-1][0]
        for key, value in part.pairs:
            made.lines += ["", f"{'#' * min(6, level + 1)} {key}", "", *value.split("\n")]
        made.lines += ["", f"{'#' * level} {headings.title}", ""]
        return
    for key, value in part.pairs:
        if not is_dialogue:
            made.labels.add(len(made.lines))
        between = "; " if key.isascii() else "；"
        shown = joined(value) if is_dialogue else value.replace("\n", between)
        made.lines.append(as_label(key, shown))
    made.lines.append("")


def _are_passages(part: Part) -> bool:
    """Whether most of the values are longer than a label's."""
    return 2 * sum(letters(value) > PASSAGE for _, value in part.pairs) > len(part.pairs)


def _said(file: RawFile, made: PageText, rows: Sequence[tuple[str, str]], headings: _Headings) -> None:
    """Each line under its title."""
    for title, text in rows:
        made.lines.append("")
        lines = [(len(made.lines), joined(text))]
        for raw in quoted_lines(file.path, lines, headings.names):
            made.records.append(replace(raw, scene=title.replace("\n", " "), place=raw.source))


def _table(file: RawFile, made: PageText, rows: Sequence[Row], headings: _Headings, options: ReadOptions) -> None:
    said = headings.lines_title if headings.is_own else ""
    lines, merged = grid_of(rows)
    place = f"{file.path}:{len(made.lines) + 1}"
    called = (f"{options.character or ''} {said}" if said else headings.title,)
    records = [*(read_grid(Grid(place, lines, called, merged), options, headings.title) or ())]
    if records and (headings.is_own or all(raw.speaker != CHARACTER for raw in records)):
        made.records += records
    elif said and (found := lines_in(rows)):
        _said(file, made, found, headings)
    else:
        _set_aside(file, made, Part("text", "\n".join(" | ".join(filter(None, cells)) for _, cells in lines)), A_TABLE)
    made.lines.append("")


def _set_aside(file: RawFile, made: PageText, part: Part, why: str) -> None:
    for text in _texts(part):
        made.lines.append("")
        made.records.append(RawRecord(f"{file.path}:{len(made.lines)}", UNNAMED, text, unusable=why))


def _texts(part: Part) -> Iterator[str]:
    if part.kind == "labels":
        yield from (as_label(key, joined(value)) for key, value in part.pairs)
    elif part.kind == "table":
        yield from (" | ".join(cell.text for cell in row if cell.text) for row in part.rows)
    else:
        yield part.text
