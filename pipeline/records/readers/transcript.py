"""Scripts: "Name: line" or 名：「话」, scenes separated by blank lines or by titles."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.records.names import MANNER, spelling
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile, looks_like_json

# A name may stand in brackets or asterisks, as scripts on wikis and forums have it: [[Page|Name]]:, {{Quote|Name}}: or
# **Name:**; {{char}}: is a placeholder, and stays. Before it may stand the mark of a list or a quotation.
SPEAKER_LINE = re.compile(
    r"(?:[-+•·*>→▶]\s+|\d{1,4}[.)、．](?:\s+|(?=[\u2e80-\U0010ffff]))|\[\d+\]\s*)?"
    r"(?:\[\[(?:[^\[\]|]*\|)?|(?P<template>\{\{[^{}|]*\|)|\*{1,2}|\[)?"
    r"(?P<speaker>[^:：\s\[\]*|>【】][^:：\[\]*|【】]{0,40}?)(?(template)\}\}|(?:\]\]|\*{1,2}|\])?)"
    r"(?:\s*\[[^\[\]]{1,12}\]|[(（][^()（）:：]{1,10}[:：][^()（）]{1,20}[)）])?\s*[:：](?:\*{1,2}(?=\s))?\s*(?P<text>.*)",
    re.DOTALL,
)
WIKI_MARKS = re.compile(r"'{2,3}|</?(?:b|i|em|strong)>|^\s*:+(?=')")  # of wikis and web pages around a name or a word
# Without a colon, as game scripts have it: 【名】话, [名]话[p], 名「话」, and the name in a column of its own. A script
# has one of these forms; in one that has colons they are something else: [laughs], a sign「禁止入内」, a price | 30.
OTHER_LINES = tuple(
    re.compile(form)
    for form in (
        r"【(?P<speaker>[^【】:：]{1,20})】\s*[:：]?\s*(?P<text>[^\s【].*)",
        r"\[(?P<speaker>[^\[\]=:：\s]{1,20})\]\s*[:：]?\s*(?P<text>[^\s\[].*)",
        r"(?P<speaker>[^\s「」『』“”:：，。、！？!?,.…|]{1,12})\s?(?P<text>「.*」)",
        r"(?P<speaker>[^\s|:：{}][^\t|:：{}]{0,20}?)\s*[\t|]\s*(?P<text>[^\s|][^\t|]*)",
    )
)
KAG_TAGS = re.compile(r"\[(?:p|l|r|cm|np)\]")
SAYS = re.compile(r".*[.!?…。！？~～—」”\"]|\S+\s+\S+\s+\S.*")  # a sentence, or three words; no price and no mark
MOST_COLONS = 0.2  # share of a script's lines that may have a colon where it has another form
NAMES_ALONE = tuple(
    re.compile(one) for one in (r"【([^【】:：]{1,20})】", r"#([^\s#:：]{1,20})", r"\[([^\[\]=:：\s]{1,20})\]")
)
LEAST_ALONE, TIMES_ALONE = 4, 1.5  # of such names in a script, and how often each stands in it: a title stands once
# What is told, not who speaks: "He has one eye: the left", 他笑着说：.
TOLD = re.compile(
    r"(?:I|You|He|She|It|We|They|This|That|There|My|Your|His|Her|Its|Our|Their|And|But|So|If|When|Then|Because)"
    r"(?:['’]\w+)?,? [a-z].*|[我你他她它][^，。：:]{0,8}[说道问答想喊叫笑]|.*(?:着|传来|写道|念道)"
)
ENDED = tuple(".!?…。！？~～—)）」』”*\"'’")  # what a line that goes on in the next one does not end with
GOES_ON = tuple(",，、;；")
CLOSED_WRONGLY = tuple(f"{end}“" for end in ".!?…。！？~～—")  # the closing mark typed as the opening one
HEADLINE = re.compile(r"\d{1,3}[.)、]|(?:INT|EXT|exit|enter|exeunt)\b|第.{1,4}[幕场章回节]", re.IGNORECASE)
WRAPPED = 20  # characters of a line that may have been wrapped
MOST_JOINED = 5  # lines that a turn goes on in
NO_SPEAKER, DIRECTION = "no speaker", "a stage direction"
SCENE_TITLE = re.compile(r"#+\s*(?P<hash>.+)|【(?P<bracket>[^【】]+)】|={2,}\s*(?P<equals>[^=]+?)\s*=*|[-*_=]{3,}")
# In brackets or asterisks, or a command of KAG's: @bg night, *scene02.
STAGE_DIRECTION = re.compile(r"（[^（）]*）|\([^()]*\)|\[[^\[\]]*\]|\*[^*]+\*|@\w+.*|\*\w+(?:\|.*)?")
QUOTED = re.compile(r"「(?P<text>.*)」|“(?P<curly>[^“”]*)”", re.DOTALL)
NO_SCRIPTS = (
    ".yaml", ".yml", ".toml", ".ini", ".cfg", ".json", ".py", ".sh", ".css", ".js", ".ts", ".html", ".htm", ".xml",
    ".sql", ".java", ".c", ".h", ".cpp", ".rs", ".go", ".tex",
)  # fmt: skip
NAME_LETTER = re.compile(r"[^\W\d_]|[？?]")  # a name has a letter of any script; ??? is somebody not known yet
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}年\d{1,2}月")
CLOCK = re.compile(r"\d[:：][0-5]\d(?!\d)")
SAMPLED_LINES = 200  # lines, to recognise a transcript
SPOKEN_SHARE = 0.5  # of them
KAG_SUFFIX, KAG_SHARE = ".ks", 0.3  # of a game engine's scripts, in which much is told
MOST_ONCE = 4  # lines that may have as many speakers: in more, they are labels such as "Note:"
LABEL = re.compile(  # what a profile or a note has before a colon; two of them, each once, are no speakers
    r"(?:full )?name|age|born|birth ?(?:day|place|date)|gender|sex|height|weight|eyes?(?: colou?r)?|hair(?: colou?r)?|"
    r"species|race|job|occupation|work|role|title|home|hometown|family|pets?|likes?|dislikes?|hobb(?:y|ies)|fears?|"
    r"personality|appearance|background|history|status|notes?|remember|place|location|date|time|when|where|source|tags?|"
    r"姓名|名字|昵称|称号|年龄|生日|性别|身高|体重|种族|职业|身份|籍贯|家乡|出生地?|家庭|宠物|喜好|爱好|喜欢|讨厌|害怕|"
    r"性格|外貌|背景|来历|武器|备注|注意?|时间|地点",
    re.IGNORECASE,
)
PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether at least half of its first lines begin with a speaker, and some with the same.

    `key: value` in a settings file, or in a web page, is not.
    """
    if not file.encoding or _is_code(file.path) or looks_like_json(file):
        return False
    if file.head.startswith(b"{\\rtf") or PAGE.match(file.head.decode(file.encoding, errors="ignore")):
        return False
    lines = [line for line in _sample(file) if line]
    form = _form(lines)
    spoken, told = _speakers(lines, form)
    names = {spelling(MANNER.sub("", name)) for name in spoken}
    labels = sum(LABEL.fullmatch(name) is not None for name in spoken)
    is_labelled = len(names) == len(spoken) and (len(spoken) > MOST_ONCE or labels > 1)
    is_labelled = is_labelled or 2 * labels > len(spoken)
    least = KAG_SHARE if file.path.suffix.lower() == KAG_SUFFIX else SPOKEN_SHARE
    return bool(spoken) and len(spoken) >= least * (len(spoken) + told) and not is_labelled


def _speakers(lines: Iterable[str], form: re.Pattern[str] | None) -> tuple[list[str], int]:
    """Who speaks in the lines, and how many others there are but directions, and what stands below a name."""
    spoken, told, below = [], 0, False
    for line in lines:
        if STAGE_DIRECTION.fullmatch(line):
            continue
        if found := _spoken(line, form):
            spoken.append(found["speaker"])
            below = not found["text"]
        else:
            told, below = told + (not below), False
    return spoken, told


def _is_code(path: Path) -> bool:
    return path.suffix.lower() in NO_SCRIPTS or path.name == "Makefile"


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Turns with the turns of their scene before them."""
    path, title, sample = file.path, "", _sample(file)
    spaced, form = _is_double_spaced(sample), _form(sample)
    scene: list[tuple[str, str]] = []
    for number, line in itertools.chain(_lines(file), [(0, "")]):
        heading = SCENE_TITLE.fullmatch(line)
        if heading or not number or (not line and not spaced):
            yield from _scene(scene, title, options.window, form)
            scene = []
            if heading:
                title = next((group for group in heading.groups() if group), "").strip()
        elif line:
            scene.append((f"{path}:{number}", line))


def _lines(file: RawFile, most: int | None = None) -> Iterator[tuple[int, str]]:
    """The file's lines, stripped, the first `most` of them; a speaker's name alone on its line has a colon."""
    lines = [(number, WIKI_MARKS.sub("", line).strip()) for number, line in itertools.islice(file.lines(), most)]
    names: set[str] = set()
    for form in NAMES_ALONE:
        alone = [line for _, line in lines if form.fullmatch(line)]
        names |= {*alone} if len(alone) >= max(LEAST_ALONE, TIMES_ALONE * len({*alone})) else set()
    for number, line in lines:
        yield number, f"{line.strip('#【】[]')}：" if line in names else line


def _whole(turn: RawTurn) -> RawTurn:
    """The turn with all of its text, without a game engine's tags and the quotation marks around it."""
    return replace(turn, text=unquote(KAG_TAGS.sub("", turn.text).strip()))


def _form(lines: Sequence[str]) -> re.Pattern[str] | None:
    """Which of OTHER_LINES the lines have, if hardly one of them has a colon after a name."""
    lines = [line for line in lines if line and not STAGE_DIRECTION.fullmatch(line)]
    colons = sum(spoken_line(line) is not None for line in lines)
    if colons > MOST_COLONS * len(lines):
        return None
    found = {form: [one for line in lines if (one := form.fullmatch(line)) and _is_named(one)] for form in OTHER_LINES}
    form = max(found, key=lambda one: len(found[one]))
    says = sum(SAYS.fullmatch(KAG_TAGS.sub("", one["text"]).strip()) is not None for one in found[form])
    return form if 2 * says > len(found[form]) else None


def turns_of(lines: Iterable[tuple[str, str]], form: re.Pattern[str] | None = None) -> Iterator[RawTurn]:
    """The turns of (place, line) pairs; a stage direction, or a line without a speaker, is an unusable one.

    A line without a speaker is the rest of a turn whose text has not ended, or stands below its speaker's name.
    `form` is that of lines without a colon, where the script has one.
    """
    said: RawTurn | None = None
    joined, speakers = 0, set[str]()
    for source, raw_line in lines:
        if not (line := raw_line.strip()):
            continue
        turn = _turn(source, line, form)
        is_rest = turn.unusable == NO_SPEAKER and joined < MOST_JOINED and not line.startswith((*speakers,))
        if said and is_rest and _goes_on(said.text, line):
            said, joined = replace(said, text=_joined(said.text, line)), joined + 1
        elif said and turn.unusable == DIRECTION and not said.text:
            yield turn
        else:
            if said:
                yield _whole(said)
            said, joined = turn, 0
            speakers |= {turn.speaker} - {UNNAMED}
    if said:
        yield _whole(said)


def _goes_on(text: str, line: str) -> bool:
    """Whether the line is the rest of the text: it has none yet, or stops amid a sentence or a quotation."""
    if not text:
        return True
    if HEADLINE.match(line) or (line.isupper() and len(line) > 1):
        return False
    if text.endswith(GOES_ON):
        return True
    is_open = any(text.count(mark) > text.count(end) for mark, end in ("「」", "“”"))
    if is_open and not text.endswith(CLOSED_WRONGLY):
        return True
    return len(text) >= WRAPPED and line[0].islower() and not text.endswith(ENDED)


def _joined(text: str, line: str) -> str:
    """Both parts, with a space between them where both are words of a script that has spaces."""
    spaced = text[-1:].isascii() and line[:1].isascii()
    return f"{text} {line}".strip() if spaced else text + line


def spoken_line(line: str) -> re.Match[str] | None:
    """The speaker and the text of a line that somebody speaks; None where what stands before the colon is no name.

    Dates, clock times (`Orla at 7:30`), numbers, URLs and sentences (`He has one eye`) are no names.
    """
    found = SPEAKER_LINE.fullmatch(line)
    if found is None or not _is_named(found) or DATE.search(found["speaker"]):
        return None
    is_clock = CLOCK.match(line, found.end("speaker") - 1)
    return None if is_clock or found["text"].startswith("//") else found


def _spoken(line: str, form: re.Pattern[str] | None) -> re.Match[str] | None:
    """The speaker and the text of a script's line, with a colon or in the script's form."""
    if found := spoken_line(line):
        return found
    found = form.fullmatch(line) if form else None
    return found if found and _is_named(found) else None


def _is_named(found: re.Match[str]) -> bool:
    name = found["speaker"]
    return bool(NAME_LETTER.search(name)) and not TOLD.fullmatch(name) and not any(mark in name for mark in "，。；！")


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


def _scene(lines: list[tuple[str, str]], title: str, window: int, form: re.Pattern[str] | None) -> Iterator[RawRecord]:
    if lines:
        yield from scene_records(turns_of(lines, form), title=title, place=lines[0][0], window=window)


def _turn(source: str, line: str, form: re.Pattern[str] | None) -> RawTurn:
    if STAGE_DIRECTION.fullmatch(line):
        return RawTurn(source, UNNAMED, line, DIRECTION)
    spoken = _spoken(line, form)
    if spoken is None:
        return RawTurn(source, UNNAMED, line, NO_SPEAKER)
    return RawTurn(source, spoken["speaker"], spoken["text"].strip())


def _sample(file: RawFile) -> list[str]:
    """Its first lines, blank ones too, without the titles of scenes."""
    return [line for _, line in _lines(file, SAMPLED_LINES) if not SCENE_TITLE.fullmatch(line)]


def _is_double_spaced(lines: Sequence[str]) -> bool:
    """Whether blank lines surround nearly every line, so that blank lines separate nothing."""
    pairs = [(line, after) for line, after in itertools.pairwise(lines) if line]
    return len(pairs) >= 4 and sum(not after for _, after in pairs) >= 0.8 * len(pairs)
