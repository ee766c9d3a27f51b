"""The tables of a web page: rows of cells, and which of them are labels with their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records.readers.pages.profile import is_label
from pipeline.records.readers.pages.wiki import SAID
from pipeline.records.readers.tables.table_grid import MergedRange
from pipeline.records.readers.web.elements import text_of
from pipeline.records.readers.web.page_content import is_left_out

LONGEST_LABEL, LEAST_ROWS, MOST_SPAN = 24, 2, 100
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
    """The labels and values of rows that are such pairs; what says nothing is left out."""
    for row in rows:
        if len(row) % 2 == 0 and len(row) > 1:
            for label, value in zip(row[::2], row[1::2], strict=True):
                if label.text and value.text and len(label.text) <= LONGEST_LABEL:
                    yield label.text.replace("\n", " ").rstrip(":： "), value.text


def grid_of(rows: Sequence[Row]) -> tuple[list[tuple[int, list[str]]], tuple[MergedRange, ...]]:
    """Its rows as wide as they are, the cells that another reaches into empty, and the ranges of high ones."""
    lines, merged = list[tuple[int, list[str]]](), list[MergedRange]()
    taken: dict[int, int] = {}  # by column, up to which row a cell above reaches
    for number, row in enumerate(rows, 1):
        texts: list[str] = []
        for cell in row:
            while taken.get(len(texts), 0) >= number:
                texts.append("")
            if cell.high > 1:
                merged.append(MergedRange(number, number + cell.high - 1, len(texts) + 1))
                taken |= dict.fromkeys(range(len(texts), len(texts) + cell.wide), number + cell.high - 1)
            texts += [" ".join(cell.text.split("\n")), *[""] * (cell.wide - 1)]
        lines.append((number, texts))
    return lines, tuple(merged)


def lines_in(rows: Sequence[Row]) -> list[tuple[str, str]] | None:
    """(title, line) of a table under a heading for lines: of its column for them, or the other one of two.

    None where no column is known to hold them.
    """
    head = rows[0] if all(cell.is_head for cell in rows[0]) else ()
    column = next((at for at, cell in enumerate(head) if SAID.fullmatch(cell.text.strip())), None)
    if column is None and max(map(len, rows)) == 2:
        column = 1
    if column is None:
        return None
    below = [row for row in rows[bool(head) :] if len(row) > column]
    return [(row[0].text.split("\n")[0] if column else "", row[column].text) for row in below if row[column].text]
