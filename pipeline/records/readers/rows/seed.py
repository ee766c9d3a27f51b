"""Lines and settings: {"source_title", "speaker", "text"}, {"input", "speaker", "text"}, {"question", "answer"}."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipeline.records.raw import CHARACTER, UNNAMED, RawRecord, ReadOptions, string
from pipeline.records.readers.tables.no_lines import is_error_value, reason_of_no_line, without_row_marks

NO_SPEAKER = "a row without a speaker"
# The dress of a script that a name has kept in its cell: 【顾惜川】, 顾惜川：; 「仆人」 is what somebody is called.
DRESSED = re.compile(r"【(?P<name>[^【】]+)】[:：]?|\[(?P<square>[^\[\]]+)\][:：]?|(?P<before>[^:：]+)[:：]")


def read_row(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """One line, or one passage or answer with what it is asked by."""
    speaker = string(source, row, "speaker", required=True)
    text = string(source, row, "text", required=True)
    scene, asked = _title(source, row, "source_title"), _title(source, row, "input")
    speaker = "" if is_error_value(speaker) else _undressed(speaker, options.names)
    unusable = ("" if speaker else NO_SPEAKER) or reason_of_no_line(text, row)
    text = text if unusable or asked else without_row_marks(text)
    yield RawRecord(source, speaker or UNNAMED, text, asked=asked, scene=scene, unusable=unusable)


def _undressed(speaker: str, names: Collection[str]) -> str:
    """The name in its dress; a quoted one may be another's code name, unless it is the character's."""
    for name in (speaker, speaker.strip("「」")):
        if name in names:
            return name
    found = DRESSED.fullmatch(speaker)
    return next(filter(None, found.groups())).strip() if found else speaker


def _title(source: str, row: Mapping[str, Any], key: str) -> str:
    """The title of a row; nothing where a formula has failed."""
    title = string(source, row, key)
    return "" if is_error_value(title) else title


def read_setting(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """The same of a file that names no speaker, since all of it is about the character."""
    yield from read_row(source, {"speaker": CHARACTER, **row}, options)


def read_answer(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """An answer with its question, the character's unless the row names somebody."""
    string(source, row, "question", required=True)
    renamed = {"question": "input", "answer": "text"}
    yield from read_setting(source, {renamed.get(key, key): value for key, value in row.items()}, options)
