"""Tables, comma- or tab-separated: rows of any known form under a line of their keys."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows import KNOWN_KEYS, form_of, read_rows

DELIMITERS = (",", "\t", ";", "|")


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether its name says so, or its first line has two columns or more, known ones among them."""
    if not file.encoding:
        return False
    if file.path.suffix.lower() in (".csv", ".tsv"):
        return True
    columns = header(file)
    known = {*KNOWN_KEYS, *options.columns.values()} & {*columns}
    return len(columns) > 1 and bool(known or form_of(dict.fromkeys(columns, "")))


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of every row."""
    yield from read_rows(table_rows(file), options)


def header(file: RawFile) -> list[str]:
    """The names of its columns: what stands in its first line."""
    line = _first_line(file)
    return _split(line, _delimiter(line))


def table_rows(file: RawFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Its rows, each with its place.

    Raises:
        UnderstudyError: a row has more fields than there are columns, or a quotation mark is left open.
    """
    lines = (f"{line}\n" for _, line in file.lines())
    reader = csv.DictReader(lines, delimiter=_delimiter(_first_line(file)), strict=True)
    try:
        for row in reader:
            where = f"{file.path}:{reader.line_num}"
            if None in row:
                raise UnderstudyError(
                    where, f"has {len(row[None])} fields more than the first line", fix="quote what holds a separator"
                )
            yield where, {key: value for key, value in row.items() if value is not None}
    except csv.Error as error:
        raise UnderstudyError(f"{file.path}:{reader.line_num}", f"is no table ({error})", fix="repair it") from error


def _first_line(file: RawFile) -> str:
    return next((line for _, line in file.lines()), "")


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
