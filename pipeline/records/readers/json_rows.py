"""JSON: a list of rows, one row a line, or a single row."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile, first_char, looks_like_json
from pipeline.records.readers.rows import form_of, read_rows
from pipeline.records.shape import describe_shape

EMPTY = re.compile(r"[\s\ufeff]*(?:\[\s*\]|\{\s*\})\s*")
WHITE_SPACE = re.compile(r"[ \t\r\n]*")
# Files that `datasets` writes beside the rows of a dataset.
DATASET_METADATA = ("dataset_info.json", "state.json", "dataset_dict.json")


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it begins like JSON, or its name says so."""
    if not file.encoding or file.path.name in DATASET_METADATA:
        return False
    called = file.path.suffix.lower() in (".json", ".jsonl", ".ndjson")
    return called or looks_like_json(file)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of every row.

    Raises:
        UnknownFormError: one is of no known form, or there is none; says what shape the file has.
    """
    if EMPTY.fullmatch(file.head.decode(file.encoding or "utf-8", errors="ignore")):
        raise UnknownFormError(file.path, "is an empty list or object", fix="export it again, or take it out")
    try:
        yield from read_rows(_rows(file), options)
    except UnknownFormError as error:
        where, what, _ = error.parts
        shape = describe_shape([value for _, value in json_documents(file)])
        raise UnknownFormError(where, what, fix=shape) from error


def json_documents(file: RawFile) -> Iterator[tuple[str, Any]]:
    """(place, value) of the file's one value, or of each of its lines.

    Raises:
        UnderstudyError: it is broken.
    """
    if first_char(file) == "{" and isinstance(first_line(file), dict):
        yield from json_lines(file)
    else:
        yield str(file.path), json_document(file)


def first_line(file: RawFile) -> Any:
    """The JSON value of the first line that is not blank; None if it has none."""
    for _, line in itertools.islice(file.lines(), 20):
        if line.strip():
            try:
                return json.loads(line)
            except (ValueError, RecursionError):
                return None
    return None


def json_document(file: RawFile) -> Any:
    """The file as one JSON value.

    Raises:
        UnderstudyError: it is no JSON.
    """
    text = file.text()
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise broken(file, text, error) from error


def broken(file: RawFile, text: str, error: Exception, offset: int = 0) -> UnderstudyError:
    """The error for broken JSON, with its place."""
    position = offset + error.pos if isinstance(error, json.JSONDecodeError) else offset
    line, column = text.count("\n", 0, position) + 1, position - (text.rfind("\n", 0, position) + 1) + 1
    what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return UnderstudyError(
        f"{file.path}:{line}:{column}", f"is broken JSON ({what})", fix="repair the file at that place"
    )


def json_lines(file: RawFile) -> Iterator[tuple[str, Any]]:
    """(place, value) of every line.

    Raises:
        UnderstudyError: a line is broken.
    """
    for number, line in file.lines():
        if line.strip():
            try:
                yield f"{file.path}:{number}", json.loads(line)
            except (ValueError, RecursionError) as error:
                column = error.pos + 1 if isinstance(error, json.JSONDecodeError) else 1
                raise UnderstudyError(
                    f"{file.path}:{number}:{column}", f"is broken JSON ({error})", fix="repair the line, or delete it"
                ) from error


def _rows(file: RawFile) -> Iterator[tuple[str, Any]]:
    if first_char(file) == "[":
        yield from _elements(file)
    elif isinstance(first_line(file), dict):
        yield from json_lines(file)
    else:
        document = json_document(file)
        if not isinstance(document, dict) or form_of(document) is None:
            raise UnknownFormError(
                file.path, "is not a list of records", fix='write it as [{"speaker": ..., "text": ...}, ...]'
            )
        yield f"{file.path}#0", document


def _elements(file: RawFile) -> Iterator[tuple[str, Any]]:
    """(place, element) of a list, decoded one after another, so that they are never in memory together."""
    text, decoder = file.text(), json.JSONDecoder()
    position = _skip(text, text.index("[") + 1)
    more = text[position : position + 1] != "]"
    for number in itertools.count():
        if not more:
            break
        try:
            element, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise broken(file, text, error, 0 if isinstance(error, json.JSONDecodeError) else position) from error
        yield f"{file.path}#{number}", element
        position = _skip(text, position)
        more = text[position : position + 1] == ","
        position = _skip(text, position + more)
    if text[position : position + 1] != "]":
        raise broken(file, text, json.JSONDecodeError("Expecting ',' delimiter", text, position))
    if (end := _skip(text, position + 1)) != len(text):
        raise broken(file, text, json.JSONDecodeError("Extra data", text, end))


def _skip(text: str, position: int) -> int:
    """The next position that holds no white space."""
    match = WHITE_SPACE.match(text, position)
    return match.end() if match else position
