"""Localisation in JSON or YAML: `{"key": {"speaker": "Mira", "en": "...", "zh-CN": "..."}}`, or a list of such rows.

The texts may stand in a mapping of their own, `{"speaker": "Mira", "text": {"en": "...", "zh-CN": "..."}}`, and so may
the names of speakers. What is read is a table of these rows, as translators have it in a sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.column_words import WEAK
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.cards.webui_character import YAML
from pipeline.records.readers.rows.documents import documents
from pipeline.records.readers.rows.row_forms import OURS
from pipeline.records.readers.scripts.script_lines import STAGE_DIRECTION
from pipeline.records.readers.scripts.script_turns import DIRECTION
from pipeline.records.readers.tables.localisation import is_language, language_for, with_language
from pipeline.records.readers.tables.merged_cells import SPEAKER, column_for
from pipeline.records.readers.tables.table_forms import Table, read_table

LANGUAGE = (
    r"(?:zh|en|cn|ja|jp|ko|de|fr|es|it|pt|ru|pl|[cts]ch|chs|cht|german|deutsch|中文|简体|簡體|繁[體体]|英|日[文语語本]|[韩韓])"
    r"[\w -]{0,20}"
)
# With a quotation mark first, which JSON has and is soon found: a dump has thousands of files.
QUOTED_KEY = re.compile(rf'"{LANGUAGE}"\s*:', re.IGNORECASE)
PLAIN_KEY = re.compile(rf"(?:^|[\s{{,\"']){LANGUAGE}[\"']?\s*:", re.IGNORECASE | re.MULTILINE)
SPEAKER_KEY = re.compile(
    rf"[\"'\s{{,](?:{'|'.join(re.escape(word) for word, ours in OURS.items() if ours == 'speaker')})[\"']?\s*:",
    re.IGNORECASE,
)
# What a mapping of languages is called where it is what is said.
SAID = frozenset(word for word, ours in OURS.items() if ours == "text") | WEAK | {
    "texts", "lines", "string", "strings", "value", "values", "translation", "translations", "localization",
    "localizations", "localisation", "localisations", "locale", "locales", "i18n", "languages", "译文", "翻译", "翻譯",
}  # fmt: skip
MAX_BYTES = 1 << 26
DEEPEST = 6  # containers of rows in one another
Rows = list[tuple[str, dict[str, Any]]]


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether it has rows of a speaker and texts in languages, in none of which the file says what is to be read."""
    is_yaml = file.path.suffix.lower() in YAML
    if not file.encoding or not (is_yaml or looks_like_json(file)) or file.path.stat().st_size > MAX_BYTES:
        return False
    head = file.beginning
    key = PLAIN_KEY if is_yaml else QUOTED_KEY
    if not key.search(head) or not SPEAKER_KEY.search(head):
        return False
    try:
        return any(_is_readable(rows, options) for rows in _tables(file, options))
    except UnderstudyError:
        return False  # the reader of JSON or YAML says where it is broken


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The lines of every list or mapping of rows, in the language of the character's name."""
    for rows in _tables(file, options):
        if _is_readable(rows, options):
            for raw in read_table(Table(_names(rows), partial(list, rows), (file.path.stem,)), options):
                is_direction = STAGE_DIRECTION.fullmatch(raw.text) is not None and not raw.unusable
                yield replace(raw, unusable=DIRECTION) if is_direction else raw
        else:
            options.unused_keys.update(_names(rows))


def _is_readable(rows: Rows, options: ReadOptions) -> bool:
    """Whether somebody speaks in the rows, and one of their languages can be chosen."""
    names = _names(rows)
    return with_language(names, options) is not options


def _names(rows: Rows) -> list[str]:
    return list(dict.fromkeys(name for _, row in rows for name in row))


def _tables(file: RawFile, options: ReadOptions) -> Iterator[Rows]:
    """The rows of each list or mapping that has some with a speaker."""
    found = [value for _, value in documents(file)]
    yield from _rows_within(found[0] if len(found) == 1 else found, f"{file.path}#", options)


def _rows_within(value: Any, place: str, options: ReadOptions, depth: int = 0) -> Iterator[Rows]:
    """The same of a value and what lies in it; a row of languages without a speaker is one of its table."""
    if depth > DEEPEST or not isinstance(value, Mapping | list):
        return
    rows, further = Rows(), list[tuple[str, Any]]()
    for key, one in value.items() if isinstance(value, Mapping) else enumerate(value):
        where = f"{place}{'' if place.endswith('#') else '.'}{key}"
        row = _flat(one, options) if isinstance(one, Mapping) else {}
        if any(is_language(name) for name in row):
            rows.append((where, row if not isinstance(value, Mapping) or "key" in row else {"key": str(key), **row}))
        else:
            further.append((where, one))
    names = _names(rows)
    if column_for(names, SPEAKER, options):
        yield [(where, {name: _text(row.get(name)) for name in names}) for where, row in rows]
    for where, one in further:
        yield from _rows_within(one, where, options, depth + 1)


def _flat(row: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The row with the texts of its languages as its own, and the speaker's name in one of them."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        name = str(key)
        plain = name.strip().lower()
        if not _is_of_languages(value):
            found[name] = value
        elif OURS.get(plain) == "speaker":
            found[name] = value[language_for([*value], options) or next(iter(value))]
        elif plain in SAID:
            found |= value
        else:
            found[name] = ""
    return found


def _is_of_languages(value: Any) -> bool:
    return (
        isinstance(value, Mapping) and bool(value) and all(isinstance(key, str) and is_language(key) for key in value)
    )


def _text(value: Any) -> Any:
    """The value of a cell; one that is absent is empty, as in a sheet, and several lines are one text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return "" if value is None else value
