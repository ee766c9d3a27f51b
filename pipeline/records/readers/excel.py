"""Excel workbooks: each sheet is a table, read with openpyxl where it is installed."""

from __future__ import annotations

import importlib.util
import io
import itertools
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import partial
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.merged_cells import ABOVE, LINES_ABOVE, is_header, with_speakers
from pipeline.records.readers.rows import read_rows

ARCHIVE, OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORKBOOK = "xl/workbook.xml"
SUFFIXES = (".xlsx", ".xlsm")
MAX_UNPACKED = 1 << 28  # bytes of all of its parts: openpyxl holds the texts in memory
MAX_RATIO = 200  # unpacked to packed: sheets reach about 20, a bomb 1000
SMALL = 1 << 20  # below this any ratio will do
MAX_CELLS = 1 << 26  # of a sheet, the empty ones that openpyxl makes up between others too


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet's lines above its header, and its rows below it, each with its place."""

    above: list[tuple[str, str]]
    rows: list[tuple[str, dict[str, str]]]


def is_installed() -> bool:
    """Whether there is an openpyxl to read workbooks with."""
    return importlib.util.find_spec("openpyxl") is not None


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a workbook by its name and signature, or an archive with a workbook in it."""
    suffix = file.path.suffix.lower()
    if file.head.startswith(OLD):  # one with a password is such a file, too
        return suffix in (".xls", *SUFFIXES)
    if not file.head.startswith(ARCHIVE):
        return False
    try:
        with zipfile.ZipFile(file.path) as archive:
            return WORKBOOK in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return suffix in SUFFIXES


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of every row of every sheet; a sheet of another form, beside one that is read, is set aside.

    Raises:
        UnknownFormError: it is an old workbook, or openpyxl is not installed.
        UnderstudyError: it is broken.
    """
    sheets = [sheet for sheet in _sheets(file, options) if sheet.rows]
    known = [sheet for sheet in sheets if is_header(list(sheet.rows[0][1]), options)]
    for sheet in sheets:
        if sheet in known or not known:
            yield from (RawRecord(source, UNNAMED, text, unusable=ABOVE) for source, text in sheet.above)
            yield from read_rows(with_speakers(partial(iter, sheet.rows), list(sheet.rows[0][1]), options), options)
        else:
            source, row = sheet.rows[0]
            yield RawRecord(source, UNNAMED, ", ".join(row), unusable="a sheet of no known form")


def _sheets(file: RawFile, options: ReadOptions) -> list[Sheet]:
    """Every sheet."""
    if file.head.startswith(OLD):
        raise UnknownFormError(
            file.path,
            "is a workbook of Excel 97-2003, or one with a password",
            fix="save it as .xlsx or csv, without a password",
        )
    try:
        import openpyxl
    except ImportError as error:
        raise UnknownFormError(
            file.path,
            "is an Excel workbook, and openpyxl, which reads it, is not installed",
            fix="run `pip install openpyxl`, or save each sheet as csv",
        ) from error
    data = file.read_bytes()
    check_unpacked(file, data, "workbook", fix="save it again, or as csv")
    found = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations, which no text needs
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            for sheet in workbook.worksheets:
                sheet.reset_dimensions()  # what it claims of its size is not believed
                found.append(_sheet(f"{file.path}#{sheet.title}", sheet.iter_rows(values_only=True), options))
    except UnderstudyError:
        raise
    except Exception as error:  # openpyxl checks little, and raises whatever a broken part leads to
        raise UnderstudyError(
            file.path, f"is no sound workbook ({' '.join(str(error).split())[:200]})", fix="save it again, or as csv"
        ) from error
    return found


def _sheet(source: str, rows: Iterable[Sequence[Any]], options: ReadOptions) -> Sheet:
    """The sheet; its columns are named by the first of its first ten lines that is a known header, else by the first.

    What stands in a column without a name is under the key "", so that it is counted.
    """
    lines = list(_lines(source, rows))
    places = range(min(len(lines), LINES_ABOVE))
    first = next((place for place in places if is_header(lines[place][1], options)), 0)
    header = lines[first][1] if lines else []
    pairs = ((where, itertools.zip_longest(header, cells, fillvalue="")) for where, cells in lines[first + 1 :])
    return Sheet(
        [(where, ", ".join(filter(None, cells))) for where, cells in lines[:first]],
        [(where, {key: cell for key, cell in row if key or cell}) for where, row in pairs],
    )


def _lines(source: str, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, list[str]]]:
    """(place, cells) of every row that is not empty.

    Raises:
        UnderstudyError: there are too many cells.
    """
    cells_read = 0
    for number, values in enumerate(rows, 1):
        cells_read += len(values) + 1
        if cells_read > MAX_CELLS:
            raise UnderstudyError(f"{source}!{number}", f"has over {MAX_CELLS} cells", fix="save the sheet as csv")
        cells = [_text(value) for value in values]
        if any(cells):
            yield f"{source}!{number}", cells


def _text(value: object) -> str:
    """A cell as it would stand in a csv."""
    if value is None:
        return ""
    if isinstance(value, date | time):
        return value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def check_unpacked(file: RawFile, data: bytes, what: str, *, fix: str) -> None:
    """Its parts unpack to no more than an office program's do; none unpacks to more than it claims.

    Raises:
        UnderstudyError: they claim more, or it is no archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnderstudyError(file.path, f"is no sound {what} ({error})", fix=fix) from error
    if unpacked > MAX_UNPACKED or (unpacked > SMALL and unpacked > MAX_RATIO * len(data)):
        raise UnderstudyError(file.path, f"claims to unpack to {unpacked} bytes", fix=f"do not trust this file; {fix}")
