"""Tables as spreadsheets have them: titles above the header, and one cell for the speaker of several rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.records.column_words import SPEAKS, WEAK, rank
from pipeline.records.raw import ReadOptions
from pipeline.records.readers.rows.row_forms import OURS, constant_columns, form_of, ours_by_theirs
from pipeline.records.readers.tables.no_lines import is_error_value

FILLED = "rows without a speaker taken for the one above (merged cells)"
LINES_ABOVE = 10  # of a table, among which is the one with the names of its columns: below a title, a date
LEAST_MERGED = 2  # rows below a speaker's, somewhere in a merged table
TOTAL = re.compile(
    r"(?:[合总總小共][计計]|[汇匯彙][总總])[数數]?[:：]?(?:\s*\d{1,9}\s*[条條句行字]?)?|"
    r"(?:grand |sub-?)?totals?:?(?: \d{1,9})?",
    re.IGNORECASE,
)
AMOUNT = re.compile(r"[\d.,%]{1,20}\s*[条條句行字]?")
ABOVE = "a line above the header"
SPEAKER, TEXT = ("speaker",), ("text", "answer", "output")


def is_header(names: Sequence[str], options: ReadOptions) -> bool:
    """Whether the names of the columns are those of a known form, or stand for them in the recipe's `columns`."""
    said = ours_by_theirs(options)
    return form_of({**constant_columns(options), **{said.get(name, name): "" for name in names}}) is not None


def with_speakers(
    rows: Callable[[], Iterable[tuple[str, Any]]], names: Sequence[str], options: ReadOptions
) -> Iterable[tuple[str, Any]]:
    """The rows of a table with these columns; where it looks merged, each with its speaker, and these are counted."""
    speaker, text = column_for(names, SPEAKER, options), column_for(names, TEXT, options)
    if speaker is None or text is None or not looks_merged((row for _, row in rows()), speaker, text):
        return rows()
    return _filled_down(rows(), speaker, options.remarks)


def looks_merged(rows: Iterable[Mapping[str, Any]], speaker: str, text: str) -> bool:
    """Whether a speaker's cell is merged with those below it, or left empty there to the same end.

    So it is where the first row has a speaker, every row has a text, no speaker is named twice in a row, since one cell
    would have held both, and some cell is as high as three rows. In a script a narrator's rows have no speaker either,
    but they stand one by one, and people speak twice in a row.
    """
    last, empty, highest = "", 0, 0
    for row in rows:
        name = cell(row, speaker)
        if not any(cell(row, key) for key in row) or _is_total(row):
            continue
        if not row.get(text) or name == last:  # also where the first row has no speaker
            return False
        last, empty = name or last, 0 if name else empty + 1
        highest = max(highest, empty)
    return highest >= LEAST_MERGED


def _filled_down(
    rows: Iterable[tuple[str, Mapping[str, Any]]], speaker: str, remarks: Counter[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    last = ""
    for source, row in rows:
        name = cell(row, speaker)
        if name or not any(cell(row, key) for key in row) or _is_total(row):
            last = name or last
            yield source, row
        else:
            remarks[FILLED] += 1
            yield source, {**row, speaker: last}


def _is_total(row: Mapping[str, Any]) -> bool:
    """Whether the row has a word for a sum, and nothing else but numbers."""
    cells = [text for key in row if (text := cell(row, key))]
    return bool(cells) and TOTAL.fullmatch(cells[0]) is not None and all(map(AMOUNT.fullmatch, cells[1:]))


def column_for(names: Sequence[str], ours: Sequence[str], options: ReadOptions) -> str | None:
    """The first column for one of our keys, by the recipe's `columns`, its own name, or another word for it."""
    said = ours_by_theirs(options)
    plain = [name.strip().lower() for name in names]
    words = {**(dict.fromkeys(WEAK, "text") if SPEAKS & {*plain} else {}), **OURS}
    surest_first = sorted(names, key=lambda name: -1 if name in said else rank(name.strip().lower()))
    found = {said.get(name) or words.get(name.strip().lower(), name): name for name in reversed(surest_first)}
    return next((found[key] for key in ours if key in found), None)


def cell(row: Mapping[str, Any], key: str) -> str:
    """The row's text under a key; empty where there is none, or a formula has failed."""
    text = str(row.get(key) or "").strip()
    return "" if is_error_value(text) else text
