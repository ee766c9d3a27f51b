"""Prose fiction: what is quoted, as the lines of those whom the words beside it name.

    沈阿棠说：“等你。”        “不回。”沈阿棠头也不抬，“我等人。”
    "Sit down," said Mira.   Mira shook her head. "No."

What pronouns say, and what nobody is said to say, are lines of nobody: context for whoever answers. What is told is
none.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from pipeline.records.clean import has_cjk
from pipeline.records.names import MANNER, spelling
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.pages import page
from pipeline.records.readers.scripts import attribution_zh
from pipeline.records.readers.scripts.attribution import CHINESE, ENGLISH, Language
from pipeline.records.readers.scripts.quotations import (
    NOT_SAID,
    SOMEBODY,
    UNSAID,
    Paragraph,
    Segment,
    joined,
    paragraphs_of,
)
from pipeline.records.readers.scripts.script_lines import SCENE_TITLE, spoken_line
from pipeline.records.readers.scripts.script_turns import NARRATION
from pipeline.records.readers.scripts.unnamed_lines import chapter_records

SUFFIXES = ("", ".txt", ".md", ".markdown", ".text", ".docx")
SAMPLED_LINES = 4000
LEAST, SHARE = 3, 0.1  # quotations that are said by a name, and their share of the paragraphs
OF_A_STORY, ITS_SHARE = 8, 0.4  # the same of what may be a page about the character; or that share of its letters
OFTEN, SHORT = 2, 3  # times that somebody with a longer name is said to speak, to be taken for a name
CHAPTER = re.compile(
    r"(?:正文\s?)?第[\d一二三四五六七八九十百千零〇两]{1,7}[章回节節卷幕].{0,30}|(?:楔子|序章|尾声|尾聲|番外.{0,12})|[IVXLC]{1,7}\.?|"
    r"(?:chapter|part|book|prologue|epilogue)\b.{0,50}|(?:[*＊※◇#~—-]\s*){3,}",
    re.IGNORECASE,
)
SPOKEN = re.compile(
    r"[.!?,…。！？，～~—–-][’”』」'\"]{0,3}$"
)  # the end of what is said; a word that is only quoted has none
NOBODY = "nobody is named as its speaker"
GOES_ON = re.compile(
    r"(?:is|are|was|were|has|have|had|will|would|can|could|do|does|did|of|that|to)\b"
)  # no comma before
MARKS = (",", "，", ":", "：", ".", "。", "!", "！", "?", "？", "…", "—")  # before what is said; before a word none
QUESTION = ("？", "?")
COMMAS = (",", "，")


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether people are said to speak in it, more often than names stand before colons as in a script."""
    is_text = file.encoding and (file.held is not None or file.path.suffix.lower() in SUFFIXES)
    if not is_text or looks_like_json(file) or file.head.lstrip().startswith((b"<", b"{\\rtf")):
        return False
    paragraphs = paragraphs_of(file, SAMPLED_LINES)
    if not any(paragraph.quotes for paragraph in paragraphs):
        return False
    language, names = _language(paragraphs), _names(paragraphs, options)
    told = [list(_attributed(one, language, names)) for one in paragraphs]
    said = sum(speaker in names for one in told for speaker, _ in one)
    quoting = sum(one.quotes for one in paragraphs)
    bare = sum(_is_script(one.text, names) for one in paragraphs)
    if said < max(LEAST, SHARE * len(paragraphs)) or 2 * bare > said:
        return False
    is_story = said >= OF_A_STORY and quoting >= ITS_SHARE * len(paragraphs)
    quoted = sum(len(part.text) for one in paragraphs for part in one.segments if part.quoted)
    is_story = is_story or quoted >= ITS_SHARE * sum(len(one.text) for one in paragraphs)
    return is_story or not page.recognises(file, options)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every quotation as a turn, with those of its chapter before it."""
    paragraphs = paragraphs_of(file)
    language, names = _language(paragraphs), _names(paragraphs, options)
    told = {f"{file.path}:{one.number}": _all_told(one) for one in paragraphs}
    turns, title = list[RawTurn](), ""
    for paragraph in (*paragraphs, None):
        heading = paragraph and _title(paragraph.text)
        if paragraph is None or heading is not None:
            yield from chapter_records(turns, told, title, options)
            turns, title = [], heading or ""
        else:
            turns += _turns(f"{file.path}:{paragraph.number}", paragraph, language, names)


def _all_told(paragraph: Paragraph) -> str:
    return "\n".join(segment.text for segment in paragraph.segments if not segment.quoted)


def _title(text: str) -> str | None:
    """The title of a chapter that the paragraph is; empty of a rule between scenes; None if it is neither."""
    if heading := SCENE_TITLE.fullmatch(text):
        return next((group for group in heading.groups() if group), "").strip()
    found = CHAPTER.fullmatch(text)
    return (text if any(char.isalnum() for char in text) else "") if found else None


def _language(paragraphs: Sequence[Paragraph]) -> Language:
    text = "".join(paragraph.text for paragraph in paragraphs[:100])
    return CHINESE if has_cjk(text) and 4 * sum(map(has_cjk, text)) > len(text) else ENGLISH


def _is_script(text: str, names: Collection[str]) -> bool:
    """Whether a name alone stands before a colon, or with how something is said behind it: 沈阿棠（笑）：."""
    found = spoken_line(text)
    return found is not None and (MANNER.sub("", found["speaker"]) in names or not found["text"])


def _names(paragraphs: Sequence[Paragraph], options: ReadOptions) -> frozenset[str]:
    """The character's names, as they are written there, and those of others who are said to speak again and again."""
    language = _language(paragraphs)
    found: Counter[str] = Counter()
    for paragraph in paragraphs:
        for told, is_before in _beside(paragraph.segments):
            found.update({language.candidate(told, is_before=is_before)} - {""})
    own = {spelling(name): name for name in options.names}
    longer = {name for name in found if any(name.startswith(mine) and name != mine for mine in own.values())}
    text = "\n".join(paragraph.text for paragraph in paragraphs) if longer else ""
    no_names = {name for name in longer if not (name.isascii() or attribution_zh.is_name(name, text))}
    written = {name for name in found if spelling(name) in own}
    others = {name for name, count in found.items() if count >= OFTEN or len(name) <= SHORT or name.isascii()}
    return frozenset({*own.values()} | written | ((longer | others) - no_names))


def _beside(segments: Sequence[Segment]) -> Iterator[tuple[str, bool]]:
    """What is told before a quotation (True), and after one."""
    for one, other in itertools.pairwise(segments):
        if one.quoted != other.quoted:
            yield (other.text, False) if one.quoted else (one.text, True)


def _turns(source: str, paragraph: Paragraph, language: Language, names: Collection[str]) -> Iterator[RawTurn]:
    """The turns of a paragraph: what one speaker says in a row is one."""
    said = list(_attributed(paragraph, language, names))
    if not said:
        yield RawTurn(source, UNNAMED, paragraph.text, NARRATION)
    for (speaker, _), some in itertools.groupby(said, key=lambda one: (one[0], one[0] in names or id(one))):
        text = _line([quote for _, quote in some])
        if speaker == UNSAID:
            yield RawTurn(source, UNNAMED, text, NOT_SAID)
        elif speaker in names:
            yield RawTurn(source, speaker, text)
        else:
            yield RawTurn(source, UNNAMED, text, not_learnt=NOBODY)


def _attributed(paragraph: Paragraph, language: Language, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """(speaker, what is said) of a paragraph's quotations; a word that is only quoted is none."""
    segments = paragraph.segments
    carried = ""  # who spoke before in the same paragraph, and is told to by what stands between
    speaker = ""
    for at, segment in enumerate(segments):
        if not segment.quoted:
            continue
        if not _is_interrupted(segments, at, language, speaker):
            speaker = _speaker(segments, at, carried, language, names)
        carried = _carried(segments, at, speaker, language, names)
        told = _told(segments, at - 1)
        is_line = SPOKEN.search(segment.text) or (speaker and (not told or told.endswith(MARKS)))
        if segment.text and is_line:
            yield speaker, segment.text


def _speaker(segments: Sequence[Segment], at: int, carried: str, language: Language, names: Collection[str]) -> str:
    """Who says the quotation at `at`: by what stands before it and after it, which may not contradict each other."""
    told, following = _told(segments, at - 1), _told(segments, at + 1)
    own = language.before(told, names) if told else ""
    behind = language.after(following, names, segments[at].text) if following else ""
    if following and not behind and _told_quote(segments, at + 2):
        behind = language.aside(following, names)
    if UNSAID in (own, behind):
        return UNSAID
    if carried and own in ("", carried) and behind in ("", carried):
        return carried
    found = {own, behind} - {""}
    if found == {own, behind} and len(found) > 1:
        return SOMEBODY
    if not found and told and at == 1 and not following and len(segments) == at + 1:
        return language.acts(told, names) or ""
    return found.pop() if found else ""


def _carried(segments: Sequence[Segment], at: int, speaker: str, language: Language, names: Collection[str]) -> str:
    """Who goes on with the next quotation, if what stands between is about this one: `said Mira.`, 裴照道，."""
    between = _told(segments, at + 1)
    if speaker not in names or not language.is_one(between) or not _told_quote(segments, at + 2):
        return ""
    if language.after(between, names, segments[at].text) != speaker and language.aside(between, names) != speaker:
        return ""
    goes_on = between.rstrip().endswith(COMMAS)
    is_answered = segments[at].text.endswith(QUESTION) and not language.new_paragraphs
    return speaker if goes_on or not is_answered else ""


def _is_interrupted(segments: Sequence[Segment], at: int, language: Language, speaker: str) -> bool:
    """Whether the quotation at `at` goes on with the sentence of `speaker` before: commas surround what is told."""
    before, told = _told_quote(segments, at - 2), _told(segments, at - 1)
    is_within = before.endswith(COMMAS) and told.endswith(COMMAS)
    return is_within and language.goes_on(told.removeprefix(speaker).strip(), segments[at].text)


def _told(segments: Sequence[Segment], at: int) -> str:
    return segments[at].text if 0 <= at < len(segments) and not segments[at].quoted else ""


def _told_quote(segments: Sequence[Segment], at: int) -> str:
    return segments[at].text if 0 <= at < len(segments) and segments[at].quoted else ""


def _line(quotes: Sequence[str]) -> str:
    """One line of its parts; a comma before what was told becomes a full stop where a new sentence follows."""
    line = ""
    for quote in quotes:
        if line.endswith(",") and GOES_ON.match(quote):
            line = line[:-1]
        elif line.endswith(",") and quote[:1].isupper() and not quote.startswith(("I ", "I'", "I’")):
            line = f"{line[:-1]}."
        line = joined(line, quote)
    if line.endswith(COMMAS):
        line = line[:-1] + ("." if line.endswith(",") else "。")
    return line
