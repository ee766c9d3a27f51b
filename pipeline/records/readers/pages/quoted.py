"""The lines that stand under a heading for them, such as Quotes or 语录, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from pipeline.records.names import spelling
from pipeline.records.raw import CHARACTER, RawRecord
from pipeline.records.readers.pages import wiki
from pipeline.records.readers.scripts.transcript import spoken_line
from pipeline.records.traditional_chinese import to_simplified

QUOTES = re.compile(
    r"(?:(?:famous|notable|memorable|selected|voice|her|his|their) )?"
    r"(?:quotes?|quotations?|lines|sayings|catch ?phrases?|dialogues?|voice[- ]?overs?)|"
    r"(?:经典|常用|部分|角色|人物|名|个人)*(?:台词|语录|口头禅|名言|金句|语音|对白)(?:集|摘录|节选|台词|一览|列表|大全|汇总)*",
    re.IGNORECASE,
)
# Behind such a heading, what it says of the list: （读书笔记里摘的）, (from my notes).
OF_A_LIST = re.compile(
    r"\s*[(（](?:[^()（）]*(?:摘|整理|笔记|收集|合集|更新|完整|节选|部分|\d)[^()（）]*|"
    r"(?:from|collected|selected|incomplete|updated|so far|wip)\b[^()（）]*)[)）]$",
    re.IGNORECASE,
)
LONGEST = 80  # characters of a heading
NUMBER = re.compile(r"(?:\d{1,3}(?:[、)）．]|\.(?!\d))|[(（]\d{1,3}[)）]|[①-⑳])\s*")
HEADED = re.compile(r"【(?P<key>[^【】]{1,20})】\s*[:：]?\s*(?P<text>\S.*)")
CLOSING = '”」』"’'
SIGNED = re.compile(rf"(?<=[\s{CLOSING}])[—–-]{{1,2}}\s*(?P<who>[^—–-]{{1,40}})$")  # who said it, or where
ASIDE = re.compile(rf"(?<=[{CLOSING}])\s*[(（][^()（）]{{1,40}}[)）]$")  # where, or to whom: （对老莫）
BEHIND = re.compile(r"[(（](?P<comment>[^()（）]{1,60})[)）]$")
# A comment that somebody else says it, or may: （这句其实是她爸说的）, (said by her father), (not hers).
BY_ANOTHER = re.compile(
    r"(?!这?句?是?[对跟在向给]).{1,60}(?<![着声地])[说讲写念唱]的.*|.*(?:其实[是不并]|并非|不是(?:[她他]|本人)|别人|他人|引用|引自|"
    r"转述|原话|存疑|待考).*|"
    r".*\b(?:(?:said|spoken) by|(?:says|said) (?:this|it)|not (?:hers?|his|him|she|he)|quot(?:ing|es|ed)|"
    r"(?:mis)?attributed|(?:actually|really|probably|maybe) (?:by|her|his|their|not))\b.*",
    re.IGNORECASE,
)
PLACE = re.compile(
    r"第.{1,8}[话話章集卷回幕季节節]|[《「“].*|.*\d.*|(?:chapter|episode|season|act|volume|book|part|to|in|on|at|from|when|after|"
    r"before|during)\b.*|(?:对|對|在|于|於|给|給|出自|摘自).*|.*(?:[章话話集卷篇线線]|剧情|劇情|番外|片尾|片头)",
    re.IGNORECASE,
)
# In brackets behind a quotation: who has said it, unless that is how: Bram Holt, 韩渡; laughing, 冷笑.
NAME = re.compile(r"[A-Z][\w.'’-]*(?: (?:[A-Z][\w.'’-]*|of|the|de|von|van)){0,3}|[\u3400-\u9fff·]{2,4}")
# Below a list's heading, what is no name though it could be one.
PART = re.compile(
    r"日常|平[时時]|[战戰]斗|[战戰]鬥|[节節]日|生日|主[线線]|支[线線]|初遇|重逢|告白|[恋戀][爱愛]|[羁羈][绊絆]|好感度?|名[场場]面|其[他它]|未分[类類]|"
    r"[杂雜][项項]|前期|中期|后期|後期|[开開][头頭]|[结結]局|童年|"
    r"Combat|Battles?|Idle|Greetings?|General|Misc(?:ellaneous)?|Others?|Daily(?: Life)?|Childhood|Holidays?|Birthday",
    re.IGNORECASE,
)
MANNER = re.compile(r"[笑哭叹嘆怒声聲道说說着著地音语語气氣泪淚沉默思想闭閉眼头頭手点點摇搖]|.*(?:ing|ly|ed)$")
NAMED_BEFORE = re.compile(r"(?P<who>[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}),? [\"“][^\"“”]*[\"”]")
OWN_WORDS = frozenset({"I", "No", "Yes", "Remember", "Well", "Oh", "And", "But", "The", "My"})
TITLE = re.compile(rf"(?!(?:{wiki.SAID.pattern}|{wiki.WHO.pattern})$).+", re.IGNORECASE)  # of a column that is neither
QUOTE_MARKS = '"“”「」『』'
PAIRS = {"“": "”", "「": "」", "『": "』", '"': '"'}
UNQUOTED = "in no quotation marks, in a list that has them"
NOBODYS = ("—", "–")  # a line by itself: to whom, and where
TO_WHOM = re.compile(r"\s*[,，(（]|\s+to\s+|\s*[对對]")


def is_of_lines(title: str) -> bool:
    """Whether a heading says that what stands below it is spoken."""
    bare = to_simplified(title[:LONGEST]).strip(" :：")
    return len(title) < LONGEST and QUOTES.fullmatch(OF_A_LIST.sub("", bare)) is not None


def of_lines(title: str, names: Collection[str]) -> str:
    """What a heading calls the lines below it, without the character's name (季无尘语录); empty where it calls none."""
    bare = title.strip(" *:：")
    for name in names:
        bare = re.sub(rf"^{re.escape(name)}\s*(?:的|'s|’s)?\s*", "", bare, flags=re.IGNORECASE)
    return bare if is_of_lines(bare) else ""


def title_of_list(path: Path, names: Collection[str]) -> str:
    """What a file's name calls its lines, behind the character's name (季无尘语录.txt) or in a folder of that name."""
    stem = path.stem.replace("_", " ").replace("-", " ").strip()
    title = of_lines(spelling(stem), names)
    is_hers = title != spelling(stem) or spelling(path.absolute().parent.name) in names
    return title if is_hers else ""


def said_in_rows(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines, and of a Markdown table's rows the cell that is said: of the column called so, or else the longest."""
    column, is_head = None, True
    made: list[tuple[int, str]] = []
    for number, line in lines:
        row = line.strip()
        if not (row.startswith("|") and row.endswith("|") and len(row) > 1):
            made.append((number, line))
            is_head = True
            continue
        cells = [cell.strip() for cell in row[1:-1].split("|")]
        if is_head:
            column = next((at for at, one in enumerate(cells) if wiki.SAID.fullmatch(one)), None)
        elif not all(set(cell) <= set(":- ") for cell in cells):
            has = column is not None and column < len(cells)
            made.append((number, cells[column or 0] if has else max(cells, key=len)))
        is_head = False
    return made


def said_in_tabs(
    lines: Sequence[tuple[int, str]],
) -> tuple[list[tuple[int, str, str]], list[tuple[int, str]]]:
    """(number, title, what is said) of the rows of tables of tabs, where a head says which cell that is; other lines.

    Where a column says who speaks, the name stands before what is said; the title is the first of the other cells.
    """
    said, others = list[tuple[int, str, str]](), list[tuple[int, str]]()
    head: list[str] = []
    for number, line in lines:
        cells = [cell.strip() for cell in line.split("\t")]
        if any(map(wiki.SAID.fullmatch, cells)) and len(cells) > 1:
            head = cells
        elif head and len(cells) == len(head):
            text, who, title = (
                next((cell for name, cell in zip(head, cells, strict=True) if form.fullmatch(name)), "")
                for form in (wiki.SAID, wiki.WHO, TITLE)
            )
            said += [(number, title, f"{who}：{text}" if who else text)] if text else []
        else:
            others.append((number, line))
    return said, others


def quoted_lines(
    path: Path, lines: Sequence[tuple[int, str]], names: Collection[str], *, only_quoted: bool = False
) -> Iterator[RawRecord]:
    """Each line as its speaker's: whom it names before it, who signs it, else the character.

    With `only_quoted` a line without a speaker that is in no quotation marks is nobody's.
    """
    for number, line in without_numbers(lines):
        if line and not line.startswith(NOBODYS):
            is_none = only_quoted and not (is_quoted(line) or spoken_line(line))
            speaker, text, unusable = (CHARACTER, line, UNQUOTED) if is_none else _said(line, names)
            why = "under a heading for lines"
            yield RawRecord(f"{path}:{number}", speaker, text, kind="dialogue", why=why, unusable=unusable)


def without_numbers(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines of a list, without the numbers before them where most have one: 3、“…”."""
    some = [line for _, line in lines if line]
    is_numbered = 2 * sum(NUMBER.match(line) is not None for line in some) > len(some) > 1
    return [
        (number, NUMBER.sub("", line, count=1) if NUMBER.match(line) and (is_numbered or is_quoted(line)) else line)
        for number, line in lines
    ]


def is_quoted(line: str) -> bool:
    """Whether it begins with a quotation, behind the number that a list has, or its speaker."""
    bare = NUMBER.sub("", line.strip(), count=1) if NUMBER.match(line.strip()) else line.strip()
    spoken = spoken_line(bare)
    return (spoken["text"] if spoken else bare).lstrip()[:1] in PAIRS


def _said(line: str, names: Collection[str]) -> tuple[str, str, str]:
    """Who says what, and why it is not usable."""
    if (behind := BEHIND.search(line)) and _is_by_another(behind["comment"], names):
        return CHARACTER, line, "a comment that somebody else may say it"
    if headed := HEADED.fullmatch(line):
        return headed["key"], _bare(headed["text"]), ""
    if spoken := spoken_line(line):
        return spoken["speaker"], _bare(spoken["text"]), ""
    speaker = CHARACTER
    if signed := SIGNED.search(line):
        who = signed["who"].strip(" ()（）[]")
        speaker, line = CHARACTER if _is_own(who, names) else who, line[: signed.start()]
    line = line.strip()
    if line[:1] in PAIRS and (aside := ASIDE.search(line)):
        who = aside[0].strip(" ()（）")
        line, is_named = line[: aside.start()], speaker == CHARACTER and _is_name(who, names)
        speaker = who if is_named else speaker
    return speaker, _bare(_without_place(line)), "a quotation with what is told" if _is_told(line, names) else ""


def _is_name(text: str, names: Collection[str]) -> bool:
    """Whether what stands in brackets behind a quotation may be somebody else: capitals, or a few characters."""
    return not _is_own(text, names) and NAME.fullmatch(text) is not None and MANNER.search(text) is None


def may_name_somebody(title: str) -> bool:
    """Whether a heading below a list's own may be the name of somebody whose lines stand there."""
    return NAME.fullmatch(title) is not None and not PART.fullmatch(title) and not PLACE.match(title)


def _is_own(signed: str, names: Collection[str]) -> bool:
    """Whether who signs a line, and for whom, or where it is from, is the character, or nobody: 小满，第二章 is not."""
    first = TO_WHOM.split(signed)[0]
    by = spelling(first)
    if by in names or any(by in name.split() for name in names):
        return True
    is_somebody = first != signed and NAME.fullmatch(first) and not PLACE.match(first)
    return PLACE.match(signed) is not None and not is_somebody


def _is_by_another(comment: str, names: Collection[str]) -> bool:
    """Whether the comment says, or doubts, that somebody else than the character has said it."""
    is_own = any(re.match(rf"[是由]?{re.escape(name)}(?:自己|本人)?[说說讲講]", spelling(comment)) for name in names)
    return not is_own and BY_ANOTHER.fullmatch(to_simplified(comment)) is not None


def _is_told(line: str, names: Collection[str]) -> bool:
    """Whether something stands between quotations, or before or after one: who says it."""
    if (named := NAMED_BEFORE.fullmatch(line)) and spelling(named["who"]) not in names:
        return named["who"] not in OWN_WORDS
    rest = _behind(line)
    return any(char.isalnum() for char in rest) and not PLACE.match(rest)


def _behind(line: str) -> str:
    """What stands behind a quotation with which the line begins."""
    closing = PAIRS.get(line[:1])
    end = line.find(closing, 1) if closing else -1
    return line[end + 1 :].strip() if end > 0 else ""


def _without_place(line: str) -> str:
    """The quotation without where it is from."""
    rest = _behind(line)
    return line.removesuffix(rest) if rest and PLACE.match(rest) else line


def _bare(text: str) -> str:
    """The text without the marks around all of it."""
    text = text.strip().strip(QUOTE_MARKS)
    return text[1:].strip(QUOTE_MARKS + " ") if text.startswith("*") and text.count("*") == 1 else text
