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
from pipeline.records.readers.pages.quoted import PLACE, QUOTE_MARKS, of_lines, quoted_lines
from pipeline.records.readers.scripts.script_lines import spoken_line
from pipeline.records.readers.tables.table_grid import Grid
from pipeline.records.readers.tables.word_tables import read_grid
from pipeline.records.readers.web.page_content import subject_of
from pipeline.records.readers.web.page_headings import Headings, short_names
from pipeline.records.readers.web.page_parts import ENDED, Part, joined
from pipeline.records.readers.web.page_tables import Row, grid_of, lines_in

A_TABLE = "a table of the page"
ANOTHER_BOX = "labels of somebody or something else"
BESIDE_LINES = "a text beside lines"
LONGEST_SOURCE, DASH = 40, re.compile("[—–-]")
PASSAGE = 80  # letters of a value, above which it is a text below a title


@dataclass(slots=True)
class PageText:
    """The lines of a page, the places of those that are labels, and what was read of tables and below headings.

    `titles` are headings within lines by their places, where a page about somebody has what the lines are called;
    `has_quotations`: below a heading for the character's lines some are quoted, without a name.
    """

    lines: list[str] = field(default_factory=list)
    labels: set[int] = field(default_factory=set)
    titles: dict[int, str] = field(default_factory=dict)
    records: list[RawRecord] = field(default_factory=list)
    is_own: bool = False
    has_quotations: bool = False


def page_text(file: RawFile, title: str, parts: Sequence[Part], options: ReadOptions) -> PageText:
    """The page's text below its title, which is the character's name where it is about the character."""
    names = frozenset(map(spelling, options.names))
    subject, part = subject_of(title, names)
    is_own = spelling(subject) in names
    made = PageText([f"# {subject}", ""] if subject else [], is_own=is_own)
    parts = _with_sources(parts, Headings(names, is_own, part))
    headings = Headings(names, is_own, part, by_people=_are_by_people(parts, Headings(names, is_own, part)))
    if part:
        made.lines += [f"## {part}", ""]
    beside = _beside_lines(parts, replace(headings, above=[]))
    deeper = any(one.kind == "heading" and one.level == 1 and one.text != title for one in parts)
    for at, one in enumerate(parts):
        headings.tab = one.text if at in beside and one.is_bold else headings.tab  # a name in bold above its lines
        if one.kind in ("heading", "tab"):
            _heading(made, headings, replace(one, level=min(6, max(2, one.level + deeper))), title)
        elif why := headings.why_left_out or (one.kind == "table" and headings.below(one.text).why_left_out):
            _set_aside(file, made, one, why)
        elif at in beside:
            _set_aside(file, made, one, BESIDE_LINES)
        elif one.kind == "table":
            _table(file, made, one.rows, headings, options)
        elif one.kind == "labels":
            _labels(file, made, one, headings)
        else:
            made.has_quotations |= bool(headings.lines_title) and _is_quoted(one)
            _text(made, one)
    return made


def _are_by_people(parts: Sequence[Part], headings: Headings) -> bool:
    """Whether, below a heading for lines, some stand below the character's name."""
    for one in parts:
        if one.kind == "heading":
            headings.enter(one.level, one.text)
        elif one.kind == "tab" or (one.kind == "text" and one.is_bold):
            headings.tab = one.text
        if headings.splits_by_people():
            return True
    return False


def _with_sources(parts: Sequence[Part], headings: Headings) -> list[Part]:
    """The parts; below a heading for lines, what a list within an item says is who said that, or where.

    An item without an end above sentences is their title.
    """
    made, signed = list[Part](), False
    for one in parts:
        if one.kind == "heading":
            headings.enter(one.level, one.text)
        last = made[-1] if made else one
        is_below = last.kind == "item" == one.kind and one.depth > last.depth and bool(headings.lines_title)
        if is_below and _is_source(one):
            is_short = len(one.text) <= LONGEST_SOURCE and not signed and DASH.search(one.text) is None
            signed = signed or is_short
            made[-1:] = [replace(last, text=f"{last.text} — {one.text}")] if is_short else [last]
            continue
        if is_below and not signed and _is_source(last):
            made[-1] = replace(last, kind="text")
        made.append(one)
        signed = False
    return made


def _is_source(part: Part) -> bool:
    """Whether it is no sentence that somebody says."""
    is_said = _is_quoted(part) or _is_spoken(part) or "\n" in part.text
    return not is_said and (PLACE.match(part.text) is not None or not part.text.endswith(ENDED))


def _beside_lines(parts: Sequence[Part], headings: Headings) -> set[int]:
    """The places of texts below a heading for lines that are none: beside lines in a list, or bold as titles."""
    found: dict[str, list[int]] = {}
    listed: set[str] = set()
    for at, one in enumerate(parts):
        if one.kind == "heading":
            headings.enter(one.level, one.text)
        elif one.kind != "tab" and (said := headings.lines_title):
            found.setdefault(said, []).extend([at] * (one.kind == "text" and not _is_spoken(one)))
            listed |= {said} if one.kind != "text" or _is_quoted(one) else set()
    texts = [(said, at) for said, places in found.items() for at in places if not _is_quoted(parts[at])]
    return {at for said, at in texts if said in listed or parts[at].is_bold}


def _is_spoken(part: Part) -> bool:
    return all(spoken_line(line) is not None for line in part.text.split("\n"))


def _is_quoted(part: Part) -> bool:
    return part.text.startswith(tuple(QUOTE_MARKS))


def _heading(made: PageText, headings: Headings, part: Part, title: str) -> None:
    if part.kind == "tab":
        headings.tab = part.text
        return
    if not part.text or (part.text == title and not headings.above):
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


def _labels(file: RawFile, made: PageText, part: Part, headings: Headings) -> None:
    """Labels as lines of a profile; under a heading for lines the titles of what is said."""
    keys = [spelling(key) for key, _ in part.pairs]
    is_dialogue = len({*keys}) < len(keys) or (headings.is_own and not short_names(headings.names).isdisjoint(keys))
    if headings.is_own and headings.lines_title and not is_dialogue:
        _said(file, made, [(title, "", text) for title, text in part.pairs], headings)
        return
    if not is_dialogue and _are_passages(part) and headings.above and spelling(headings.title) not in headings.names:
        level = headings.above[-1][0]
        for key, value in part.pairs:
            made.lines += ["", f"{'#' * min(6, level + 1)} {key}", "", *value.split("\n")]
        made.lines += ["", f"{'#' * level} {headings.title}", ""]
        return
    if part.text and made.labels and spelling(part.text) not in short_names(headings.names):
        _set_aside(file, made, part, ANOTHER_BOX)
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


def _said(file: RawFile, made: PageText, rows: Sequence[tuple[str, str, str]], headings: Headings) -> None:
    """Each line under its title, as the character's where nobody else is named beside it."""
    for title, who, text in rows:
        made.lines.append("")
        lines = [(len(made.lines), joined(text))]
        for raw in quoted_lines(file.path, lines, headings.names):
            is_own = not who or spelling(who) in short_names(headings.names) or raw.speaker != CHARACTER
            speaker = raw.speaker if is_own else who
            made.records.append(replace(raw, speaker=speaker, scene=title.replace("\n", " "), place=raw.source))


def _table(file: RawFile, made: PageText, rows: Sequence[Row], headings: Headings, options: ReadOptions) -> None:
    said = headings.lines_title if headings.is_own else ""
    lines, merged = grid_of(rows)
    place = f"{file.path}:{len(made.lines) + 1}"
    called = (f"{options.character or ''} {said}" if said else headings.title,)
    records = [*(read_grid(Grid(place, lines, called, merged), options, headings.title) or ())]
    if records and (headings.is_own or all(raw.speaker != CHARACTER for raw in records)):
        made.records += records
    elif said and (found := lines_in(rows, options)):
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
