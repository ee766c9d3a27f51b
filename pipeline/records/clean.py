"""The steps of cleaning: each finds one problem of a text and corrects it, under the name that reports give it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.recipe import Alternatives
from pipeline.records.chat_text import CUSTOM_EMOJI, MENTION, has_link, name_emoji, name_mentions, shorten_links
from pipeline.records.marks import balance_marks, is_unbalanced
from pipeline.records.private_data import has_private, mask_private
from pipeline.records.text_patterns import (
    A_CJK,
    A_LATIN,
    CHARACTER_NAME,
    CHOICE,
    DROPPED,
    ELLIPSES,
    GENDERED,
    HALF_WIDTH,
    HASHTAG,
    INVISIBLE,
    LINE_BREAK,
    LOCALISED,
    MARKUP,
    OPTION_TAG,
    PLACEHOLDER,
    SHORT_ELLIPSES,
    SLASH,
    SPACES,
    USER_NAME,
    WIDE,
    WORD_PAIR,
)

THOUGHT = ("（", "）"), ("(", ")")
PRIVATE = "private data"
SHORT = 3  # content characters: a sigh, a yes, a name


@dataclass(frozen=True, slots=True)
class CleaningRules:
    """The options of cleaning.

    `user_name` stands for {{user}} and {NICKNAME}; None takes 朋友 or "friend", by the text's script. `alternatives`
    is what becomes of `a/b`: sentences are split into records of their own or resolved to one, words are resolved
    (`split` takes the first). `short_lines` lines of 1 to 3 characters are kept. `inner_thoughts` keeps lines that
    are in brackets as a whole. `mask_private` masks phone numbers and their like.
    """

    user_name: str | None = None
    alternatives: Alternatives = "split"
    short_lines: int = 0
    inner_thoughts: bool = False
    mask_private: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of cleaning: its name and treatment in the report, and how its problem is found and corrected.

    `apply(text, rules, character)` gives the text without the problem.
    """

    name: str
    treatment: str
    found: Callable[[str], bool]
    apply: Callable[[str, CleaningRules, str], str]


def content_characters(text: str) -> int:
    """How many of its characters are letters or digits of any script."""
    return sum(map(str.isalnum, text))


def has_cjk(text: str) -> bool:
    """Whether it has a Chinese, Japanese or Korean character."""
    return A_CJK.search(text) is not None


def is_short(text: str) -> bool:
    """Whether it has 1 to 3 content characters, in a script whose characters are not mere letters."""
    return has_cjk(text) and 1 <= content_characters(text) <= SHORT


def is_thought(text: str) -> bool:
    """Whether one pair of round brackets holds all of it."""
    stripped = text.strip()
    return any(
        stripped.startswith(opening) and stripped.endswith(closing) and _closes_at_end(stripped, opening, closing)
        for opening, closing in THOUGHT
    )


def has_placeholder(text: str) -> bool:
    """Whether it has a game's or a card's placeholder."""
    return any(mark in text for mark in "{<[【#$%") and PLACEHOLDER.search(text) is not None


def normalise_unicode(text: str) -> str:
    """Composed characters (NFC), no invisible ones, plain single spaces. Full-width characters stay what they are."""
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    return SPACES.sub(" ", INVISIBLE.sub("", composed)).strip()


def strip_markup(text: str) -> str:
    """The text without tags of colour and style, or a call around it; tags and escapes that break lines break them."""
    text = LOCALISED.sub(lambda match: match["text"].replace('\\"', '"'), text) if "TEXT(" in text else text
    return MARKUP.sub("", LINE_BREAK.sub("\n", text))


def resolve_placeholders(text: str, rules: CleaningRules, character: str) -> str:
    """{{char}}, {{user}}, {NICKNAME}, {玩家名}, {M#...}{F#...} and their like replaced by their values."""
    second = rules.alternatives == "second"

    def gendered(match: re.Match[str]) -> str:
        male, female = (match["m1"], match["f1"]) if match["m1"] is not None else (match["m2"], match["f2"])
        return female if second else male

    user = rules.user_name or ("朋友" if has_cjk(text) else "friend")
    named = USER_NAME.sub(lambda _: user, DROPPED.sub("", GENDERED.sub(gendered, text)))
    named = CHARACTER_NAME.sub(lambda _: character, named)  # before the choices, which may have names within them
    return CHOICE.sub(_first_choice, named).strip()


def _first_choice(found: re.Match[str]) -> str:
    """The first of what a card lets a program choose from, between :: or, without these, commas without a backslash."""
    first = re.split(r"::" if "::" in found["choices"] else r"(?<!\\),", found["choices"])[0]
    return first.replace(r"\,", ",").strip()


def strip_leading_hash(text: str) -> str:
    """The text without the # that dumps put before lines with placeholders; "#1" and "# title" keep theirs."""
    return text[1:] if _is_hashed(text) else text


def strip_option_tags(text: str) -> str:
    """The text without remarks such as （选项一触发）."""
    return OPTION_TAG.sub("", text).strip()


def resolve_word_pairs(text: str, rules: CleaningRules) -> str:
    """他/她, 哥哥/妹妹, he/she: one of the two."""
    second = rules.alternatives == "second"
    return WORD_PAIR.sub(lambda match: SLASH.split(match[0])[second], text) if _has_slash(text) else text


def unify_ellipses(text: str) -> str:
    """⋯, ······ and ... become …… in a text that is not in Latin letters."""
    return ELLIPSES.sub("……", text) if _is_not_latin(text) else text


def lengthen_ellipses(text: str) -> str:
    """A single … and ··· become …… there, as Chinese writes it."""
    return SHORT_ELLIPSES.sub("……", text) if _is_not_latin(text) else text


def widen_punctuation(text: str) -> str:
    """Half-width , ! ? ; : become full-width beside a CJK character."""
    return HALF_WIDTH.sub(lambda match: match[0].translate(WIDE), text)


def _has_slash(text: str) -> bool:
    return "/" in text or "／" in text


def _is_not_latin(text: str) -> bool:
    return has_cjk(text) or not A_LATIN.search(text)


def _is_hashed(text: str) -> bool:
    if not text.startswith("#") or len(text) < 2 or PLACEHOLDER.match(text) or HASHTAG.match(text):
        return False
    return not (text[1].isdigit() or text[1].isspace() or text[1] == "#")


def _closes_at_end(text: str, opening: str, closing: str) -> bool:
    depth = 0
    for position, char in enumerate(text):
        depth += (char == opening) - (char == closing)
        if depth == 0:
            return position == len(text) - 1
    return False


def _tidied(before: str, after: str) -> str:
    """The text after a step, without the spaces around what it removed."""
    return after if after == before else normalise_unicode(after)


def _widens(text: str) -> bool:
    return HALF_WIDTH.search(text) is not None


# In the order in which they are taken.
STEPS: tuple[Step, ...] = (
    Step(
        "emoji codes",
        "<:bell:123> becomes :bell:",
        lambda text: "<" in text and CUSTOM_EMOJI.search(text) is not None,
        lambda text, rules, character: name_emoji(text),
    ),
    Step(
        "mentions",
        "a number becomes @somebody or #channel",
        lambda text: "<" in text and MENTION.search(text) is not None,
        lambda text, rules, character: name_mentions(text),
    ),
    Step(
        "links",
        "[label](address) becomes its label, a bare one [link: host]; reject a line of nothing else",
        has_link,
        lambda text, rules, character: shorten_links(text) if has_link(text) else text,
    ),
    Step(
        "markup",
        "strip tags, break lines where they do",
        lambda text: any(one.search(text) for one in (MARKUP, LINE_BREAK, LOCALISED)),
        lambda text, rules, character: strip_markup(text),
    ),
    Step(
        "unicode",
        "compose, drop invisible characters and doubled spaces",
        lambda text: normalise_unicode(text) != text,
        lambda text, rules, character: normalise_unicode(text),
    ),
    Step(
        PRIVATE,
        "mask phone numbers, e-mail and street addresses, ids (mask_private)",
        has_private,
        lambda text, rules, character: mask_private(text) if rules.mask_private else text,
    ),
    Step(
        "placeholders",
        "resolve {NICKNAME}, {M#}{F#}, {{user}}, {{char}}",
        has_placeholder,
        lambda text, rules, character: _tidied(text, resolve_placeholders(text, rules, character)),
    ),
    Step(
        "option tags",
        "strip （选项一触发） and the like",
        lambda text: OPTION_TAG.search(text) is not None,
        lambda text, rules, character: _tidied(text, strip_option_tags(text)),
    ),
    Step(
        "word alternatives",
        "take one of 他/她, 哥哥/妹妹, he/she",
        lambda text: _has_slash(text) and WORD_PAIR.search(text) is not None,
        lambda text, rules, character: resolve_word_pairs(text, rules),
    ),
    Step(
        "unbalanced marks",
        "restore or mend quotation marks and brackets",
        is_unbalanced,
        lambda text, rules, character: _tidied(text, balance_marks(text)),
    ),
    Step("leading #", "strip", _is_hashed, lambda text, rules, character: strip_leading_hash(text)),
    Step(
        "ellipsis variants",
        "⋯ ······ ... become ……",
        lambda text: _is_not_latin(text) and ELLIPSES.search(text) is not None,
        lambda text, rules, character: unify_ellipses(text),
    ),
    Step(
        "short ellipses",
        "… and ··· become ……",
        lambda text: _is_not_latin(text) and SHORT_ELLIPSES.search(text) is not None,
        lambda text, rules, character: lengthen_ellipses(text),
    ),
    Step(
        "half-width punctuation",
        "widen , ! ? ; : beside CJK characters",
        _widens,
        lambda text, rules, character: widen_punctuation(text),
    ),
)


def clean(text: str, rules: CleaningRules, character: str) -> str:
    """The text after every step."""
    for step in STEPS:
        text = step.apply(text, rules, character)
    return text
