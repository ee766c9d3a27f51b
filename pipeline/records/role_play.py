"""What players say as themselves where they play their characters: in a group's chat, or in a script of it.

Some of it says what it is (`ooc：`, 【皮下】, ——闭皮——; see asides) and goes from any chat. What only looks like it, a
text in brackets or behind `//`, goes where people play: friends write in brackets, too. That they do is seen by what is
said in character, which stands in quotation marks message after message, or by such marks, again and again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.records.asides import (
    DOUBLE_PART,
    MARKED_PART,
    MODE,
    OPEN,
    OUT_OF_CHARACTER,
    SHUT,
    WITHIN,
    is_marked,
    without_asides,
    without_marked,
)
from pipeline.records.raw import UNNAMED, RawTurn

LEAST_QUOTED, QUOTED_SHARE, MARKED_SHARE = 2, 1 / 4, 1 / 20  # of the messages
LEAST_IN_MARKS, IN_MARKS_SHARE = 6, 3 / 4  # of them, but for those that players' marks are at
UNMARKED = "without the marks of what is said in character"
MENTION = re.compile(r"(?:@\S{1,40}\s+){1,9}")
TO_ALL = re.compile(r"@(?:全[体體]成[员員]|所有人|everyone\b|here\b|all\b)", re.IGNORECASE)
ACTION = re.compile(r"\*[^*\n]+\*|（[^（）\n]*）|\([^()\n]*\)|\[[^\[\]\n]*\]|【[^【】\n]*】")
QUOTE = re.compile(r"「[^「」]+」|『[^『』]+』|“[^“”]+”|\"[^\"\n]+\"")
QUOTE_AT_END = re.compile(r"(?:^|[\s*。，！？…—：:,.!?）)])(?:「[^「」\n]+」|『[^『』\n]+』|“[^“”\n]+”|\"[^\"\n]+\")$")
TOLD_BEFORE = re.compile(r"[。！？…—.!?]\s*(?:「[^「」\n]+」|『[^『』\n]+』|“[^“”\n]+”|\"[^\"\n]+\")$")
ENDS = ",.!?…，。！？—~～"
OPENING = tuple('「『“"')
# A bracket around all of it, or one that is never closed; the first kind may stand around an action, too.
WHOLE = re.compile(rf"[(（\[【](?P<inside>(?:{WITHIN}|{OPEN}{WITHIN}*{SHUT})*)(?P<end>[)）\]】]?)")
OF_PLAYERS = re.compile(
    rf"[{{｛〔](?![{{｛]){WITHIN}*[}}｝〕]?|(?:\(\(|（（|//|pp\s*[:：]).*", re.DOTALL | re.IGNORECASE
)
BEFORE = re.compile(r"(?:（[^（）\n]*）|\([^()\n]*\))\s*(?=\S)")  # what is said
BEHIND = tuple('」』”"*。！？…!?.~～）)')  # what is said ends so before a remark
TO_END = re.compile(r"(?<=[」』”\"*）)。！？…])\s*(?://(?!/)|\(\(|（（).*|(?<=[.!?])\s+(?://(?!/)|\(\().*")
IN_CHARACTER = re.compile(rf"{OPEN}\s*(?:皮上|IC)\s*{SHUT}|(?:皮上|IC)\s*[:：]", re.IGNORECASE)
SAID_MODE = re.compile(
    r"[那我先]{0,4}(?:(?P<plays>[开開上披]皮)|[闭閉下]皮)(?:[了啦咯]|[,，。.!！~～\s]|$)"
)  # 下皮了，各位晚安
# Nothing that is told of a scene has these; 人群里, 推开小窗, 走到楼上 are no players' words.
LAUGHS = (
    r"哈{3,}+(?!地|大笑)|(?<![a-z])h{3,}(?![a-z])|(?<!\d)23{3,}(?!\d)|(?<!\d)233$|笑死|笑哭|"
    r"\b(?:lol|lmao|rofl|xd+|brb|afk|gtg|g2g|bbl|ttyl|omg|wtf|idk|imo|btw)\b"
)
PLAYS = (
    r"打字(?![机機员員])|打[错錯]字|[卡接对對][戏戲](?!曲|剧|劇)|卡文|[转轉][场場]|[剧劇]情|小窗(?:[说說聊]|我$)|刷屏|"
    r"掉[线線]|[断斷]网|早八|[语語]c|(?<![a-z])ooc|皮了皮了|[上下开開闭閉]皮[了啦]|人[设設]|本群|[上下][线線][了啦]|"
    r"先下了(?=[，。！~～\s]|$)|\b(?:role-?play(?:ing)?|rp)\b|(?:my|your) turn to (?:post|reply)"
)
SPEAKS = (
    r"我|咱|各位|大家|你[们們]|(?:抱歉|[对對]不起|不好意思)(?![地的])|[吗嗎吧啦哦喔嘛呀哇][\s。！？~～!?…]*$|"
    r"\b(?:I['’](?:m|ll|ve|d)|I (?:gotta|have to|need to)|sorry|guys|y['’]all|thanks|thx|good ?night|typos?|typing)\b"
)
CHATS = re.compile(rf"{LAUGHS}|{PLAYS}", re.IGNORECASE)
TALKS = re.compile(rf"{LAUGHS}|{PLAYS}|{SPEAKS}", re.IGNORECASE)
# A character's sheet that a player pastes.
SHEET = re.compile(
    r"\W{0,9}(?:.{0,12}(?:人[设設]|角色|[设設]定)卡?|(?:.{0,20} )?character (?:sheet|card|profile)|oc)\W{0,9}", re.I
)
SHEETS_LABEL = re.compile(r"\W{0,3}[^\s:：][^:：]{0,12}[:：]\s*\S.{0,80}")
OF_A_PERSON = re.compile(r"^\W{0,3}(?:姓名|名字|年[龄齡]|皮下|性[别別]|name|age|gender|pronouns)\s*[:：]", re.I | re.M)
LEAST_LABELS = 3


@dataclass(frozen=True, slots=True)
class Play:
    """How people play: whether what they say in character stands in quotation marks, and what brackets hold.

    `is_marked`: all that is in character stands in such marks, or as an action in asterisks or brackets.
    `are_actions`: what people do, as before a quotation. `are_remarks`: nothing but what players say.
    """

    is_quoted: bool
    is_marked: bool
    are_actions: bool
    are_remarks: bool


def play_of(turns: Sequence[RawTurn], *, in_quotes: bool = True) -> Play | None:
    """How people play in what was said; None where it is nobody's role-play.

    Without `in_quotes`, as in a script, quotation marks are no sign of it.
    """
    said = [turn.text for turn in turns if turn.text and not turn.unusable]
    marked = sum(_has_mark(text) for text in said)
    doubled = sum(DOUBLE_PART.fullmatch(text) is not None for text in said)
    quoted = sum(_is_quoted(text) for text in said)
    by_marks = (marked or doubled > 1) and marked + doubled + quoted >= MARKED_SHARE * len(said)
    if not by_marks and not (in_quotes and quoted >= max(LEAST_QUOTED, QUOTED_SHARE * len(said))):
        return None
    brackets = [inside for text in said if (inside := _bracket(text))]
    before = [found for text in said if (found := BEFORE.match(text)) and not _is_surely_players(text)]
    are_actions = any(not CHATS.search(found[0]) for found in before)
    talking = sum(_is_talk(inside, are_actions=are_actions) for inside in brackets)
    are_remarks = not are_actions and 0 < len(brackets) <= 2 * talking
    plain = [text for text in said if not (_is_surely_players(text) or WHOLE.fullmatch(text) or OF_PLAYERS.match(text))]
    bare = sum(_is_bare(text) for text in plain)
    tells = any(_is_quoted(text) and _is_bare(QUOTE.sub("", TO_END.sub("", text))) for text in plain)
    is_marked = not tells and quoted >= max(LEAST_IN_MARKS, IN_MARKS_SHARE * (quoted + bare))
    return Play(2 * quoted >= len(plain), is_marked, are_actions, are_remarks)


def without_players(turns: Iterable[RawTurn], play: Play | None) -> Iterator[RawTurn]:
    """The turns of a scene without what players say as themselves; who has stopped playing goes on by a quotation.

    Without a `play` only what says that it is out of character goes. There are as many turns as there were.
    """
    stopped: dict[str, bool] = {}
    for turn in turns:
        if found := MODE.fullmatch(turn.text.strip()):
            # Where a quotation shows who still plays, it may be said for all.
            is_for_all = turn.speaker == UNNAMED or (play is not None and play.is_quoted)
            stopped = ({} if is_for_all else stopped) | {UNNAMED if is_for_all else turn.speaker: not found["plays"]}
            yield replace(turn, unusable=turn.unusable or OUT_OF_CHARACTER)
            continue
        if turn.unusable or not turn.text:
            yield turn
            continue
        has_stopped = stopped.get(turn.speaker, stopped.get(UNNAMED, False))
        said, stopped[turn.speaker] = _said(turn.text, play, has_stopped=has_stopped)
        reason = "" if said else OUT_OF_CHARACTER
        if said and play and play.is_marked and _is_bare(said):
            reason = UNMARKED
        yield replace(turn, unusable=reason) if reason else replace(turn, text=said)


def _said(text: str, play: Play | None, *, has_stopped: bool) -> tuple[str, bool]:
    """What is said in character of a message, and whether its sender plays no longer behind it."""
    if play and (TO_ALL.match(text) or _is_sheet(text) or (play.is_quoted and _is_chat(text))):
        return "", has_stopped
    kept: list[str] = []
    is_aside = has_stopped
    for line in map(str.strip, text.split("\n")):
        if found := MODE.fullmatch(line) or (SAID_MODE.match(line) if play else None):
            has_stopped = is_aside = not found["plays"]
            continue
        rest = _of_line(line, play)
        if _is_in_character(rest) or IN_CHARACTER.match(line):
            has_stopped = is_aside = False
        elif _goes_on(line, play):
            is_aside = True
        if rest and not is_aside:
            kept.append(rest)
    changed = "\n".join(kept)
    return (text if changed == "\n".join(filter(None, map(str.strip, text.split("\n")))) else changed), has_stopped


def _goes_on(line: str, play: Play | None) -> bool:
    """Whether what a player says goes on below the line: behind a mark, or in a bracket that is not closed."""
    if MARKED_PART.fullmatch(line):
        return False
    whole = WHOLE.fullmatch(line) if play else None
    return bool(line) and (not without_marked(line) or (whole is not None and not whole["end"]))


def _of_line(line: str, play: Play | None) -> str:
    """What is said in character of a line; empty where nothing is."""
    if play is None:
        return without_marked(line)
    said, reason = without_asides(IN_CHARACTER.sub("", line, count=1) if IN_CHARACTER.match(line) else line)
    if reason or OF_PLAYERS.fullmatch(said):
        return ""
    if whole := WHOLE.fullmatch(said):
        return "" if not whole["end"] or _is_remark(whole["inside"], play) else said
    if (before := BEFORE.match(said)) and CHATS.search(before[0]):
        said = said[before.end() :]
    said = TO_END.sub("", said).strip()
    while (remark := _behind(said)) and _is_remark(remark[1], play):
        said = remark[0]
    return said


def _behind(text: str) -> tuple[str, str] | None:
    """What is said, and what stands in the bracket behind it, be it closed or not."""
    at = max(text.rfind("（"), text.rfind("("))
    said, inside = text[: max(at, 0)].rstrip(), text[at + 1 :].rstrip()
    closed = inside.rstrip("）)")
    if not said.endswith(BEHIND) or any(mark in closed for mark in "）)"):
        return None
    return said, closed


def _is_remark(inside: str, play: Play) -> bool:
    return play.are_remarks or _is_talk(inside, are_actions=play.are_actions)


def _is_talk(inside: str, *, are_actions: bool) -> bool:
    """Whether a bracket holds what a player says; a character who acts in brackets says `I` there as well."""
    return (CHATS if are_actions else TALKS).search(inside) is not None


def _bracket(text: str) -> str:
    """What a message holds in the bracket that is all of it, or stands behind what is said."""
    if whole := WHOLE.fullmatch(text):
        return whole["inside"]
    behind = _behind(text)
    return behind[1] if behind else ""


def _has_mark(text: str) -> bool:
    return is_marked(text) or without_marked(text) != text.strip()


def _is_surely_players(text: str) -> bool:
    return is_marked(text) or not without_marked(text) or DOUBLE_PART.fullmatch(text) is not None


def _is_quoted(text: str) -> bool:
    """Whether a message is a quotation, but for what is done before it, told beside it and remarked behind it."""
    said = _without_actions(text)
    found = QUOTE.match(said) if said.startswith(OPENING) else None
    if found is None:
        return TOLD_BEFORE.search(said) is not None
    rest = QUOTE.sub("", said).strip()
    return found[0][-2] in ENDS or not rest or rest.startswith(("(", "（", "//"))


def _without_actions(text: str) -> str:
    bare = MENTION.sub("", text, count=1) if text.startswith("@") else text
    return ACTION.sub("", bare).strip()


def _is_in_character(line: str) -> bool:
    """Whether a quotation begins or ends the line."""
    said = _without_actions(line)
    starts = said.startswith(OPENING) and QUOTE.match(said) is not None
    return starts or QUOTE_AT_END.search(said) is not None


def _is_chat(text: str) -> bool:
    """Whether a message quotes nothing, and has what people write who chat."""
    return not any(mark in text for mark in OPENING) and CHATS.search(text) is not None


def _is_bare(text: str) -> bool:
    """Whether a text quotes nothing, and is not all action."""
    return not any(mark in text for mark in OPENING) and any(char.isalnum() for char in _without_actions(text))


def _is_sheet(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    labels = sum(SHEETS_LABEL.fullmatch(line.strip()) is not None for line in lines)
    is_titled = bool(lines) and SHEET.fullmatch(lines[0].strip()) is not None
    return labels >= LEAST_LABELS and 2 * labels >= len(lines) and (is_titled or OF_A_PERSON.search(text) is not None)
