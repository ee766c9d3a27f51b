"""Tables of people, a row each with what they are: 角色, 年龄, 职业. The character's row is a passage about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.records.column_words import NAMES, PEOPLE, WEAK
from pipeline.records.raw import RawRecord
from pipeline.records.readers.rows.row_forms import OURS
from pipeline.records.readers.scripts.transcript import LABEL
from pipeline.records.readers.tables.merged_cells import TEXT, cell
from pipeline.records.readers.tables.no_lines import is_error_value

OF_PEOPLE = (NAMES | PEOPLE) - {"昵称", "暱稱", "who"}  # which people have beside their names
# What somebody says, in the name of a column: then a row is a line of theirs.
OF_SPEECH = re.compile(
    r"\b(?:voice(?! ?(?:act|type|cast))|lines?|dialog(?:ue)?s?|greetings?|quotes?)\b|"
    r"台[词詞]|臺詞|[语語]音$|[说說]的?[话話]$|^[话話]$|[对對]白",
    re.IGNORECASE,
)
NOT_SAID = re.compile(r"\W*|n/?a|tb[ad]|none|unknown|未知|不明|未定|待定|待补|暂无|暫無|无|無", re.IGNORECASE)
LEAST_LABELS = 2  # columns that a profile has, too
TITLES = ("Profile", "基本信息")  # of the passage, in English and Chinese


def is_of_people(names: Sequence[str]) -> bool:
    """Whether the columns are a name and what a profile says of somebody, and none is for what they say."""
    plain = [name.strip().lower() for name in names]
    if any(OURS.get(name) in TEXT or name in WEAK or OF_SPEECH.search(name.replace("_", " ")) for name in plain):
        return False
    are_labels = [name in OF_PEOPLE or LABEL.fullmatch(name) is not None for name in plain]
    if len(plain) > LEAST_LABELS and all(are_labels[::2]) and not any(are_labels[1::2]):
        return False  # pairs of a label and what it says
    labels = [name for name in plain if name not in OF_PEOPLE and LABEL.fullmatch(name)]
    return not OF_PEOPLE.isdisjoint(plain) and len(labels) >= LEAST_LABELS


def comes_once(rows: Iterable[tuple[str, Mapping[str, Any]]], names: Sequence[str]) -> bool:
    """Whether nobody has two rows: people's lines or places have, and profiles have not."""
    people = [person for _, row in rows if (person := cell(row, _column_of_names(names)))]
    return len({*people}) == len(people)


def _column_of_names(names: Sequence[str]) -> str:
    return next(name for name in names if name.strip().lower() in OF_PEOPLE)


def read_people(rows: Iterable[tuple[str, Mapping[str, Any]]], names: Sequence[str]) -> Iterator[RawRecord]:
    """Each person's row as a passage about them: `年龄：27`, a column a line, without those that are empty."""
    column = _column_of_names(names)
    for where, row in rows:
        if person := cell(row, column):
            yield profile(where, person, {name: cell(row, name) for name in names if name != column})


def profile(where: str, person: str, said: Mapping[str, str]) -> RawRecord:
    """What is said of somebody under each label, as a passage about them."""
    is_chinese = any(char > "\u2e80" for label in said for char in label)
    colon = "：" if is_chinese else ": "
    given = {label: value.strip() for label, value in said.items() if not NOT_SAID.fullmatch(value)}
    known = {label.strip(): " ".join(value.split()) for label, value in given.items() if not is_error_value(value)}
    text = "\n".join(f"{label}{colon}{value}" for label, value in known.items())
    why, title = "a row of a table of people", TITLES[is_chinese]
    return RawRecord(where, person, text, asked=title, kind="background", why=why)
