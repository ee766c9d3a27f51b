"""The tables of a web page: rows of cells, and which of them are labels with their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records.names import spelling
from pipeline.records.raw import ReadOptions
from pipeline.records.readers.pages.profile import is_label
from pipeline.records.readers.pages.wiki import SAID
from pipeline.records.readers.tables.localisation import is_language, language_for
from pipeline.records.readers.tables.table_grid import MergedRange
from pipeline.records.readers.web.elements import text_of
from pipeline.records.readers.web.page_content import VOICES, is_left_out
from pipeline.records.readers.web.page_headings import short_names

LONGEST_LABEL, LEAST_ROWS, MOST_SPAN = 24, 2, 100
# What a column is called that has who says a line.
SPEAKS = re.compile(
    r"who|speakers?|characters?|(?:said |spoken )?by|角色|人物|说话人|說話人|说话者|說話者",
    re.IGNORECASE,
)
LABELS_SHARE = 0.8  # of a table's rows of two cells


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, whether it is a head, and how many columns and rows it is wide and high."""

    text: str
    is_head: bool
    wide: int = 1
    high: int = 1


Row = tuple[Cell, ...]


def rows_of(table: Any) -> list[Row]:
    """Its rows that are not blank, without those of tables within it."""
    rows = (one for one in table.iter("tr") if next(one.iterancestors("table"), None) is table)
    cells = (tuple(_cell(one) for one in row if one.tag in ("td", "th") and not is_left_out(one)) for row in rows)
    return [row for row in cells if any(cell.text for cell in row)]


def _cell(element: Any) -> Cell:
    wide, high = (_span(element.get(name)) for name in ("colspan", "rowspan"))
    return Cell(text_of(element, without=is_left_out), element.tag == "th", wide, high)


def _span(value: str | None) -> int:
    return max(1, min(int(value[:4]), MOST_SPAN)) if value and value.isdecimal() else 1


def are_labels(rows: Sequence[Row]) -> bool:
    """Whether most rows are a label and its value, or several such pairs, and the first is no header."""
    several = [row for row in rows if len(row) > 1]
    if len(several) < LEAST_ROWS or all(cell.is_head for cell in several[0]):
        return False
    pairs = [row for row in several if _is_pairs(row)]
    return len(pairs) >= LABELS_SHARE * len(several)


def _is_pairs(row: Row) -> bool:
    labels, values = row[::2], row[1::2]
    if len(row) % 2 or any(len(cell.text) > LONGEST_LABEL or "\n" in cell.text for cell in labels):
        return False
    known = len(row) == 2 or all(cell.is_head or is_label(cell.text) for cell in labels)
    return known and not any(cell.is_head for cell in values)


def pairs_of(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """The labels and values of rows that are such pairs; what says nothing, and who plays a part, is left out."""
    is_of_makers = False
    for row in rows:
        if len(row) == 1:
            is_of_makers = VOICES.fullmatch(row[0].text.strip(" :：")) is not None
        elif is_of_makers:
            continue
        elif len(row) % 2 == 0 and len(row) > 1:
            for label, value in zip(row[::2], row[1::2], strict=True):
                if label.text and value.text and len(label.text) <= LONGEST_LABEL:
                    yield label.text.replace("\n", " ").rstrip(":： "), value.text


def spread(rows: Sequence[Row]) -> list[list[Cell | None]]:
    """The rows with each cell in all the columns and rows that it reaches into; None where a row has no cell."""
    made = list[list[Cell | None]]()
    below: dict[int, tuple[int, Cell]] = {}  # by column, up to which row a cell above reaches
    for number, row in enumerate(rows):
        cells, given = list[Cell | None](), list(row)
        while given or below.get(len(cells), (-1, None))[0] >= number:
            last, above = below.get(len(cells), (-1, None))
            if last >= number:
                cells.append(above)
                continue
            cell = given.pop(0)
            if cell.high > 1:
                columns = range(len(cells), len(cells) + cell.wide)
                below |= dict.fromkeys(columns, (number + cell.high - 1, cell))
            cells += [cell] * cell.wide
        made.append(cells)
    return made


def grid_of(rows: Sequence[Row]) -> tuple[list[tuple[int, list[str]]], tuple[MergedRange, ...]]:
    """Its rows as wide as they are, the cells that another reaches into empty, and the ranges of high ones."""
    lines, merged, seen = list[tuple[int, list[str]]](), list[MergedRange](), set[int]()
    for number, cells in enumerate(spread(rows), 1):
        texts: list[str] = []
        for column, cell in enumerate(cells, 1):
            is_new = cell is not None and id(cell) not in seen
            texts.append(" ".join(cell.text.split("\n")) if cell and is_new else "")
            if cell and is_new and cell.high > 1:
                merged.append(MergedRange(number, number + cell.high - 1, column))
            seen.add(id(cell))
        lines.append((number, texts))
    return lines, tuple(merged)


def lines_in(rows: Sequence[Row], options: ReadOptions) -> list[tuple[str, str, str]] | None:
    """(title, who, line) of a table under a heading for lines: of its column for them, or the other one of two.

    A column in the language of the character's name is one for lines, too. Who says it is empty where no column is for
    that. None where no column is known to hold lines. What is as wide as the title and the line is a title of others.
    """
    head = rows[0] if all(cell.is_head for cell in rows[0]) else ()
    column = next((at for at, cell in enumerate(head) if SAID.fullmatch(cell.text.strip())), None)
    languages = [cell.text.strip() for cell in head if is_language(cell.text)]
    if column is None and languages and (chosen := language_for(languages, options)):
        column = next(at for at, cell in enumerate(head) if cell.text.strip() == chosen)
    if column is None:  # what others say may have columns of its own
        names = short_names({*map(spelling, options.names)})
        column = next((at for at, cell in enumerate(head) if spelling(cell.text) in names), None)
    if column is None and max(map(len, rows)) == 2:
        column = 1
    if column is None:
        return None
    speaker = next((at for at, cell in enumerate(head) if SPEAKS.fullmatch(cell.text.strip()) and at != column), None)
    found = list[tuple[str, str, str]]()
    for cells in spread(rows)[bool(head) :]:
        title, line = cells[0], cells[column] if column < len(cells) else None
        who = cells[speaker] if speaker is not None and speaker < len(cells) else None
        if line and line.text and (line is not title or not column):
            called = title.text.split("\n")[0] if title and column and speaker != 0 else ""
            found.append((called, who.text.replace("\n", " ") if who else "", line.text))
    return found
