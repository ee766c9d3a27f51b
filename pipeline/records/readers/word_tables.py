"""The tables of a Word document: a script or other rows under a header, people, a profile in pairs, lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.records.names import spelling
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions
from pipeline.records.readers.merged_cells import ABOVE
from pipeline.records.readers.people_table import NAMES, profile
from pipeline.records.readers.table_forms import read_table
from pipeline.records.readers.table_grid import Grid, find_header, lines_above, table_below
from pipeline.records.readers.transcript import LABEL

PAIRS = 4  # cells of a row that is two pairs of a label and what it says
CLOCK = re.compile(r"(?:[上下]午)?\s?\d{1,2}[:：]\d{2}(?:[:：]\d{2})?")
LEAST_LABELS = 2


def read_grid(grid: Grid, options: ReadOptions, title: str) -> Iterator[RawRecord] | None:
    """The records of a table with a header, or of people in rows or columns; None where it is neither."""
    header = find_header(grid, options)
    if header is not None:
        return _below(grid, header, options, title)
    said = [cells for _, cells in grid.said()]
    if _is_transposed(said):
        return _people_in_columns(grid)
    return None


def _below(grid: Grid, header: int, options: ReadOptions, title: str) -> Iterator[RawRecord]:
    for place, text in lines_above(grid, header):
        yield RawRecord(place, UNNAMED, text, unusable=ABOVE)
    table = replace(table_below(grid, header, options), title=title, is_surely_script=True)
    yield from read_table(table, options)


def _is_transposed(rows: Sequence[Sequence[str]]) -> bool:
    """Whether its first column holds the labels of a profile, and each other one a person."""
    if len(rows) < LEAST_LABELS + 1 or min(map(len, rows)) < 3:
        return False
    corner, labels = spelling(rows[0][0]), [row[0].strip() for row in rows[1:]]
    named = not corner or corner in NAMES or LABEL.fullmatch(corner) is not None
    return (
        named and sum(LABEL.fullmatch(label) is not None for label in labels) * 2 > len(labels) and _are_names(rows[0])
    )


def _are_names(cells: Sequence[str]) -> bool:
    return all(cell and not LABEL.fullmatch(cell.strip()) for cell in cells[1:])


def _people_in_columns(grid: Grid) -> Iterator[RawRecord]:
    first, *rows = grid.said()
    for column, person in list(enumerate(first[1]))[1:]:
        yield profile(grid.place(first[0]), person, {cells[0]: cells[column] for _, cells in rows})


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
