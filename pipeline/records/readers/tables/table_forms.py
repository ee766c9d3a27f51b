"""What a table is, by the names of its columns: a script, a list of one's lines, of people, or rows of a known form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from pipeline.records.column_advice import describe_columns
from pipeline.records.names import spelling
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.readers.chats.chat_rows import are_dated_lines, is_chat, read_messages
from pipeline.records.readers.rows.row_forms import read_rows
from pipeline.records.readers.tables.localisation import with_language
from pipeline.records.readers.tables.merged_cells import SPEAKER, TEXT, cell, column_for, is_header, with_speakers
from pipeline.records.readers.tables.people_table import comes_once, is_of_people, read_people
from pipeline.records.readers.tables.script_table import (
    DOUBTFUL,
    TAKEN,
    judge,
    read_script,
    script_columns,
    without_spacing,
)
from pipeline.records.readers.tables.speech_columns import LONGEST_NAME, may_be_speech, with_speech
from pipeline.records.shape import SPEAKERS

SAMPLED_ROWS = 100
REMARKS = {"script": TAKEN, "doubtful": DOUBTFUL}
Rows = Iterable[tuple[str, Mapping[str, Any]]]
# What a file or a sheet of one character's lines is called besides its name: 陆沉舟语音表_v2, Mira's lines (final).
OF_LINES = re.compile(
    r"(?:'s|’s|的|角色|全|所有|完整|游戏|遊戲)*(?:语音|語音|台词|臺詞|台詞|语录|語錄|对白|對白|配音|voices?|lines?|quotes?|"
    r"dialogues?|vo|voice ?overs?)*(?:表|集|列表|清单|清單|文本|list|sheet|lines?|台词|台詞)*",
    re.IGNORECASE,
)
NOT_WORDS = re.compile(
    r"[\W\d_]+|(?<![a-z])(?:final|v|ver|new|copy|sheet|工作表)(?![a-z])|最终版?|最終版?|定稿|副本", re.IGNORECASE
)
LINE_TITLES = (
    "标题", "標題", "语音标题", "語音標題", "语音名", "语音名称", "條目", "条目", "场合", "場合", "情境", "场景",
    "場景", "title", "occasion", "event", "when", "trigger",
)  # fmt: skip
VOICED = frozenset(
    {"语音", "語音", "语音内容", "語音內容", "语音文本", "語音文本", "台词文本", "voice line", "voiceline"}
)
# What may name a speaker, in no common words, without marks between them: then the lines are not one's.
MAY_SPEAK = frozenset(name.replace("_", "") for name in SPEAKERS) | {"讲述人", "講述人", "说话", "說話", "saidby"}
BETWEEN_WORDS = re.compile(r"[\W_]+")
MOST_NAMED = 8  # columns in an error


@dataclass(frozen=True, slots=True)
class Table:
    """The names of a table's columns, its rows with their places, blank ones empty, and the names of file and sheet.

    `title` is that of a scene without its own; `is_merged` says that the cells of its speakers are filled in already,
    `is_surely_script` that it stands in a document in which nobody keeps a dump.
    """

    names: Sequence[str]
    rows: Callable[[], Rows]
    called: Sequence[str]
    title: str = ""
    is_merged: bool = False
    is_surely_script: bool = False


def is_known(names: Sequence[str], called: Sequence[str], options: ReadOptions) -> bool:
    """Whether the names of the columns are those of a table that can be read."""
    options = with_language(names, options)
    return (
        _is_chat(names, options)
        or is_header(names, options)
        or is_of_people(names)
        or _text_of_one(names, called, options) is not None
        or may_be_speech(names, options)
    )


def is_readable(table: Table, options: ReadOptions) -> bool:
    """Whether a table with such columns is what their names say, for its rows may be several people's or lines."""
    if _is_chat(table.names, options) or is_header(table.names, with_language(table.names, options)):
        return True
    if is_of_people(table.names):
        return comes_once(table.rows(), table.names)
    return is_of_lines(table, options)


def is_of_lines(table: Table, options: ReadOptions) -> bool:
    """Whether it is a list of one's lines by its file's name, or of several people's by its rows."""
    text = _text_of_one(table.names, table.called, options)
    if text and not _is_of_several(table, options):
        return True
    return with_speech(table.names, table.rows, table.called, options) is not options


def read_table(table: Table, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of a table, by what it is."""
    options = with_language(table.names, options, count=True)
    if _is_chat(table.names, options):
        yield from read_messages(table.rows, table.names, options)
    elif is_header(table.names, options):
        yield from _read_known(table, options)
    elif is_of_people(table.names) and comes_once(table.rows(), table.names):
        yield from read_people(table.rows(), table.names, options)
    elif (text := _text_of_one(table.names, table.called, options)) and not _is_of_several(table, options):
        yield from read_rows(_lines_of_one(table, text), options)
    elif (spoken := with_speech(table.names, table.rows, table.called, options)) is not options:
        yield from _read_known(table, spoken)
    else:
        yield from _read_unknown(table, options)


def _is_chat(names: Sequence[str], options: ReadOptions) -> bool:
    return is_chat(names, options) and not are_dated_lines(names, options)


def _read_unknown(table: Table, options: ReadOptions) -> Iterator[RawRecord]:
    """Its rows, which may be read for all that the names of the columns say.

    Raises:
        UnknownFormError: they are of no known form, or may be several people's; says which columns they suggest.
    """
    sample = list(islice(_not_blank(table.rows()), SAMPLED_ROWS))
    own = {spelling(name) for name in options.names}
    naming = (pair for pair in table.rows() if own & {spelling(cell(pair[1], name)) for name in pair[1]})
    fix = describe_columns([row for _, row in (*sample, *islice(naming, 1))], options.names)
    if sample and (_may_name_speakers(table.names) or _is_of_several(table, options)):
        keys = ", ".join(table.names[:MOST_NAMED])
        raise UnknownFormError(sample[0][0], f"has {keys}, which is no known form", fix=fix)
    try:
        yield from read_rows(_not_blank(table.rows()), options)
    except UnknownFormError as error:
        where, what, _ = error.parts
        raise UnknownFormError(where, what, fix=fix) from error


def _read_known(table: Table, options: ReadOptions) -> Iterator[RawRecord]:
    rows = table.rows if table.is_merged else partial(with_speakers, table.rows, table.names, options)
    if columns := script_columns(table.names, options):
        spaced = without_spacing(table.rows)
        rows = spaced if table.is_merged else partial(with_speakers, spaced, table.names, options)
        uncounted, surely = rows if table.is_merged else spaced, table.is_surely_script
        found = judge(uncounted(), columns, table.called, is_ordered=table.is_merged, surely=surely)
        options.remarks.update([REMARKS[found]] if found in REMARKS else [])
        if found == "script":
            yield from read_script(rows(), columns, options, table.title)
            return
    yield from read_rows(_not_blank(rows()), options)


def _not_blank(rows: Rows) -> Rows:
    return ((where, row) for where, row in rows if any(cell(row, name) for name in row))


def _text_of_one(names: Sequence[str], called: Sequence[str], options: ReadOptions) -> str | None:
    """The column of a character's lines, where a table names no speaker and its file or its sheet is called after it.

    Nothing else but words for such a list may stand in these names: 陆沉舟与顾里 are two, and 陆沉舟设定 is no list.
    """
    if column_for(names, SPEAKER, options) or not _is_of_character(called, options):
        return None
    if _may_name_speakers(names):
        return None
    voiced = next((name for name in names if name.strip().lower() in VOICED), None)
    return column_for(names, TEXT[:1], options) or voiced


def _may_name_speakers(names: Sequence[str]) -> bool:
    return any(BETWEEN_WORDS.sub("", name.lower()) in MAY_SPEAK for name in names)


def _is_of_several(table: Table, options: ReadOptions) -> bool:
    """Whether a column of short texts has the character's name, and others."""
    own = {spelling(name) for name in options.names}
    text = _text_of_one(table.names, table.called, options)
    found: dict[str, set[str]] = {name: set() for name in table.names if name != text}
    for _, row in table.rows():
        for name, values in found.items():
            values.add(spelling(cell(row, name)))
    named = [values - {""} for values in found.values() if values & own]
    return any(len(values) > 1 and max(map(len, values)) <= LONGEST_NAME for values in named)


def _is_of_character(called: Sequence[str], options: ReadOptions) -> bool:
    names = sorted(map(spelling, options.names), key=len)[::-1]
    rest = [spelling(one) for one in called]
    for name in names:
        named = [one.replace(name, " ", 1) for one in rest]
        if named != rest:
            return all(OF_LINES.fullmatch(NOT_WORDS.sub("", one)) for one in named)
    return False


def _lines_of_one(table: Table, text: str) -> Rows:
    title = next((name for name in table.names if name.strip().lower() in LINE_TITLES), None)
    for where, row in _not_blank(table.rows()):
        rest = {name: value for name, value in row.items() if name not in (text, title)}
        titled = {"source_title": row.get(title, "")} if title else {}
        yield where, {"speaker": CHARACTER, "text": row.get(text, ""), **titled, **rest}
