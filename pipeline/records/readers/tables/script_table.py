"""Tables that are scripts: a speaker and a line a row, in the order in which people answer one another.

What tells them from a list of a game's voices, or from a dump of anybody's lines, is that people take turns: where the
speaker changes twice, it mostly is the one before who speaks again. Lines sorted by their speaker never do that, and
those of many people in any order hardly. A list says what it is, too: it has ids of single lines in no common order, or
a title for each, or is called a list of voices. In doubt a table is none, and its lines have nothing before them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any, Literal

from pipeline.records.names import MANNER, spelling
from pipeline.records.raw import RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.readers.rows.row_forms import ours_by_theirs, read_rows
from pipeline.records.readers.rows.row_keys import NOT_LEARNT
from pipeline.records.readers.tables.merged_cells import SPEAKER, TEXT, cell, column_for
from pipeline.records.role_play import play_of, without_players

# Columns whose values say which rows are one scene; the ones that name it are its title, too.
TITLES = (
    r"(?:场景|場景|章节|章節|任务|任務|剧情|劇情|关卡|關卡)(?:名称?|名稱)?|"
    r"(?:scene|chapter|quest)(?:[ _-]?(?:name|title))?"
)
TITLED = re.compile(TITLES, re.IGNORECASE)
BOUNDS = re.compile(
    rf"{TITLES}|(?:(?:scene|chapter|quest|act|episode|ep)[ _-]?(?:no\.?|number|id|#)?|part|幕|场|場|章|章回|回目?|集)|"
    r"(?:场|場)(?:次|号|號|景号|景號)|(?:场景|場景|章节|章節|任务|任務) ?(?:id|编号|編號|序号|序號)",
    re.IGNORECASE,
)
# Columns that name single lines: then they are a list, whatever its order.
OF_SINGLE_LINES = re.compile(
    r"标题|標題|title|source_title|input|出处|出處|解锁条件|解鎖條件|触发条件|觸發條件|unlock(?:ed by)?|"
    r"(?:语音|語音)(?:标题|標題|名称?|名稱)|条目|條目|触发|觸發|场合|場合|情境|分类|分類|"
    r"event|when|trigger|occasion|category|variant",
    re.IGNORECASE,
)
ID = re.compile(
    r"(?!.*(?:next|prev|parent|[下上前]))(?:.{0,40}[\s_-])?(?:id|key|guid|uuid|wav|file(?:name)?|audio|voice|sound|vo)|"
    r"(?!.*(?:next|prev|parent|[下上前])).{0,40}(?:ID|id|编号|編號)|(?:语音|語音|音频|音訊|配音)(?:文件|檔案|资源|資源)?(?:名称?|名稱)?",
    re.IGNORECASE,
)
LISTS_VOICES = re.compile(
    r"语音|語音|语录|語錄|配音表|\bvoice(?:s|[ _-]?(?:over|lines?|list))?\b|\bquotes?\b", re.IGNORECASE
)
# Who takes no turn of a conversation: a narrator, a choice, nobody known yet, several at once.
NO_TURN = re.compile(
    r"|[?？]+|旁白.{0,4}|narrat(?:or|ion)|.{0,4}(?:选项|選項|选择|選擇).{0,4}|choices?|options?|系统|系統|system|.*[/／&＆、+].*"
)
SAID_HOW = re.compile(r"\s*(?:o\.?s\.?|v\.?o\.?|心声|心聲|内心|內心|画外音|畫外音|独白|獨白)$")
NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>\d{1,15})\D{0,8}")
Judgement = Literal["script", "doubtful", "list"]
DOUBTFUL = (
    "tables that may be scripts, or lines in no order: a column 场景 or `Scene`, or a file called script, says which"
)
TAKEN = "tables taken for scripts, each line with the turns before it"
LEAST_CHANGES = 0.3  # of neighbouring rows of a scene have different speakers
# What says that rows have an order: a number, what people do meanwhile; a file or a sheet that is called a script.
ORDERED = re.compile(
    r"序号|序號|镜号|鏡號|行号|行號|动作(?:[/／、].*)?|動作|舞台指示|音效|no\.?|"
    r"(?:stage )?directions?|actions?|sfx|bgm",
    re.IGNORECASE,
)
SCRIPT = re.compile(
    r"剧本|劇本|脚本|腳本|剧情|劇情|第.{1,4}[章幕话話回集]|对话|對話|"
    r"\b(?:script|chapter|scene|act|episode|dialogue)s?\b",
    re.IGNORECASE,
)
MANY = 20  # rows, of which chance would be seen
BY_TURNS = 1.25  # times as many changes as by chance
LEAST_RETURNS, LEAST_IN_SCENES = 0.5, 0.34  # of the times that the one before may speak again; where scenes are named
DOUBLE_SPACED = 0.8  # of the rows stand below a blank one, so that these separate nothing
LEAST_SPACED = 3  # rows, of which this can be said
MOST_OUT_OF_ORDER = 0.1  # of the ids

Rows = Iterable[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a table's columns: for the speaker, the text, what bounds scenes, their title, and ids."""

    speaker: str
    text: str
    bounds: tuple[str, ...]
    title: str | None
    ids: tuple[str, ...]
    are_ordered: bool = False  # others say that the rows have an order, as a number or a stage direction does


@dataclass(slots=True)
class Turns:
    """How people take turns in a table, counted row by row."""

    rows: int = 0
    others: int = 0  # rows of a narrator, of nobody, of several at once
    scenes: int = 1
    pairs: int = 0
    changes: int = 0
    may_return: int = 0
    returns: int = 0
    misplaced: int = 0  # ids that do not go on with the one before
    speakers: Counter[str] = field(default_factory=Counter)
    runs: tuple[str, ...] = ()  # the last speakers of the scene

    def add(self, speaker: str) -> None:
        """Count a row of a scene."""
        self.rows += 1
        self.speakers[speaker] += 1
        self.pairs += bool(self.runs)
        if self.runs and self.runs[-1] == speaker:
            return
        self.changes += bool(self.runs)
        if len(self.runs) > 1:
            self.may_return += 1
            self.returns += self.runs[-2] == speaker
        self.runs = (*self.runs[-1:], speaker)

    def changes_by_chance(self) -> float:
        """How many changes there would be if the rows were in no order."""
        return self.pairs * (1 - sum(count**2 for count in self.speakers.values()) / self.rows**2)


def script_columns(names: Sequence[str], options: ReadOptions) -> Columns | None:
    """The columns of a table that may be a script; None where it has none for a speaker or a text, or names lines."""
    speaker, text = column_for(names, SPEAKER, options), column_for(names, TEXT, options)
    if speaker is None or text is None or any(OF_SINGLE_LINES.fullmatch(name.strip()) for name in names):
        return None
    own = [name for name in names if name and name not in (speaker, text)]
    titled = {theirs for theirs, ours in ours_by_theirs(options).items() if ours == "source_title"}
    bounds = tuple(name for name in own if name in titled or BOUNDS.fullmatch(name.strip()))
    titles = [name for name in bounds if name in titled or TITLED.fullmatch(name.strip())]
    ids = tuple(name for name in own if name not in bounds and ID.fullmatch(name.strip()))
    are_ordered = bool(bounds) or any(ORDERED.fullmatch(name.strip()) for name in own)
    return Columns(speaker, text, bounds, titles[0] if titles else None, ids, are_ordered)


def judge(
    rows: Rows, columns: Columns, called: Sequence[str], *, is_ordered: bool = False, surely: bool = False
) -> Judgement:
    """Whether people take turns in the table, and nothing speaks for a list; `called` are its file and its sheet.

    In many rows it is doubtful where chance would have as many turns, and nothing says that the rows have an order, as
    a column for scenes, a narrator or merged cells (`is_ordered`) do. With `surely` it is a script where two people
    speak, or somebody twice, as in a Word document: nobody keeps a dump there.
    """
    if any(LISTS_VOICES.search(name) for name in called):
        return "list"
    turns = _count(rows, columns)
    if len(turns.speakers) < 2 or turns.misplaced > MOST_OUT_OF_ORDER * turns.rows:
        return "list"
    if surely and turns.rows > (len(turns.speakers) if len(turns.speakers) > 2 else 1):
        return "script"
    share = LEAST_IN_SCENES if columns.bounds else LEAST_RETURNS
    answers = turns.returns >= max(1, share * turns.may_return) and turns.changes >= LEAST_CHANGES * turns.pairs
    if not answers:
        return "list"
    is_ordered = is_ordered or columns.are_ordered or turns.others > 0 or turns.scenes > 1
    is_ordered = is_ordered or any(SCRIPT.search(name) for name in called)
    by_chance = turns.rows >= MANY and turns.changes < BY_TURNS * turns.changes_by_chance()
    return "doubtful" if by_chance and not is_ordered else "script"


def read_script(rows: Rows, columns: Columns, options: ReadOptions, title: str = "") -> Iterator[RawRecord]:
    """Each row with the turns of its scene before it, where `title` is that of scenes without their own."""
    for _, scene in groupby(_in_scenes(rows, columns), key=lambda one: one[0]):
        yield from _scene([(where, row) for _, where, row in scene], columns, options, title)


def _scene(
    rows: Sequence[tuple[str, Mapping[str, Any]]], columns: Columns, options: ReadOptions, title: str
) -> Iterator[RawRecord]:
    said = [(where, {name: text for name, text in row.items() if name not in columns.bounds}) for where, row in rows]
    turns = [_turn(raw) for raw in read_rows(said, options)]
    own = cell(rows[0][1], columns.title) if columns.title else ""
    named = own if any(char.isalpha() for char in own) else title
    turns = list(without_players(turns, play_of(turns, in_quotes=False)))
    yield from scene_records(turns, title=named, place=rows[0][0], window=options.window, each_line=True)


def _turn(raw: RawRecord) -> RawTurn:
    is_context = raw.unusable == NOT_LEARNT
    return RawTurn(
        raw.source, raw.speaker, raw.text, "" if is_context else raw.unusable, raw.unusable if is_context else ""
    )


def _count(rows: Rows, columns: Columns) -> Turns:
    turns, scene, last = Turns(), 0, tuple[str, ...]()
    for number, _, row in _in_scenes(rows, columns):
        if number != scene:
            scene, turns.runs, last = number, (), ()
            turns.scenes += 1
        speaker = SAID_HOW.sub("", spelling(MANNER.sub("", cell(row, columns.speaker))))
        if NO_TURN.fullmatch(speaker):
            turns.others += 1
        else:
            turns.add(speaker)
            ids = tuple(cell(row, name) for name in columns.ids)
            turns.misplaced += any(map(_is_misplaced, last, ids))
            last = ids
    return turns


def _is_misplaced(before: str, after: str) -> bool:
    """Whether an id does not go on where the one above it ended: CH1_010 after CH1_020, or after MIRA_010."""
    if not before or not after:
        return False
    one, other = NUMBERED.fullmatch(before), NUMBERED.fullmatch(after)
    if not one or not other or one["before"] != other["before"]:
        return True
    return int(one["number"]) >= int(other["number"])


def _in_scenes(rows: Rows, columns: Columns) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """(number of its scene, place, row) of every row, with what bounds the scene where only its first row says it."""
    scene, last, was_blank = 0, dict.fromkeys(columns.bounds, ""), False
    for where, row in rows:
        if not any(cell(row, name) for name in row):
            was_blank = True
            continue
        bounds = {name: cell(row, name) or last[name] for name in columns.bounds}
        if (bounds != last and any(last.values())) or was_blank:
            scene += 1
        last, was_blank = bounds, False
        yield scene, where, {**row, **bounds}


def without_spacing(rows: Callable[[], Rows]) -> Callable[[], Rows]:
    """The rows without blank ones, where these stand above nearly every row and so separate nothing."""
    blank = [not any(cell(row, name) for name in row) for _, row in rows()]
    said, spaced = blank.count(False), sum(above and not one for above, one in pairwise(blank))
    if spaced < DOUBLE_SPACED * (said - 1) or said <= LEAST_SPACED:
        return rows
    return lambda: ((where, row) for where, row in rows() if any(cell(row, name) for name in row))
