"""Sheets of what people are, a label a row: 字段 and 内容 of one, below modules or in pairs, or a column a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, pairwise

from pipeline.records.asides import OUT_OF_CHARACTER
from pipeline.records.names import spelling
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions
from pipeline.records.readers.pages.profile import PLAYERS, is_label, is_name
from pipeline.records.readers.scripts.transcript import LABEL
from pipeline.records.readers.tables.merged_cells import ABOVE, LINES_ABOVE
from pipeline.records.readers.tables.no_lines import reason_of_status
from pipeline.records.readers.tables.people_table import LEAST_LABELS, OF_PEOPLE, about_them, profile
from pipeline.records.readers.tables.table_grid import Grid, Lines

# What the columns of labels, of what they say, and of what they are about are called.
FIELD = re.compile(
    r"字段名?|欄位|[属屬]性|[项項]目?|[条條]目|[栏欄]目|[设設]定[项項]|[标標][签籤]|"
    r"fields?|attributes?|propert(?:y|ies)|traits?|items?|labels?|keys?",
    re.IGNORECASE,
)
VALUE = re.compile(
    r"[内內]容|[数數]?值|描述|[说說]明|[详詳](?:情|[细細])|[设設]定|[资資]料|[信訊]息|资讯|資訊|values?|contents?|descriptions?|details?|text",
    re.IGNORECASE,
)
MODULE = re.compile(
    r"模[块塊組组]|分?[类類][别別]?|分[类類]|板[块塊]|[维維]度|章[节節]|module|section|category|group", re.IGNORECASE
)
# What a sheet, or a file beside the name, is called that has a profile.
OF_PROFILES = re.compile(
    r"(?:的|'s|’s|基本|基[础礎]|角色|人物|人[设設]|[详詳][细細设設]?|[个個]人|完整|[设設]定|[信訊]息|资讯|資訊|[资資]料|[档檔]案|"
    r"卡片?|表格?|工作表|sheet|profile|info|character|bio|final|ver|v)*",
    re.IGNORECASE,
)
NOT_WORDS = re.compile(r"[\W\d_]+")
BESIDE = "beside the labels of a profile"
KNOWN, KNOWN_WHERE_HEADED = 0.5, 0.25  # of the labels


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a sheet has its labels, each with what it says in the next column, and the column of modules.

    `first` is the number of the first row of labels; `person` whose they are, where no row says it.
    """

    labels: tuple[int, ...]
    module: int | None
    first: int
    person: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A label, what it says, its module and its place."""

    label: str
    value: str
    module: str
    place: str


def read_profiles(grid: Grid, options: ReadOptions) -> Iterator[RawRecord] | None:
    """The records of a sheet that is a profile of one, or has a column a person; None where it is neither."""
    if are_columns_of_people(grid):
        return read_columns(grid, options)
    return read_sheet(grid, options) if is_sheet_of_one(grid, options) else None


def is_sheet_of_one(grid: Grid, options: ReadOptions) -> bool:
    """Whether it is a profile, a label a row or several, and says whose: in a row, its head, or its own name."""
    layout = _layout(grid, options)
    if layout is None:
        return False
    found = list(_entries(grid, layout))
    known = [one.label for one in found if _is_label(one.label)]
    is_headed = any(FIELD.fullmatch(cells[layout.labels[0]].strip()) for _, cells in grid.said()[:1])
    if len({*known}) < LEAST_LABELS or (KNOWN_WHERE_HEADED if is_headed else KNOWN) * len(found) >= len(known):
        return False
    people = [one.value for one in found if is_name(one.label)]
    return bool(people) and is_name(found[0].label) if len({*people}) > 1 else bool(people or layout.person)


def read_sheet(grid: Grid, options: ReadOptions) -> Iterator[RawRecord]:
    """What is said of each person in each module as a passage; what stands beside the labels is set aside."""
    layout = _layout(grid, options)
    if layout is None:
        return
    found = list(_entries(grid, layout))
    person = next((one.value for one in found if is_name(one.label)), layout.person)
    said: dict[tuple[str, str], list[Entry]] = {}
    for one in found:
        person = one.value if is_name(one.label) else person
        said.setdefault((person, one.module), []).append(one)
    for (person, module), entries in said.items():
        labels: dict[str, str] = {}
        for one in entries:
            if not is_name(one.label):
                before = labels.get(one.label)
                labels[one.label] = f"{before}; {one.value}" if before else one.value
        raw = profile(entries[0].place, person, about_them(labels, options))
        if raw.text:
            yield replace(raw, asked=module or raw.asked, why="a sheet of labels about one")
    yield from _beside(grid, layout)


def _layout(grid: Grid, options: ReadOptions) -> Layout | None:
    """The sheet's layout: by the names of its columns, else by where known labels stand."""
    rows = grid.said()
    if len(rows) < LEAST_LABELS:
        return None
    person = _person(grid.called, options)
    for number, cells in rows[:LINES_ABOVE]:
        head = [cell.strip() for cell in cells]
        at = next((place for place, name in enumerate(head) if FIELD.fullmatch(name)), None)
        if at is None or at + 1 >= len(head):
            continue
        named = head[at + 1] if spelling(head[at + 1]) in {spelling(name) for name in options.names} else ""
        if not named and not VALUE.fullmatch(head[at + 1]):
            continue
        module = next((place for place, name in enumerate(head[:at]) if MODULE.fullmatch(name)), None)
        return Layout((at,), module, number + 1, named or person)
    width = max(len(cells) for _, cells in rows)
    columns = [[cells[at] for _, cells in rows if len(cells) > at and cells[at].strip()] for at in range(width)]
    labels = [at for at, some in enumerate(columns[:-1]) if some and 2 * sum(map(_is_label, some)) > len(some)]
    is_apart = all(later - one > 1 for one, later in pairwise(labels))
    is_narrow = bool(labels) and width <= labels[-1] + 2  # a column more may be another person's
    return Layout(tuple(labels), None, rows[0][0], person) if is_apart and is_narrow else None


def _entries(grid: Grid, layout: Layout) -> Iterator[Entry]:
    module = ""
    for number, cells in grid.said():
        if number < layout.first or _reason(cells, layout):
            continue
        module = (cells[layout.module].strip() if layout.module is not None else "") or module
        for at in layout.labels:
            label, value = (cell.strip() for cell in (*cells[at : at + 2], "", "")[:2])
            if label and value:
                yield Entry(label.rstrip(":： "), value, module, grid.place(number))


def _beside(grid: Grid, layout: Layout) -> Iterator[RawRecord]:
    """What is in no label, value or module, and the rows that say themselves that they are no more."""
    used = {place for at in layout.labels for place in (at, at + 1)} | {layout.module}
    for number, cells in grid.said():
        if number < layout.first - 1:
            yield RawRecord(grid.place(number), UNNAMED, ", ".join(filter(None, cells)), unusable=BESIDE)
        elif number >= layout.first:
            reason = _reason(cells, layout)
            rest = [cell for at, cell in enumerate(cells) if cell.strip() and (reason or at not in used)]
            if rest:
                yield RawRecord(grid.place(number), UNNAMED, ", ".join(rest), unusable=reason or BESIDE)


def _reason(cells: Sequence[str], layout: Layout) -> str:
    """Why a row is none of the profile, by a cell behind its value (废弃, 待定), or since it is the player's."""
    if any(PLAYERS.fullmatch(cells[at].strip(":： ")) for at in layout.labels if len(cells) > at):
        return OUT_OF_CHARACTER
    behind = cells[layout.labels[-1] + 2 :]
    return next((why for cell in behind if (why := reason_of_status("状态", cell))), "")


def _person(called: Sequence[str], options: ReadOptions) -> str:
    """The character, where the sheet is called after it, or the file is, and neither after anybody else."""
    for name in options.names:
        rest = [spelling(one).replace(spelling(name), " ", 1) for one in called]
        if rest != [spelling(one) for one in called] and all(
            OF_PROFILES.fullmatch(NOT_WORDS.sub("", one)) for one in rest
        ):
            return name
    return ""


def _is_label(cell: str) -> bool:
    label = cell.strip().rstrip(":： ")
    return LABEL.fullmatch(label) is not None or is_label(label)


def are_columns_of_people(grid: Grid) -> bool:
    """Whether a column holds the labels of a profile, and each other one behind it a person."""
    rows = [cells for _, cells in _below_titles(grid)]
    if len(rows) <= LEAST_LABELS or len(rows[0]) <= LEAST_LABELS:
        return False
    at = _column_of_labels(rows[0])
    corner, *names = (cell.strip() for cell in rows[0][at:])
    labels = [row[at].strip() for row in rows[1:] if len(row) > at]
    is_named = not corner or spelling(corner) in OF_PEOPLE or any(one.fullmatch(corner) for one in (LABEL, FIELD))
    are_labels = 2 * sum(map(_is_label, labels)) > len(labels)
    are_names = len(names) > 1 and all(name and not (LABEL.fullmatch(name) or VALUE.fullmatch(name)) for name in names)
    return is_named and are_labels and are_names


def _below_titles(grid: Grid) -> Lines:
    """The rows that are not blank without the first ones of a single cell: a title, a date."""
    return [*dropwhile(lambda row: sum(map(bool, row[1])) < LEAST_LABELS, grid.said())]


def _column_of_labels(head: Sequence[str]) -> int:
    """The first column, unless it has modules and the next one the labels."""
    return int(
        len(head) > LEAST_LABELS and bool(MODULE.fullmatch(head[0].strip()) and FIELD.fullmatch(head[1].strip()))
    )


def read_columns(grid: Grid, options: ReadOptions) -> Iterator[RawRecord]:
    """Each person's column as a passage about them."""
    (number, head), *rows = _below_titles(grid)
    for above, cells in grid.said():
        if above < number:
            yield RawRecord(grid.place(above), UNNAMED, ", ".join(filter(None, cells)), unusable=ABOVE)
    at = _column_of_labels(head)
    for column, person in list(enumerate(head))[at + 1 :]:
        said = {cells[at]: cells[column] for _, cells in rows if len(cells) > column and cells[at]}
        yield profile(grid.place(number), person, about_them(said, options))
