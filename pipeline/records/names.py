"""Names that are the character's, or may be, written in another way."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from difflib import SequenceMatcher

from pipeline.records.raw import CHARACTER, RawRecord

ALIKE = 0.8  # share of two names' letters that stand in the same order, above which they may be one
SHORTEST = 2  # letters of a name that may stand for a longer one
# Behind a name, how something is said, or from where: (laughing), O.S., 画外音.
MANNER = re.compile(
    r"(?<!\s)\s*(?:\([^()]*\)|（[^（）]*）)$|(?<!\s)\s+(?:O\.?S\.?|V\.?O\.?|画外音|心声|内心|独白)$|"
    r"(?<=[\u2e80-\u9fff])(?:O\.?S\.?|V\.?O\.?|画外音)$"
)
# There it may also stand that somebody only seems to be the one who is named: （假）, （柳三娘假扮）, (impostor).
PRETENDED = re.compile(
    r"[(（]\s*(?:(?:[假伪偽赝贗][货貨的]?|冒牌[货貨]?|假冒的?|替身|幻[象影觉覺]|克隆[体體]?|[复複][制製][体體品]?)|"
    r"[^()（）]{1,20}(?:假扮|[扮假]演|冒充|假冒|易容|附身|附體|伪装|偽裝)的?|"
    r"(?:the )?(?:fake|false|impost[eo]r|clone|copy|doppelg[aä]nger|illusion)(?: one)?|"
    r"(?:played|impersonated|possessed) by [^()]{1,30}|[^()]{1,30} (?:pretending|disguised|in disguise))\s*[)）]$",
    re.IGNORECASE,
)

# What makes a longer name no name but the beginning of a sentence: 沈阿棠心想, 裴照问沈阿棠, Mira said.
TELLS = re.compile(
    r".*(?:[说說道问問答喊叫骂罵笑叹嘆想听聽]|[看望盯指][看着著了向]?|[着著地了])|"
    r"(?:.* )?(?:said|says|asked|asks|replied|thought|thinks)(?: .*)?"
)


def spelling(name: str) -> str:
    """What all ways to write a name have in common: ORLA FINCH and Orla  Finch have the same."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def with_one_name(raw: RawRecord, name: str, spellings: frozenset[str]) -> RawRecord:
    """The record with the character's lines, and its turns in what stands before, under one name.

    Of a speaker how something is said may follow the name; in its own it counts: 士兵（甲） is no 士兵（乙）.
    """

    def one(speaker: str) -> str:
        return name if _is_one_of(speaker, spellings) else speaker

    context = tuple(replace(turn, speaker=one(turn.speaker)) for turn in raw.context)
    return replace(raw, speaker=one(raw.speaker), context=context)


@functools.lru_cache(maxsize=1 << 12)  # the same few people speak all the time
def _is_one_of(speaker: str, spellings: frozenset[str]) -> bool:
    if spelling(speaker) in spellings:
        return True
    return not PRETENDED.search(speaker[-64:]) and spelling(MANNER.sub("", speaker)) in spellings


def without_own_label(raw: RawRecord, names: Collection[str]) -> RawRecord:
    """The record without its speaker's own name before what is said, `Mira: Come in.`, in turns before it as well.

    The character is called all the `names`. A passage may well begin so: there it is what the text is about.
    """

    def said(speaker: str, text: str) -> str:
        if ":" not in text and "：" not in text:
            return text
        called = tuple(names) if speaker == CHARACTER or speaker in names else (speaker,)
        label = _own_label(called).match(text)
        return text[label.end() :] or text if label else text

    is_passage = raw.kind == "background" or raw.unusable
    text = raw.text if is_passage else said(raw.speaker, raw.text)
    before = [said(turn.speaker, turn.text) for turn in raw.context]
    if text == raw.text and all(one == turn.text for one, turn in zip(before, raw.context, strict=True)):
        return raw
    context = tuple(replace(turn, text=one) for one, turn in zip(before, raw.context, strict=True))
    return replace(raw, text=text, context=context)


@functools.lru_cache(maxsize=1 << 12)  # the same few people speak all the time
def _own_label(names: tuple[str, ...]) -> re.Pattern[str]:
    """One of the names before a colon where a text begins, `**Mira:**` too."""
    called = "|".join(re.escape(name) for name in names if name) or r"(?!)"
    return re.compile(rf"(\*{{0,2}})(?:{called})(?:\1[ \t]*[:：]|[ \t]*[:：]\1)[ \t]*")


def near_names(name: str, speakers: Mapping[str, int]) -> dict[str, int]:
    """Of other speakers (with the number of their lines) those whose name is nearly this one, most lines first.

    Nearly: one holds the other (Orla, Orla Finch; 芙宁娜, 芙宁娜·德·枫丹), or they differ by a few letters.
    """
    found = {other: count for other, count in speakers.items() if other != name and _are_near(name, other)}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def format_names(names: Mapping[str, int], most: int = 8) -> str:
    """`Orla (5), Orla F. (2)`."""
    return ", ".join(f"{name} ({count})" for name, count in list(names.items())[:most])


def _are_near(one: str, other: str) -> bool:
    short, long = sorted((_letters(one), _letters(other)), key=len)
    if len(short) < SHORTEST:
        return False
    if short in long and TELLS.fullmatch(long.replace(short, "", 1).strip()):
        return False
    if short == long or _holds(long.split(), short.split()) or (not short.isascii() and short in long):
        return True
    if not short.isascii() and len(short) == len(long) > SHORTEST:  # 苏婉晴, 蘇晚晴: one character otherwise
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return SequenceMatcher(None, short, long, autojunk=False).ratio() >= ALIKE


def _letters(name: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in name.casefold()).split())


def _holds(words: Iterable[str], some: Iterable[str]) -> bool:
    """Whether all of `some` are among the words."""
    return {*some} <= {*words}
