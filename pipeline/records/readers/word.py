"""Word documents: their paragraphs and tables as the lines of a text, read with python-docx where it is installed."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import HEAD, RawFile
from pipeline.records.readers import asked, page, timed_log, transcript, whatsapp
from pipeline.records.readers.excel import ARCHIVE, check_unpacked

SUFFIX = ".docx"
TEXTS = (whatsapp, timed_log, asked, transcript, page)  # what a text may be, in the order of the readers
FIX = "save its text as .txt"


def is_installed() -> bool:
    """Whether there is a python-docx to read documents with."""
    return importlib.util.find_spec("docx") is not None


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a document by its name and signature."""
    return file.path.suffix.lower() == SUFFIX and file.head.startswith(ARCHIVE)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What its text is, read as such; a place is the number of a paragraph, or of a table's row.

    Raises:
        UnknownFormError: python-docx is not installed, or its text is of no known form.
        UnderstudyError: it is broken.
    """
    text = "\n".join(_lines(file))
    plain = replace(file, head=text.encode()[:HEAD], encoding="utf-8", held=text)
    reader = next((one for one in TEXTS if one.recognises(plain, options)), None)
    if reader is None:
        what = "is a Word document, and neither a script, questions and answers, nor a page about the character"
        raise UnknownFormError(file.path, what, fix="write `Name: line`, a line each, or begin with the name")
    yield from reader.read(plain, options)


def _lines(file: RawFile) -> Iterator[str]:
    """Its paragraphs, headings marked, and the rows of its tables, in their order."""
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
            yield from _of_table(part) if isinstance(part, docx.table.Table) else _of_paragraph(part)
    except Exception as error:  # python-docx checks little, and raises whatever a broken part leads to
        raise UnderstudyError(
            file.path, f"is no sound document ({' '.join(str(error).split())[:200]})", fix=FIX
        ) from error


def _of_paragraph(paragraph: Any) -> Iterator[str]:
    style = paragraph.style.name if paragraph.style is not None else ""
    is_heading = style.startswith(("Heading", "Title", "标题"))
    depth = next((int(char) for char in style if char.isdigit()), 1)
    for line in paragraph.text.split("\n"):  # a line break within it
        yield f"{'#' * min(depth, 6)} {line}" if is_heading and line.strip() else line


def _of_table(table: Any) -> Iterator[str]:
    for row in table.rows:
        cells = dict.fromkeys(cell.text.replace("\n", " ").strip() for cell in row.cells)  # a merged one comes twice
        yield " | ".join(cells)
