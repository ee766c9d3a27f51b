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
    r"(?:经典|常用|部分|角色|人物|名|个人)*(?:台词|语录|口头禅|名言|金句|语音|对白)(?:集|摘录|节选|台词)*",
    re.IGNORECASE,
)
HEADED = re.compile(r"【(?P<key>[^【】]{1,20})】\s*[:：]?\s*(?P<text>\S.*)")
CLOSING = '”」』"’'
SIGNED = re.compile(rf"(?<=[\s{CLOSING}])[—–-]{{1,2}}\s*(?P<who>[^—–-]{{1,40}})$")  # who said it, or where
ASIDE = re.compile(rf"(?<=[{CLOSING}])\s*[(（][^()（）]{{1,40}}[)）]$")  # where, or to whom: （对老莫）
PLACE = re.compile(
    r"第.{1,8}[话話章集卷回幕季节節]|[《「“].*|.*\d.*|(?:chapter|episode|season|act|volume|book|part|to|in|on|at|from|when|after|"
    r"before|during)\b.*|(?:对|對|在|于|於|给|給|出自|摘自).*|.*(?:[章话話集卷篇线線]|剧情|劇情|番外|片尾|片头)",
    re.IGNORECASE,
)
# In brackets behind a quotation: who has said it, unless that is how: Bram Holt, 韩渡; laughing, 冷笑.
NAME = re.compile(r"[A-Z][\w.'’-]*(?: (?:[A-Z][\w.'’-]*|of|the|de|von|van)){0,3}|[\u3400-\u9fff·]{2,4}")
MANNER = re.compile(r"[笑哭叹嘆怒声聲道说說着著地音语語气氣泪淚沉默思想闭閉眼头頭手点點摇搖]|.*(?:ing|ly|ed)$")
NAMED_BEFORE = re.compile(r"(?P<who>[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}),? [\"“][^\"“”]*[\"”]")
OWN_WORDS = frozenset({"I", "No", "Yes", "Remember", "Well", "Oh", "And", "But", "The", "My"})
QUOTE_MARKS = '"“”「」『』'
PAIRS = {"“": "”", "「": "」", "『": "』", '"': '"'}
NOBODYS = ("—", "–")  # a line by itself: to whom, and where
TO_WHOM = re.compile(r"\s*[,，(（]|\s+to\s+|\s*[对對]")


def is_of_lines(title: str) -> bool:
    """Whether a heading says that what stands below it is spoken."""
    return QUOTES.fullmatch(to_simplified(title).strip(" :：")) is not None


def of_lines(title: str, names: Collection[str]) -> str:
    """What a heading calls the lines below it, without the character's name (季无尘语录); empty where it calls none."""
    bare = title.strip(" *:：")
    for name in names:
        bare = re.sub(rf"^{re.escape(name)}\s*(?:的|'s|’s)?\s*", "", bare, flags=re.IGNORECASE)
    return bare if is_of_lines(bare) else ""


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


def quoted_lines(path: Path, lines: Sequence[tuple[int, str]], names: Collection[str]) -> Iterator[RawRecord]:
    """Each line as its speaker's: whom it names before it, who signs it, else the character."""
    for number, line in lines:
        if line and not line.startswith(NOBODYS):
            speaker, text, unusable = _said(line, names)
            why = "under a heading for lines"
            yield RawRecord(f"{path}:{number}", speaker, text, kind="dialogue", why=why, unusable=unusable)


def _said(line: str, names: Collection[str]) -> tuple[str, str, str]:
    """Who says what, and why it is not usable."""
    if headed := HEADED.fullmatch(line):
        return headed["key"], _bare(headed["text"]), ""
    if spoken := spoken_line(line):
        return spoken["speaker"], _bare(spoken["text"]), ""
    speaker = CHARACTER
    if signed := SIGNED.search(line):
        who = signed["who"].strip(" ()（）[]")
        by = spelling(TO_WHOM.split(who)[0])
        is_own = PLACE.match(who) or by in names or any(by in name.split() for name in names)
        speaker, line = CHARACTER if is_own else who, line[: signed.start()]
    line = line.strip()
    if line[:1] in PAIRS and (aside := ASIDE.search(line)):
        who = aside[0].strip(" ()（）")
        line, is_named = line[: aside.start()], speaker == CHARACTER and _is_name(who, names)
        speaker = who if is_named else speaker
    return speaker, _bare(_without_place(line)), "a quotation with what is told" if _is_told(line, names) else ""


def _is_name(text: str, names: Collection[str]) -> bool:
    """Whether what stands in brackets behind a quotation may be somebody else: capitals, or a few characters."""
    by = spelling(TO_WHOM.split(text)[0])
    is_own = PLACE.match(text) or by in names or any(by in name.split() for name in names)
    return not is_own and NAME.fullmatch(text) is not None and MANNER.search(text) is None


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
