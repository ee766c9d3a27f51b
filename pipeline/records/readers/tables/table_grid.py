"""A sheet's or a document's table as rows of cells: where its header stands, and what merged cells hold."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipeline.records.raw import ReadOptions
from pipeline.records.readers.tables.merged_cells import FILLED, LINES_ABOVE, SPEAKER, column_for
from pipeline.records.readers.tables.script_table import script_columns
from pipeline.records.readers.tables.table_forms import Table, is_known, is_readable

Lines = Sequence[tuple[int, list[str]]]  # (number, cells) of rows


@dataclass(frozen=True, slots=True)
class MergedRange:
    """The first and the last row, and the column of a merged range's value, all counted from 1."""

    first: int
    last: int
    column: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's rows with their numbers, blank ones too, its place, and the names of its file and sheet.

    `mark` stands between its place and the number of a row.
    """

    source: str
    lines: Lines
    called: tuple[str, ...]
    merged: tuple[MergedRange, ...] = ()
    mark: str = "!"

    def place(self, number: int) -> str:
        """The place of a row."""
        return f"{self.source}{self.mark}{number}"

    def said(self) -> Lines:
        """The rows that are not blank."""
        return [(number, cells) for number, cells in self.lines if any(cells)]


def find_header(grid: Grid, options: ReadOptions) -> int | None:
    """The number of the first of its first ten rows that is a known header; None where none is, or rows belie it."""
    top = grid.said()[:LINES_ABOVE]
    found = next((number for number, cells in top if is_known(_names(cells), grid.called, options)), None)
    if found is None:
        return None
    uncounted = replace(options, remarks=Counter())
    return found if is_readable(table_below(grid, found, uncounted), uncounted) else None


def lines_above(grid: Grid, header: int) -> list[tuple[str, str]]:
    """(place, text) of the rows above the header."""
    above = [(number, cells) for number, cells in grid.said() if number < header]
    return [(grid.place(number), ", ".join(filter(None, cells))) for number, cells in above]


def table_below(grid: Grid, header: int, options: ReadOptions) -> Table:
    """The table below the header; each row of a merged speaker or scene has it, and such speakers are counted.

    What stands in a column without a name is under the key "", so that it is counted.
    """
    cells = next((cells for number, cells in grid.lines if number == header), [])
    names = _names(cells)
    speaker = column_for(names, SPEAKER, options)
    columns = script_columns(names, options)
    filled = {name for name in (speaker, *(columns.bounds if columns else ())) if name}
    below = [(number, list(row)) for number, row in grid.lines if number > header]
    is_merged = False
    for one in (one for one in grid.merged if one.first > header and one.column <= len(cells)):
        if (name := cells[one.column - 1]) in filled:
            count = _fill(below, one)
            options.remarks[FILLED] += count * (name == speaker)
            is_merged = is_merged or (name == speaker and count > 0)
    rows = [(grid.place(number), _row(cells, row)) for number, row in below]
    return Table(names, partial(iter, rows), grid.called, is_merged=is_merged)


def _fill(rows: Lines, one: MergedRange) -> int:
    """Put a merged range's value into its other rows that are not blank; how many there are."""
    inside = [row for number, row in rows if one.first <= number <= one.last]
    value = inside[0][one.column - 1] if inside and len(inside[0]) >= one.column else ""
    others = [row for row in inside[1:] if value and any(row) and len(row) >= one.column and not row[one.column - 1]]
    for row in others:
        row[one.column - 1] = value
    return len(others)


def _row(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    pairs = itertools.zip_longest(header, cells, fillvalue="")
    return {key: cell for key, cell in pairs if key or cell} if any(cells) else {}


def _names(cells: Sequence[str]) -> list[str]:
    return [name for name in cells if name]
