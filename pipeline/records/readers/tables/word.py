"""Word documents: their paragraphs and tables as the lines of a text, read with python-docx where it is installed."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.tables.excel import ARCHIVE, check_unpacked
from pipeline.records.readers.tables.table_grid import Grid
from pipeline.records.readers.tables.word_tables import lines_of, read_grid
from pipeline.records.readers.texts import TEXTS

SUFFIX = ".docx"
FIX = "save its text as .txt"
WRITE = "write `Name: line`, a line each, head the columns of its tables (角色, 台词), or begin with the name"
BESIDE = "a text beside tables, of no known form"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's text, its lines with the mark of a heading, and whether it is one."""

    text: str
    lines: list[str]
    is_heading: bool


def is_installed() -> bool:
    """Whether there is a python-docx to read documents with."""
    return importlib.util.find_spec("docx") is not None


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a document by its name and signature."""
    return file.path.suffix.lower() == SUFFIX and file.head.startswith(ARCHIVE)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What its tables and its text are, read as such; a place is the number of a paragraph, or of a table's row.

    Raises:
        UnknownFormError: python-docx is not installed, or nothing in it is of a known form.
        UnderstudyError: it is broken.
    """
    lines: list[str] = []
    of_tables: list[RawRecord] = []
    title = ""
    for part in _parts(file):
        if isinstance(part, Paragraph):
            lines += part.lines
            title = part.text if part.is_heading else title
            continue
        grid = Grid(f"{file.path}#{len(lines) + 1}", part, (file.path.stem, title))
        records = read_grid(grid, options, title)
        of_tables += records or ()
        lines += [""] * len(part) if records else lines_of([cells for _, cells in part])
    yield from _of_text(file, lines, options, has_tables=bool(of_tables))
    yield from of_tables


def _of_text(file: RawFile, lines: Sequence[str], options: ReadOptions, *, has_tables: bool) -> Iterator[RawRecord]:
    """What its text is beside its tables; where it is of no known form, its lines are set aside.

    Raises:
        UnknownFormError: it is of no known form, and there is no table.
    """
    text = "\n".join(lines)
    plain = file.holding(text)
    reader = next((one for one in TEXTS if one.recognises(plain, options)), None)
    if reader is not None:
        yield from reader.read(plain, options)
    elif has_tables:
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):  # a heading is the title of a table below it
                yield RawRecord(f"{file.path}:{number}", UNNAMED, line.strip(), unusable=BESIDE)
    else:
        named = next((name for name in options.names if name in text), None)
        what = "is a Word document, and neither a script, questions and answers, nor a page about the character"
        what += f"; {named} is named in it" if named else ""
        raise UnknownFormError(file.path, what, fix=WRITE)


def _parts(file: RawFile) -> Iterator[Paragraph | list[tuple[int, list[str]]]]:
    """Its paragraphs and the rows of its tables, in their order."""
    try:
        import docx
    except ImportError as error:
        raise UnknownFormError(
            file.path,
            "is a Word document, and python-docx, which reads it, is not installed",
            fix=f"run `pip install python-docx`, or {FIX}",
        ) from error
    data = file.read_bytes()
    check_unpacked(file, data, "document", fix=FIX)
    try:
        for part in docx.Document(io.BytesIO(data)).iter_inner_content():
            yield _rows_of(part) if isinstance(part, docx.table.Table) else _paragraph(part)
    except Exception as error:  # python-docx checks little, and raises whatever a broken part leads to
        raise UnderstudyError(
            file.path, f"is no sound document ({' '.join(str(error).split())[:200]})", fix=FIX
        ) from error


def _paragraph(paragraph: Any) -> Paragraph:
    style = paragraph.style.name if paragraph.style is not None else ""
    is_heading = style.startswith(("Heading", "Title", "标题", "標題")) and bool(paragraph.text.strip())
    depth = next((int(char) for char in style if char.isdigit()), 1)
    said = paragraph.text.split("\n")  # a line break within it
    lines = [f"{'#' * min(depth, 6)} {line}" if is_heading and line.strip() else line for line in said]
    return Paragraph(" ".join(paragraph.text.split()), lines, is_heading)


def _rows_of(table: Any) -> list[tuple[int, list[str]]]:
    """Its rows with their numbers; a cell that is merged with the one before it is empty."""
    found = []
    for number, row in enumerate(table.rows, 1):
        texts: list[str] = []
        for place, cell in enumerate(row.cells):  # a merged one comes as often as it is wide
            if place >= len(texts):
                texts += [cell.text.replace("\n", " ").strip(), *[""] * (cell.grid_span - 1)]
        found.append((number, texts))
    return found
