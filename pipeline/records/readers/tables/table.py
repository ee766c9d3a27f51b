"""Tables, comma- or tab-separated: rows of any known form under a line of their keys."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows.row_forms import KNOWN_KEYS
from pipeline.records.readers.tables.merged_cells import ABOVE, LINES_ABOVE, is_header
from pipeline.records.readers.tables.profile_sheet import read_profiles
from pipeline.records.readers.tables.table_forms import Table, is_known, is_of_lines, read_table
from pipeline.records.readers.tables.table_grid import Grid

FULL_WIDTH = "，"  # as typed for a comma; nobody quotes it
SUFFIXES = (".csv", ".tsv")
DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Header:
    """A table's first line of its own: its number, the names of the columns, and what separates them."""

    line: int
    names: tuple[str, ...]
    delimiter: str


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether its name says so, or its header has two columns or more, known ones among them."""
    if not file.encoding:
        return False
    if file.path.suffix.lower() in SUFFIXES:
        return True
    names = find_header(file, partial(is_header, options=options)).names
    known = {*KNOWN_KEYS, *options.columns.values()} & {*names}
    return len(names) > 1 and bool(known or is_header(names, options) or _has_tabs_between(file, options))


def _has_tabs_between(file: RawFile, options: ReadOptions) -> bool:
    """Whether it is a table of lines with tabs between its columns, as pasted from a spreadsheet into a text."""
    header = find_header(file, partial(is_known, called=(file.path.stem,), options=options))
    if header.delimiter != "\t" or not is_known(header.names, (file.path.stem,), options):
        return False
    try:
        return is_of_lines(Table(header.names, partial(table_rows, file, header), (file.path.stem,)), options)
    except UnderstudyError:
        return False  # a row has more columns, or marks of its own


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of every row; what stands above the header is set aside."""
    called = (file.path.stem,)
    # In another text a row of labels may be a page's.
    is_named = file.path.suffix.lower() in SUFFIXES or _has_tabs_between(file, options)
    known = partial(is_known, called=called, options=options) if is_named else partial(is_header, options=options)
    header = find_header(file, known)
    profiles = None if known(header.names) else read_profiles(_grid(file, header), options)
    if profiles is not None:
        yield from profiles
        return
    yield from lines_above(file, header)
    yield from read_table(Table(header.names, partial(table_rows, file, header), called), options)


def find_header(file: RawFile, is_known: Callable[[Sequence[str]], bool]) -> Header:
    """The first of the first ten lines whose names are known; where none is, the first line."""
    headers = [
        Header(number, tuple(_split(line, _delimiter(line))), _delimiter(line))
        for number, line in itertools.islice(file.lines(), LINES_ABOVE)
        if line.strip()
    ]
    return next((one for one in headers if is_known(one.names)), headers[0] if headers else Header(1, (), ","))


def lines_above(file: RawFile, header: Header) -> Iterator[RawRecord]:
    """What stands above the header, as records that cannot be used."""
    for number, line in itertools.islice(file.lines(), header.line - 1):
        if line.strip("".join((*DELIMITERS, FULL_WIDTH, " "))):
            yield RawRecord(f"{file.path}:{number}", UNNAMED, line.strip(), unusable=ABOVE)


def _grid(file: RawFile, header: Header) -> Grid:
    """The whole file as rows of cells; empty where it is no table."""
    lines = [(number, line) for number, line in file.lines() if line.strip()]
    rows = [(number, _split(line, header.delimiter)) for number, line in lines]
    is_whole = all(len(cells) == len(header.names) for _, cells in rows)
    return Grid(str(file.path), rows if is_whole else (), (file.path.stem,), mark=":")


def table_rows(file: RawFile, header: Header) -> Iterator[tuple[str, dict[str, Any]]]:
    """Its rows, each with its place; a blank line is an empty one.

    Raises:
        UnderstudyError: a row has more fields than there are columns, or a quotation mark is left open.
    """
    lines = (f"{line}\n" for number, line in file.lines() if number > header.line)
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    try:
        for cells in reader:
            where = f"{file.path}:{reader.line_num + header.line}"
            yield where, _row(where, cells, header)
    except csv.Error as error:
        where = f"{file.path}:{reader.line_num + header.line}"
        raise UnderstudyError(where, f"is no table ({error})", fix="repair it") from error


def _row(where: str, cells: Sequence[str], header: Header) -> dict[str, Any]:
    """The row's fields by their columns; what follows a full-width comma in the last one belongs to it."""
    row, more = dict(zip(header.names, cells, strict=False)), cells[len(header.names) :]
    if more and header.delimiter != FULL_WIDTH:
        raise UnderstudyError(
            where, f"has {len(more)} fields more than the first line", fix="quote what holds a separator"
        )
    if more:
        last = header.names[-1]
        row[last] = FULL_WIDTH.join([row[last], *more])
    return row


def _delimiter(line: str) -> str:
    most = max(DELIMITERS, key=line.count)
    return FULL_WIDTH if most not in line and FULL_WIDTH in line else most


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
