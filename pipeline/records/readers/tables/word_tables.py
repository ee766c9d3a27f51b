"""The tables of a Word document: a script or other rows under a header, people, a profile in pairs, lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions
from pipeline.records.readers.scripts.transcript import LABEL
from pipeline.records.readers.tables.merged_cells import ABOVE
from pipeline.records.readers.tables.profile_sheet import (
    MODULE,
    are_columns_of_people,
    is_sheet_of_one,
    read_columns,
    read_sheet,
)
from pipeline.records.readers.tables.table_forms import read_table
from pipeline.records.readers.tables.table_grid import (
    Grid,
    find_header,
    lines_above,
    table_below,
)

PAIRS = 4  # cells of a row that is two pairs of a label and what it says
CLOCK = re.compile(r"(?:[上下]午)?\s?\d{1,2}[:：]\d{2}(?:[:：]\d{2})?")


def read_grid(grid: Grid, options: ReadOptions, title: str) -> Iterator[RawRecord] | None:
    """The records of a table with a header, or of people in rows or columns; None where it is neither."""
    header = find_header(grid, options)
    if header is not None:
        return _below(grid, header, options, title)
    if are_columns_of_people(grid):
        return read_columns(grid, options)
    has_modules = any(MODULE.fullmatch(cell.strip()) for _, cells in grid.said()[:1] for cell in cells)
    return read_sheet(grid, options) if has_modules and is_sheet_of_one(grid, options) else None  # pairs are a page's


def _below(grid: Grid, header: int, options: ReadOptions, title: str) -> Iterator[RawRecord]:
    for place, text in lines_above(grid, header):
        yield RawRecord(place, UNNAMED, text, unusable=ABOVE)
    table = replace(table_below(grid, header, options), title=title, is_surely_script=True)
    yield from read_table(table, options)


def lines_of(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows as lines of a text: pairs of a label and what it says below one another, a chat's with tabs."""
    said = [[cell for cell in row if cell] for row in rows]
    labels = [row[at].rstrip(":： ") for row in said for at in range(0, len(row), 2)]
    is_profile = all(len(row) % 2 == 0 for row in said) and max(map(len, said), default=0) >= PAIRS
    if is_profile and 2 * sum(LABEL.fullmatch(label) is not None for label in labels) > len(labels):
        yield from (f"{row[at]} | {row[at + 1]}" for row in said for at in range(0, len(row), 2))
    elif all(len(row) == 3 and CLOCK.fullmatch(row[0]) for row in said):
        yield from ("\t".join(row) for row in said)
    else:
        yield from (" | ".join(dict.fromkeys(row)).rstrip(" |") for row in rows)
