"""Excel workbooks: each sheet is a table, read with openpyxl where it is installed."""

from __future__ import annotations

import importlib.util
import io
import itertools
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows import form_of, read_rows

ARCHIVE, OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORKBOOK = "xl/workbook.xml"
SUFFIXES = (".xlsx", ".xlsm")
MAX_UNPACKED = 1 << 28  # bytes of all of its parts: openpyxl holds the texts in memory
MAX_RATIO = 200  # unpacked to packed: sheets reach about 20, a bomb 1000
SMALL = 1 << 20  # below this any ratio will do
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
    sheets = {title: rows for title, rows in _sheets(file).items() if rows}
    ours = {theirs: name for name, theirs in options.columns.items()}
    known = [title for title, rows in sheets.items() if form_of({ours.get(key, key): "" for key in rows[0][1]})]
    for title, rows in sheets.items():
        if title in known or not known:
            yield from read_rows(rows, options)
        else:
            source, row = rows[0]
            yield RawRecord(source, UNNAMED, ", ".join(row), unusable="a sheet of no known form")


def _sheets(file: RawFile) -> dict[str, list[tuple[str, dict[str, str]]]]:
    """The rows of every sheet by its title."""
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
    found = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations, which no text needs
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            for sheet in workbook.worksheets:
                sheet.reset_dimensions()  # what it claims of its size is not believed
                found[sheet.title] = _rows(f"{file.path}#{sheet.title}", sheet.iter_rows(values_only=True))
    except UnderstudyError:
        raise
    except Exception as error:  # openpyxl checks little, and raises whatever a broken part leads to
        raise UnderstudyError(
            file.path, f"is no sound workbook ({' '.join(str(error).split())[:200]})", fix="save it again, or as csv"
        ) from error
    return found


def _rows(source: str, rows: Iterable[Sequence[Any]]) -> list[tuple[str, dict[str, str]]]:
    """(place, row) of every row that is not empty, below the first, which names the columns.

    What stands in a column without a name is under the key "", so that it is counted.

    Raises:
        UnderstudyError: there are too many cells.
    """
    found: list[tuple[str, dict[str, str]]] = []
    header: list[str] = []
    cells_read = 0
    for number, values in enumerate(rows, 1):
        cells_read += len(values) + 1
        if cells_read > MAX_CELLS:
            raise UnderstudyError(f"{source}!{number}", f"has over {MAX_CELLS} cells", fix="save the sheet as csv")
        cells = [_text(value) for value in values]
        if not any(cells):
            continue
        if header:
            pairs = itertools.zip_longest(header, cells, fillvalue="")
            found.append((f"{source}!{number}", {key: cell for key, cell in pairs if key or cell}))
        else:
            header = cells
    return found


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
