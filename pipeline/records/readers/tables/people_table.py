"""Tables of people, a row each with what they are: 角色, 年龄, 职业. The character's row is a passage about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.records.column_words import NAMES, PEOPLE, WEAK
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.readers.pages.profile import is_of_the_file
from pipeline.records.readers.rows.row_forms import OURS
from pipeline.records.readers.scripts.transcript import LABEL
from pipeline.records.readers.tables.merged_cells import TEXT, cell
from pipeline.records.readers.tables.no_lines import is_error_value, reason_of_status
from pipeline.records.traditional_chinese import to_simplified

OF_PEOPLE = (NAMES | PEOPLE) - {"昵称", "暱稱", "who"}  # which people have beside their names
# What somebody says, in the name of a column: then a row is a line of theirs.
OF_SPEECH = re.compile(
    r"\b(?:voice(?! ?(?:act|type|cast))|lines?|dialog(?:ue)?s?|greetings?|quotes?)\b|"
    r"台[词詞]|臺詞|[语語]音$|[说說]的?[话話]$|^[话話]$|[对對]白",
    re.IGNORECASE,
)
NOT_SAID = re.compile(r"\W*|n/?a|tb[ad]|none|unknown|未知|不明|未定|待定|待补|暂无|暫無|无|無", re.IGNORECASE)
# What a team writes beside a character for itself in a table, besides what a profile says of its file; in simplified.
OF_WORK = re.compile(
    r"(?:角色|人物|资源)?(?:编号|序号)|资源id|(?:文案|美术|策[划劃])负责人|编辑|审核人|优先级|皮下|玩家|"
    r"(?:character[ _-]?)?(?:no\.?|number)|priority|player|"
    r"(?:last )?(?:created(?: at| on| by)?|(?:updated|modified) at)",
    re.IGNORECASE,
)
STATE = re.compile(r"状态|进度|status|state|progress", re.IGNORECASE)
OF_DRAFTS = re.compile(
    r".{0,2}稿|(?:已|未)?完成|进行中|[待已未](?:审核?|确认|录音?|补充?|修改|提交|校对?|配音|通过|交付)|"
    r"v?\d[\d.]{0,8}|drafts?|final|done|wip|to ?do|approved|in progress|pending",
    re.IGNORECASE,
)
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


def read_people(
    rows: Iterable[tuple[str, Mapping[str, Any]]], names: Sequence[str], options: ReadOptions
) -> Iterator[RawRecord]:
    """Each person's row as a passage about them: `年龄：27`, a column a line, without those that are empty."""
    column = _column_of_names(names)
    for where, row in rows:
        if person := cell(row, column):
            cut = next((why for name in names if (why := reason_of_status(name, cell(row, name)))), "")
            said = {name: cell(row, name) for name in names if name != column}
            yield replace(profile(where, person, about_them(said, options)), unusable=cut)


def about_them(said: Mapping[str, str], options: ReadOptions) -> dict[str, str]:
    """What is said of somebody without what a team writes for itself, whose labels are counted as not used."""
    options.unused_keys.update(label for label, value in said.items() if value and is_of_work(label, value))
    return {label: value for label, value in said.items() if not is_of_work(label, value)}


def is_of_work(label: str, value: str) -> bool:
    """Whether a team writes it for itself: an id, who is responsible, how far the text is."""
    plain = to_simplified(label.strip().rstrip(":： "))
    is_of_drafts = STATE.fullmatch(plain) is not None and OF_DRAFTS.fullmatch(to_simplified(value.strip())) is not None
    return is_of_the_file(plain, value) or OF_WORK.fullmatch(plain) is not None or is_of_drafts


def profile(where: str, person: str, said: Mapping[str, str]) -> RawRecord:
    """What is said of somebody under each label, as a passage about them."""
    is_chinese = any(char > "\u2e80" for label in said for char in label)
    colon = "：" if is_chinese else ": "
    given = {label: value.strip() for label, value in said.items() if not NOT_SAID.fullmatch(value)}
    known = {label.strip(): " ".join(value.split()) for label, value in given.items() if not is_error_value(value)}
    text = "\n".join(f"{label}{colon}{value}" for label, value in known.items())
    why, title = "a row of a table of people", TITLES[is_chinese]
    return RawRecord(where, person, text, asked=title, kind="background", why=why)
