"""JSON: a list of rows, one row a line, or a single row."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile, first_char, looks_like_json
from pipeline.records.readers.rows.row_forms import form_of, read_rows
from pipeline.records.shape import describe_shape

EMPTY = re.compile(r"[\s\ufeff]*(?:\[\s*\]|\{\s*\})\s*")
WHITE_SPACE = re.compile(r"[ \t\r\n]*")
MOST_KEYS = 8  # that an error names
SHORT = 60  # characters
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
    if not file.head.strip():
        raise UnknownFormError(file.path, "is empty", fix="export it again, or take it out")
    if EMPTY.fullmatch(file.beginning):
        raise UnknownFormError(file.path, "is an empty list or object", fix="export it again, or take it out")
    try:
        yield from read_rows(_rows(file), options)
    except UnknownFormError as error:
        where, what, _ = error.parts
        shape = describe_shape([value for _, value in json_documents(file)], file.path.name, options.names)
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
    elif isinstance(first := first_line(file), dict) and (not _rows_within(first) or _has_several_lines(file)):
        yield from json_lines(file)
    else:
        document = json_document(file)
        own = document if isinstance(document, dict) else {}
        if not (rows := [("0", own)] if form_of(own) else _rows_within(own)):
            named = ", ".join(map(str, list(own)[:MOST_KEYS]))
            what = f"has {named}, which is no known form" if named else "is not a list of records"
            raise UnknownFormError(file.path, what, fix='write it as [{"speaker": ..., "text": ...}, ...]')
        yield from ((f"{file.path}#{place}", row) for place, row in rows)


def _has_several_lines(file: RawFile) -> bool:
    return len(list(itertools.islice((line for _, line in file.lines() if line.strip()), 2))) > 1


def _rows_within(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(place, row) of the lists in a document, or of a document that gives each question its answer; else nothing."""
    lists = {key: rows for key, rows in document.items() if _are_exchanges(rows)}
    if lists and all(_is_short(value) for key, value in document.items() if key not in lists):
        return [(f"{key}.{number}", row) for key, rows in lists.items() for number, row in enumerate(rows)]
    if all(isinstance(text, str) for text in document.values()) and _are_questions(document):
        return [(str(number), {"question": one, "answer": document[one]}) for number, one in enumerate(document)]
    return []


def _are_exchanges(value: Any) -> bool:
    """Whether it is a list of rows that stand each for itself; lines may be a scene, which a map says."""
    forms = {(form_of(one) if isinstance(one, dict) else None) for one in value} if isinstance(value, list) else set()
    return bool(forms) and all(form is not None and form.name != "line" for form in forms)


def _is_short(value: Any) -> bool:
    """Whether it is a name, a number or a date, not a text that would be lost."""
    return not isinstance(value, dict | list) and len(str(value)) < SHORT


def _are_questions(keys: Iterable[str]) -> bool:
    """Whether most of them end with a question mark."""
    asked = [key.rstrip().endswith(("?", "？")) for key in keys]
    return 2 * sum(asked) > len(asked)


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
