"""A line of a script: who speaks it and what is said, with a colon or in one of the forms without."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pipeline.records.names import MANNER
from pipeline.records.traditional_chinese import to_simplified

# A name may stand in brackets or asterisks, as scripts on wikis and forums have it: [[Page|Name]]:, {{Quote|Name}}: or
# **Name:**; {{char}}: is a placeholder, and stays. Before it may stand the mark of a list or a quotation, or a time;
# behind it how something is said: 【笑】, [冷笑], 〈笑〉, *smiles*.
SPEAKER_LINE = re.compile(
    r"(?:[-+•·*>→▶]\s+|\d{1,4}[.)、．](?:\s+|(?=[\u2e80-\U0010ffff]))|\[\d+\]\s*|\[\d{1,2}:\d\d(?::\d\d)?\]\s*)?"
    r"(?:\[\[(?:[^\[\]|]*\|)?|(?P<template>\{\{[^{}|]*\|)|\*{1,2}|\[)?"
    r"(?P<speaker>[^:：\s\[\]*|>【】][^:：\[\]*|【】]{0,40}?)(?(template)\}\}|(?:\]\]|\*{1,2}|\])?)"
    r"(?:\s*(?:\[[^\[\]]{1,12}\]|【[^【】]{1,12}】|〈[^〈〉]{1,12}〉|\*[^*]{1,12}\*)|"
    r"[(（][^()（）:：]{1,10}[:：][^()（）]{1,20}[)）])?\s*[:：](?:\*{1,2}(?=\s))?\s*(?P<text>.*)",
    re.DOTALL,
)
# Without a colon, as game scripts have it: 【名】话, [名]话[p], 名「话」, and the name in a column of its own. A script
# has one of these forms; in one that has colons they are something else: [laughs], a sign「禁止入内」, a price | 30.
OTHER_LINES = tuple(
    re.compile(form)
    for form in (
        r"【(?P<speaker>[^【】:：]{1,20})】\s*[:：]?\s*(?P<text>[^\s【].*)",
        r"\[(?P<speaker>[^\[\]=:：\s]{1,20})\]\s*[:：]?\s*(?P<text>[^\s\[].*)",
        r"(?P<speaker>[^\s「」『』“”:：，。、！？!?,.…|]{1,12})\s?(?P<text>「.*」)",
        r"(?P<speaker>[^\s|:：{}][^\t|:：{}]{0,20}?)\s*[\t|]\s*(?P<text>[^\s|][^\t|]*)",
        r"<(?!/|(?:[abip]|li|td|tr|div|span|br|h\d|ul|ol|em|strong|font|center)\b)(?P<speaker>[^\s<>:：/=][^<>:：/=]{0,20})>"
        r"\s*[:：]?\s*(?P<text>[^\s<].*)",
    )
)
# What such a line has between the name and the line might be anything; people of a script speak again and again.
_NO_NAME = r"\s:：。．.!?！？，,、;；“”\"「」『』《》()（）#*|<>\[\]【】"
_NAME = rf"(?P<speaker>(?!(?:INFO|WARN|WARNING|ERROR|DEBUG|TRACE|FATAL)\b)[^{_NO_NAME}\d-][^{_NO_NAME}]{{0,15}}"
_CAPITALS = r"(?P<speaker>[A-Z][A-Z'’]{1,15}(?: [A-Z][A-Z'’]{1,15}){0,2})"
WEAK_LINES = tuple(
    re.compile(form)
    for form in (
        rf"{_NAME}(?: [^{_NO_NAME}]{{1,15}}){{0,2}})(?:\u3000+|[ \u3000]{{2,8}})(?P<text>[^\s\u3000].*)",
        rf"{_CAPITALS}\.\s+(?P<text>\S.*)",
        rf"{_CAPITALS}\s+[-–—]{{1,2}}\s+(?P<text>\S.*)",
        rf"{_NAME})(?:——|──)(?P<text>[^\s—─].*)",
    )
)
WEAK_SHARE, LEAST_WEAK = 0.6, 3  # of the lines that have such a form, and how many of them
KAG_TAGS = re.compile(r"\[(?:p|l|r|cm|np)\]")
SAYS = re.compile(r".*[.!?…。！？~～—」”\"]|\S+\s+\S+\s+\S.*")  # a sentence, or three words; no price and no mark
MOST_COLONS = 0.2  # share of a script's lines that may have a colon where it has another form
# What is told, not who speaks: "He has one eye: the left", 他笑着说：.
TOLD = re.compile(
    r"(?:I|You|He|She|It|We|They|This|That|There|My|Your|His|Her|Its|Our|Their|And|But|So|If|When|Then|Because)"
    r"(?:['’]\w+)?,? [a-z].*|[我你他她它][^，。：:]{0,8}[说道问答想喊叫笑]|.*(?:着|传来|写道|念道)|"
    r"第[\d一二三四五六七八九十百]{1,4}[幕场場章回节節话話集].*"
)
_SOUND = r"\s*(?:BGM|SE|SFX|OS|音效|音乐|音樂|配乐|配樂|背景音|特效)\s*[:：]"
_REMARK = (
    r"\s*(?:[批备備][注註]|作者[注註]|[编編]者[注註]|[编編][辑輯][注註]|修改意[见見]|"
    r"(?:[Ee]ditor|[Aa]uthor)['’]?s? [Nn]ote|[Cc]omment)(?![^\W\d_])"
)
_ORDINAL = r"(?:\d{1,3}|[IVXLC]{1,6}|one|two|three|four|five|six|seven|eight|nine|ten)"
# SCENE 3. The stage door; Act II, Scene 1; 第三场　城门: a number, and no sentence.
_NUMBERED = (
    rf"(?i:(?:act|scene|episode|chapter|part) {_ORDINAL}(?:,? scene {_ORDINAL})?)"
    r"(?:\s*[.:—–-]\s*[^\s.:].{0,80}|[.:]?)|"
    r"第[\d一二三四五六七八九十百零〇]{1,4}[幕场場章回节節集话話](?:(?:[\s:：·—]\s*)[^。！？!?]{1,30}|[.:：]?)"
)
SCENE_TITLE = re.compile(
    rf"#+\s*(?P<hash>.+)|【(?!{_SOUND}|{_REMARK})(?P<bracket>[^【】]+)】|={{2,}}\s*(?P<equals>[^=]+?)\s*=*|[-*_=]{{3,}}|"
    rf"(?P<numbered>{_NUMBERED})"
)
# A heading of what its writer does not want: ### 废稿（不要用）, ## Draft 1 (do not use); 废弃工厂 is a place.
DISCARDED = re.compile(
    r".*(?:草稿(?![纸本])|作废|废案|废稿|弃稿|弃用|删稿|已删除?(?=\W*$)|废弃(?=\W*$|稿|片段|台词|剧情|内容)|"
    r"(?:不要|不可|别|勿|不能)再?[使采]?用(?![\u4e00-\u9fff])).*|"
    r"\W*(?:(?:old|rough|first|early) )?drafts?(?: \d+)?\W*(?:\(.*)?|"
    r".*\b(?:(?:do not|don['’]t|not to be|never) use|not used|scrapped|discarded|deprecated|obsolete)\b.*",
    re.IGNORECASE,
)
HEADLINE = re.compile(r"\d{1,3}[.)、]|(?:INT|EXT|exit|enter|exeunt)\b|第.{1,4}[幕场章回节]", re.IGNORECASE)
# In brackets or asterisks, behind a triangle, or a command of KAG's: @bg night, *scene02.
STAGE_DIRECTION = re.compile(
    rf"【(?:{_SOUND}|{_REMARK})[^【】]*】|"
    r"（[^（）]*）|\([^()]*\)|\[[^\[\]]*\]|\*[^*]+\*|[△▲▽▼].*|@\w+.*|\*\w+(?:\|.*)?"
)
QUOTED = re.compile(r"「(?P<text>.*)」|“(?P<curly>[^“”]*)”", re.DOTALL)
NAME_LETTER = re.compile(r"[^\W\d_]|[？?]")  # a name has a letter of any script; ??? is somebody not known yet
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}年\d{1,2}月")
CLOCK = re.compile(r"\d[:：][0-5]\d(?!\d)")
SCHEME = re.compile(r"(?:.*\W)?(?:https?|ftp|file|wss?|mailto|git|ssh)", re.IGNORECASE)
LABEL = re.compile(  # what a profile or a note has before a colon; two of them, each once, are no speakers
    r"(?:full )?name|age|born|birth ?(?:day|place|date)|gender|sex|height|weight|eyes?(?: colou?r)?|hair(?: colou?r)?|"
    r"species|race|job|occupation|work|role|title|home|hometown|family|pets?|likes?|dislikes?|hobb(?:y|ies)|fears?|"
    r"personality|appearance|background|history|status|notes?|to-?do|fixme|nb|p\.?s|ideas?|remember|place|location|date|time|when|where|source|tags?|"
    r"姓名|名字|昵称|称号|年龄|生日|性别|身高|体重|种族|职业|身份|籍贯|家乡|出生地?|家庭|宠物|喜好|爱好|喜欢|讨厌|害怕|"
    r"性格|外貌|背景|来历|武器|备注|注意?|待办|待补|疑问|时间|地点",
    re.IGNORECASE,
)


def is_discarded(title: str) -> bool:
    """Whether a heading says that what stands below it is a draft, or not to be used."""
    return DISCARDED.fullmatch(to_simplified(title)) is not None


def spoken_line(line: str) -> re.Match[str] | None:
    """The speaker and the text of a line that somebody speaks; None where what stands before the colon is no name.

    Dates, clock times (`Orla at 7:30`), numbers, URLs and sentences (`He has one eye`) are no names.
    """
    found = SPEAKER_LINE.fullmatch(line)
    if found is None or not is_named(found) or DATE.search(found["speaker"]):
        return None
    is_clock = CLOCK.match(line, found.end("speaker") - 1)
    is_address = found["text"].startswith("//") and SCHEME.fullmatch(found["speaker"])
    return None if is_clock or is_address else found


def line_of(line: str, forms: Sequence[re.Pattern[str]]) -> re.Match[str] | None:
    """The speaker and the text of a script's line, with a colon or in one of the script's forms."""
    if found := spoken_line(line):
        return found
    return next((found for form in forms if (found := form.fullmatch(line)) and is_named(found)), None)


def is_named(found: re.Match[str]) -> bool:
    """Whether what stands where the speaker does may be a name."""
    name = MANNER.sub("", found["speaker"]) or found["speaker"]
    if name.count("（") + name.count("(") > name.count("）") + name.count(")"):  # ■米拉（CV：安） is a heading
        return False
    return bool(NAME_LETTER.search(name)) and not TOLD.fullmatch(name) and not any(mark in name for mark in "，。；！")


def form_of(lines: Sequence[str]) -> re.Pattern[str] | None:
    """Which form without a colon the lines have, if hardly one of them has a colon after a name."""
    lines = [line for line in lines if line and not STAGE_DIRECTION.fullmatch(line)]
    colons = sum(spoken_line(line) is not None for line in lines)
    if colons > MOST_COLONS * len(lines):
        return None
    found = {form: _found(form, lines) for form in OTHER_LINES}
    found |= {form: some for form in WEAK_LINES if _speak_again(some := _found(form, lines), len(lines))}
    form = max(found, key=lambda one: len(found[one]))
    says = sum(SAYS.fullmatch(KAG_TAGS.sub("", one["text"]).strip()) is not None for one in found[form])
    return form if 2 * says > len(found[form]) else None


def _found(form: re.Pattern[str], lines: Sequence[str]) -> list[re.Match[str]]:
    return [one for line in lines if (one := form.fullmatch(line)) and is_named(one)]


def _speak_again(found: Sequence[re.Match[str]], lines: int) -> bool:
    """Whether most lines have the form, and most of these a speaker who has several: labels come once."""
    names = Counter(one["speaker"] for one in found)
    again = sum(count for name, count in names.items() if count > 1 and not LABEL.fullmatch(name))
    return len(found) >= max(LEAST_WEAK, WEAK_SHARE * lines) and 2 * again >= len(found)


def unquote(text: str) -> str:
    """The text without the quotation marks around all of it."""
    quoted = QUOTED.fullmatch(text)
    if quoted is None:
        return text
    inner = quoted["text"] if quoted["text"] is not None else quoted["curly"]
    depth = 0
    for char in inner:
        depth += {"「": 1, "」": -1}.get(char, 0)
        if depth < 0:  # 「一」二「三」 is not quoted as a whole
            return text
    return inner
