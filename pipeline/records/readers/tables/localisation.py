"""Sheets for translators: a speaker a row, and what they say in a column for each language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.records.column_words import SPEAKS
from pipeline.records.raw import ReadOptions
from pipeline.records.readers.tables.merged_cells import SPEAKER, TEXT, column_for
from pipeline.records.traditional_chinese import is_traditional

CHINESE, ENGLISH = "Chinese", "English"
# What the column of a language is called, and what one is called where it is the language that all was written in.
LANGUAGES: Mapping[str, re.Pattern[str]] = {
    language: re.compile(
        rf"(?:{words})(?:[ _-]?text|文本|文案|台[词詞]|[内內]容|[对對]白)?"
        r"(?:\s*[(（](?:source|original|原文|default|base)[)）])?",
        re.IGNORECASE,
    )
    for language, words in {
        CHINESE: r"中文|简体(?:中文)?|簡體(?:中文)?|繁[體体](?:中文)?|"
        r"chinese(?:[ _-]?\(?(?:simplified|traditional)\)?)?|"
        r"[st]chinese|zh|zh[_-](?:cn|sg|tw|hk|mo|chs|cht|han[st](?:[_-](?:cn|sg|tw|hk|mo))?)|cn|chs|cht",
        ENGLISH: r"english|en|eng|en[_-](?:us|gb|uk|au)|英文|英语|英語",
        "Japanese": r"japanese|ja|jp|jpn|ja[_-]jp|日文|日语|日本語|日語",
        "Korean": r"korean|ko|kr|ko[_-]kr|韩文|韩语|한국어|韓文|韓語",
        "German": r"german|deutsch|de|ger|de[_-]de|德文|德语|德語",
        "French": r"french|fran[cç]ais|fr|fra|fr[_-](?:fr|ca)|法文|法语|法語",
        "Spanish": r"spanish|espa[nñ]ol|es|spa|es[_-](?:es|mx|419)|西班牙[文语語]",
        "Italian": r"italian|italiano|it|ita|it[_-]it",
        "Portuguese": r"portuguese|portugu[eê]s|pt|pt[_-](?:br|pt)",
        "Russian": r"russian|ru|rus|ru[_-]ru|русский|俄文|俄语|俄語",
        "Polish": r"polish|pl|pl[_-]pl",
    }.items()
}
TRADITIONAL = re.compile(r"繁|trad|tchinese|cht\b|hant|[_-](?:tw|hk|mo)\b", re.IGNORECASE)
SOURCE = re.compile(
    r"source(?:[ _-]?(?:text|string|language))?|original(?:[ _-]text)?|原文|源文本?|源语言|源語言", re.IGNORECASE
)
WHERE_FROM = re.compile(r"source|original", re.IGNORECASE)  # an episode as well, where no column is of a language
KEYS = re.compile(r"(?:.*[\s_-])?(?:key|id|guid|namespace)|.*(?:编号|編號)|键|鍵", re.IGNORECASE)
CHOSEN = "tables read in one of their columns of several languages: {}"


def with_language(
    names: Sequence[str], options: ReadOptions, *, count: bool = False, are_lines: bool = False
) -> ReadOptions:
    """The options with the column of the character's language as the text, where a table has a speaker and no text.

    The language is that of the writing of its name. Where no column is of it, the one that all was written in will do,
    or the only one. With `count` the choice among several is counted; `are_lines` says that the rows are known to be
    what people say, and not what they are called in languages.
    """
    plain = {name.strip().lower() for name in names}
    has_speaker = are_lines or column_for(names, SPEAKER, options) is not None
    if not has_speaker or column_for(names, TEXT, options) is not None:
        return options
    if not (are_lines or plain & SPEAKS or any(KEYS.fullmatch(name) for name in plain)):
        return options
    named = {name: language for name in names if (language := _language(name))}
    chosen = _of_the_character(named, options)
    written = [name for name in names if SOURCE.fullmatch(name.strip())]
    chosen = chosen or next((name for name in written if named or not WHERE_FROM.fullmatch(name.strip())), None)
    chosen = chosen or (next(iter(named)) if len(named) == 1 else None)
    if chosen is None:
        return options
    options.remarks[CHOSEN.format(chosen)] += count and len(named) > 1
    return replace(options, columns={**options.columns, "text": chosen})


def language_for(names: Sequence[str], options: ReadOptions) -> str | None:
    """Which of the names of languages is that of the writing of the character's name; the only one will do."""
    named = {name: language for name in names if (language := _language(name))}
    return _of_the_character(named, options) or (names[0] if len(names) == 1 else None)


def is_language(name: str) -> bool:
    """Whether it is the name of a language."""
    return _language(name) is not None


def _of_the_character(named: Mapping[str, str], options: ReadOptions) -> str | None:
    """The first name of the language that the character's is written in, in its way of writing Chinese if it shows."""
    own = options.character or ""
    wanted = CHINESE if any("\u3400" <= char <= "\u9fff" for char in own) else ENGLISH
    found = [name for name in named if named[name] == wanted]
    for is_shown, of_it in ((is_traditional(own), True), (not is_traditional(own, otherwise=True), False)):
        if is_shown and wanted == CHINESE:
            found.sort(key=lambda name: (TRADITIONAL.search(name.strip()) is None) == of_it)
    return found[0] if found else None


def _language(name: str) -> str | None:
    return next((one for one, words in LANGUAGES.items() if words.fullmatch(name.strip())), None)
