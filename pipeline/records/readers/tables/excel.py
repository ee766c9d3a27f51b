"""Excel workbooks: each sheet is a table, read with openpyxl where it is installed."""

from __future__ import annotations

import importlib.util
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.tables.merged_cells import ABOVE
from pipeline.records.readers.tables.profile_sheet import read_profiles
from pipeline.records.readers.tables.table_forms import read_table
from pipeline.records.readers.tables.table_grid import (
    Grid,
    MergedRange,
    find_header,
    lines_above,
    table_below,
)

ARCHIVE, OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORKBOOK = "xl/workbook.xml"
SUFFIXES = (".xlsx", ".xlsm")
MAX_UNPACKED = 1 << 28  # bytes of all of its parts: openpyxl holds the texts in memory
MAX_RATIO = 200  # unpacked to packed: sheets reach about 20, a bomb 1000
SMALL = 1 << 20  # below this any ratio will do
WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
MERGED = re.compile(rb'<(?:\w{1,8}:)?mergeCell ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
MAX_CELLS = 1 << 26  # of a sheet, the empty ones that openpyxl makes up between others too


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
    sheets = [sheet for sheet in _sheets(file) if len(sheet.said()) > 1]
    headers = [find_header(sheet, options) for sheet in sheets]
    profiles = [
        read_profiles(sheet, options) if header is None else None for sheet, header in zip(sheets, headers, strict=True)
    ]
    is_known = any(one is not None for one in (*profiles, *headers))
    for sheet, header, records in zip(sheets, headers, profiles, strict=True):
        first, cells = sheet.said()[0]
        if records is not None:
            yield from records
        elif header is None and is_known:
            yield RawRecord(sheet.place(first), UNNAMED, ", ".join(cells), unusable=_unknown(sheet, options))
        else:
            yield from _below(sheet, header or first, options)


def _below(sheet: Grid, header: int, options: ReadOptions) -> Iterator[RawRecord]:
    for source, text in lines_above(sheet, header):
        yield RawRecord(source, UNNAMED, text, unusable=ABOVE)
    yield from read_table(table_below(sheet, header, options), options)


def _unknown(sheet: Grid, options: ReadOptions) -> str:
    """Why a sheet is set aside; whether the character is named in it."""
    named = next(
        (name for name in options.names if any(name in cell for _, cells in sheet.lines for cell in cells)), None
    )
    return f"a sheet of no known form, in which {named} is named" if named else "a sheet of no known form"


def _sheets(file: RawFile) -> list[Grid]:
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
            merged = merged_ranges(data)
            for sheet in workbook.worksheets:
                sheet.reset_dimensions()  # what it claims of its size is not believed
                source = f"{file.path}#{sheet.title}"
                lines = list(_lines(source, sheet.iter_rows(values_only=True)))
                found.append(Grid(source, lines, (file.path.stem, sheet.title), merged.get(sheet.title, ())))
    except UnderstudyError:
        raise
    except Exception as error:  # openpyxl checks little, and raises whatever a broken part leads to
        raise UnderstudyError(
            file.path, f"is no sound workbook ({' '.join(str(error).split())[:200]})", fix="save it again, or as csv"
        ) from error
    return found


def merged_ranges(data: bytes) -> dict[str, tuple[MergedRange, ...]]:
    """The ranges of several rows that each sheet merges, by its title.

    openpyxl has them only where it holds all cells in memory.
    """
    from openpyxl.packaging.relationship import get_dependents
    from openpyxl.packaging.workbook import WorkbookPackage
    from openpyxl.xml.functions import fromstring

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if WORKBOOK not in archive.namelist():
            return {}
        parts = get_dependents(archive, RELATIONS)
        sheets = WorkbookPackage.from_tree(fromstring(archive.read(WORKBOOK))).sheets
        found = {sheet.name: MERGED.findall(archive.read(parts.get(sheet.id).target)) for sheet in sheets}
    return {title: tuple(_ranges(cells)) for title, cells in found.items()}


def _ranges(cells: Iterable[tuple[bytes, bytes, bytes]]) -> Iterator[MergedRange]:
    """Those of several rows among merged cells, each with its column and its first and last row."""
    for column, first, last in cells:
        if int(last) > int(first):
            yield MergedRange(int(first), int(last), _column_number(column))


def _column_number(letters: bytes) -> int:
    """The number of a column, from 1: of AB 28."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _lines(source: str, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of every row; of blank rows the cells are none.

    Raises:
        UnderstudyError: there are too many cells.
    """
    cells_read = 0
    for number, values in enumerate(rows, 1):
        cells_read += len(values) + 1
        if cells_read > MAX_CELLS:
            raise UnderstudyError(f"{source}!{number}", f"has over {MAX_CELLS} cells", fix="save the sheet as csv")
        cells = [_text(value) for value in values]
        yield number, cells if any(cells) else []


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
