"""What is wrong with texts, and what is done about it: each step a pure function whose name stands in the report."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

Alternatives = Literal["split", "first", "second"]

CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
CJK_MARKS = "\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20…—“”‘’"
INVISIBLE = re.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")
SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f]{2,}|[\u00a0\u2000-\u200a\u202f\u205f]")
MARKUP = re.compile(r"</?(?:color|size|font|span|b|i|u|s|em|strong|p|center)(?:[ =#][^<>]*)?>", re.IGNORECASE)
LINE_BREAK = re.compile(r"<br\s*/?>|\\n|\r\n?", re.IGNORECASE)
GENDERED = re.compile(r"\{M#?(?P<m1>[^{}]*)\}\{F#?(?P<f1>[^{}]*)\}|\{F#?(?P<f2>[^{}]*)\}\{M#?(?P<m2>[^{}]*)\}")
USER_NAME = re.compile(r"\{NICKNAME\}|\{\{\s*user\s*\}\}|<USER>", re.IGNORECASE)
CHARACTER_NAME = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)
CHOICE = re.compile(r"\{\{\s*(?:random|pick)\s*:{1,2}\s*(?P<first>[^{},]*?)(?:(?:,|::)[^{}]*)?\}\}", re.IGNORECASE)
DROPPED = re.compile(r"\{\{//[^{}]*\}\}|\{/?(?:RUBY|LINK|SPRITE_PRESET|COLOR|TEXTJOIN)\b[^{}]*\}|\{\{trim\}\}|<START>")
PLACEHOLDER = re.compile(r"\{\{[^{}]+\}\}|\{[A-Z_]{2,}[^{}]*\}|\{[MF]#?[^{}]*\}|<USER>|<BOT>", re.IGNORECASE)
OPTION_TAG = re.compile(r"[（(][^（）()]{0,16}(?:选项|选择)[^（）()]{0,16}(?:触发|出现|分支|对话)[^（）()]{0,8}[）)]")
ELLIPSES = re.compile(r"⋯+|·{6,}|\.{3,}")
SHORT_ELLIPSES = re.compile(r"·{3,5}|(?<!…)…(?!…)|…{3,}")
HALF_WIDTH = re.compile(rf"(?<=[{CJK}{CJK_MARKS}])[,!?;:]+|[,!?;:]+(?=[{CJK}{CJK_MARKS}])")
WIDE = str.maketrans(",!?;:", "，！？；：")
MISREAD = {"「」": ("[［", "]］"), "『』": ("[［", "]］"), "（）": ("(", ")")}
PAIRS = ("「」", "『』", "（）", "“”", "《》", "【】")
WORD_PAIRS = (
    ("他们", "她们"), ("他", "她们"), ("他", "她"), ("大哥哥", "大姐姐"), ("哥哥", "姐姐"), ("哥哥", "妹妹"),
    ("哥哥", "荧"), ("空", "荧"), ("王子", "公主"), ("先生", "女士"), ("先生", "小姐"), ("爷爷", "奶奶"),
    ("少年", "少女"), ("小子", "丫头"), ("帅气", "漂亮"), ("弟弟", "妹妹"), ("he", "she"), ("him", "her"),
    ("his", "her"), ("himself", "herself"), ("brother", "sister"), ("Mr.", "Ms."), ("sir", "madam"),
)  # fmt: skip
WORD_PAIR = re.compile(
    "|".join(
        rf"(?<![A-Za-z]){re.escape(a)}\s?[/／]\s?{re.escape(b)}(?![A-Za-z])"
        for one, other in sorted(WORD_PAIRS, key=lambda pair: -len(pair[0] + pair[1]))
        for a, b in ((one, other), (other, one))
    )
)
AFTER_SENTENCE = re.compile(r"[。！？…⋯·~～.!?）)」』”\"][\s\"]*[/／]")
SLASH = re.compile(r"\s*[/／]\s*")
BEFORE_NAME = re.compile(
    r"(?:^|(?<=[。！？…⋯）)」』”.!?/／&＆\n]))\s*(?P<name>[^\s:：。！？…（）()「」/／][^:：。！？…（）()「」/／\n]{1,11}?)\s*[:：]"
)
THOUGHT = ("（", "）"), ("(", ")")
SHORT = 3  # content characters: a sigh, a yes, a name


@dataclass(frozen=True, slots=True)
class CleaningRules:
    """What the recipe says of cleaning, as plain values.

    `user_name` stands for {{user}} and {NICKNAME}; None takes 朋友 or "friend", by the text's script. `alternatives`
    says what becomes of `a/b`: sentences are split into records of their own or resolved to one, words are resolved
    (`split` takes the first). `short_lines` lines of 1 to 3 characters are kept. `inner_thoughts` keeps lines that
    stand whole in brackets.
    """

    user_name: str | None = None
    alternatives: Alternatives = "split"
    short_lines: int = 0
    inner_thoughts: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of cleaning: what the report calls it, what it does, how its problem is found, and the deed.

    `apply(text, rules, character)` gives the text without the problem.
    """

    name: str
    treatment: str
    found: Callable[[str], bool]
    apply: Callable[[str, CleaningRules, str], str]


def content_characters(text: str) -> int:
    """How many of its characters are letters or digits of any script."""
    return sum(unicodedata.category(char)[0] in "LN" for char in text)


def has_cjk(text: str) -> bool:
    """Whether it has a Chinese, Japanese or Korean character."""
    return _CJK.search(text) is not None


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
    """Whether a game's or a card's placeholder stands in it."""
    return "{" in text and PLACEHOLDER.search(text) is not None


def normalise_unicode(text: str) -> str:
    """Composed characters (NFC), no invisible ones, plain single spaces. Full-width characters stay what they are."""
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    return SPACES.sub(" ", INVISIBLE.sub("", composed)).strip()


def strip_markup(text: str) -> str:
    """The text without tags of colour and style; tags and escapes that break lines break them."""
    return MARKUP.sub("", LINE_BREAK.sub("\n", text))


def resolve_placeholders(text: str, rules: CleaningRules, character: str) -> str:
    """{{char}}, {{user}}, {NICKNAME}, {M#...}{F#...} and their like replaced by what they stand for."""
    second = rules.alternatives == "second"

    def gendered(match: re.Match[str]) -> str:
        male, female = (match["m1"], match["f1"]) if match["m1"] is not None else (match["m2"], match["f2"])
        return female if second else male

    user = rules.user_name or ("朋友" if has_cjk(text) else "friend")
    resolved = CHOICE.sub(lambda match: match["first"], DROPPED.sub("", GENDERED.sub(gendered, text)))
    return CHARACTER_NAME.sub(lambda _: character, USER_NAME.sub(lambda _: user, resolved)).strip()


def strip_leading_hash(text: str) -> str:
    """The text without the # that dumps put before lines with placeholders; "#1" and "# title" keep theirs."""
    return text[1:] if _is_hashed(text) else text


def strip_option_tags(text: str) -> str:
    """The text without remarks such as （选项一触发）."""
    return OPTION_TAG.sub("", text).strip()


def resolve_word_pairs(text: str, rules: CleaningRules) -> str:
    """他/她, 哥哥/妹妹, he/she: one of the two."""
    second = rules.alternatives == "second"
    return WORD_PAIR.sub(lambda match: SLASH.split(match[0])[second], text)


def unify_ellipses(text: str) -> str:
    """⋯, ······ and ... become …… in a text that is not in Latin letters."""
    return ELLIPSES.sub("……", text) if _is_not_latin(text) else text


def lengthen_ellipses(text: str) -> str:
    """A single … and ··· become …… there, as Chinese writes it."""
    return SHORT_ELLIPSES.sub("……", text) if _is_not_latin(text) else text


def widen_punctuation(text: str) -> str:
    """Half-width , ! ? ; : become full-width beside a CJK character."""
    return HALF_WIDTH.sub(lambda match: match[0].translate(WIDE), text)


def balance_marks(text: str) -> str:
    """Brackets and quotation marks in pairs: what was misread as [ ] or ( ) restored, what lacks its other half mended.

    A mark that opens the text is closed at its end; any other without a partner goes.
    """
    for pair in PAIRS:
        text = _mend_lone(_restore_misread(text, pair), pair)
    return text


def split_alternatives(text: str, rules: CleaningRules) -> list[str]:
    """Whole sentences parted by a slash, a player's options, one by one; any other text is its own only part."""
    if "/" not in text and "／" not in text:
        return [text]
    if not AFTER_SENTENCE.search(_outside_quotes(text)):
        return [text]
    quoted = _outside_quotes(text)
    starts = [0, *(match.end() for match in SLASH.finditer(quoted))]
    ends = [*(match.start() for match in SLASH.finditer(quoted)), len(text)]
    parts = [text[start:end].strip() for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]
    if rules.alternatives == "split" or len(parts) < 2:
        return parts or [text]
    return [parts[rules.alternatives == "second"]]


def split_glued(speaker: str, text: str, names: Collection[str]) -> list[tuple[str, str]]:
    """(speaker, text) parts of a line into which the lines of other known speakers were glued, as "Name: ..."."""
    if ":" not in text and "：" not in text:
        return [(speaker, text)]
    cuts = [match for match in BEFORE_NAME.finditer(text) if match["name"].strip() in names]
    if not cuts:
        return [(speaker, text)]
    speakers = [speaker, *(cut["name"].strip() for cut in cuts)]
    starts = [0, *(cut.end() for cut in cuts)]
    ends = [*(cut.start() for cut in cuts), len(text)]
    parts = [
        (who, text[start:end].strip().rstrip("/／&＆").strip())
        for who, start, end in zip(speakers, starts, ends, strict=True)
    ]
    return [(who, part) for who, part in parts if part] or [(speaker, text)]


_CJK = re.compile(f"[{CJK}]")
_LATIN = re.compile("[A-Za-z]")


def _is_not_latin(text: str) -> bool:
    return has_cjk(text) or not _LATIN.search(text)


def _is_hashed(text: str) -> bool:
    return text.startswith("#") and len(text) > 1 and not (text[1].isdigit() or text[1].isspace() or text[1] == "#")


def _closes_at_end(text: str, opening: str, closing: str) -> bool:
    depth = 0
    for position, char in enumerate(text):
        depth += (char == opening) - (char == closing)
        if depth == 0:
            return position == len(text) - 1
    return False


def _outside_quotes(text: str) -> str:
    """The text with what is quoted in 「」 blanked out, so that a slash in a verse parts nothing."""
    return re.sub(r"「[^「」]*」", lambda match: "「" + "_" * (len(match[0]) - 2) + "」", text)


def is_unbalanced(text: str) -> bool:
    """Whether a bracket or quotation mark lacks its other half."""
    return any(_lone(text, pair) for pair in (*PAIRS, "()", "[]"))


def _restore_misread(text: str, pair: str) -> str:
    """A [ or ] where the other half of a lone 「 or 」 should be, a ( or ) where that of a （ or ） should."""
    looks = MISREAD.get(pair)
    if looks is None or text.count(pair[0]) == text.count(pair[1]):
        return text
    chars = list(text)
    for lone in _lone(text, pair):
        if chars[lone] == pair[0]:
            there = next((i for i in range(lone + 1, len(chars)) if chars[i] in looks[1]), None)
        else:
            there = next((i for i in range(lone - 1, -1, -1) if chars[i] in looks[0]), None)
        if there is not None:
            chars[there] = pair[1] if chars[lone] == pair[0] else pair[0]
    return "".join(chars)


def _mend_lone(text: str, pair: str) -> str:
    lone = _lone(text, pair)
    if lone == [0] and text[0] == pair[0]:
        return text + pair[1]
    return "".join(char for index, char in enumerate(text) if index not in lone) if lone else text


def _lone(text: str, pair: str) -> list[int]:
    """The positions of marks without a partner."""
    if pair[0] not in text and pair[1] not in text:
        return []
    waiting: list[int] = []
    lone: list[int] = []
    for index, char in enumerate(text):
        if char == pair[0]:
            waiting.append(index)
        elif char == pair[1]:
            if waiting:
                waiting.pop()
            else:
                lone.append(index)
    return sorted(lone + waiting)


def _tidied(before: str, after: str) -> str:
    """What a step leaves, without the spaces around what it took away."""
    return after if after == before else normalise_unicode(after)


def _widens(text: str) -> bool:
    return HALF_WIDTH.search(text) is not None


# In the order in which they are taken.
STEPS: tuple[Step, ...] = (
    Step(
        "markup",
        "strip tags, break lines where they do",
        lambda text: MARKUP.search(text) is not None or LINE_BREAK.search(text) is not None,
        lambda text, rules, character: strip_markup(text),
    ),
    Step(
        "unicode",
        "compose, drop invisible characters and doubled spaces",
        lambda text: normalise_unicode(text) != text,
        lambda text, rules, character: normalise_unicode(text),
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
        lambda text: ("/" in text or "／" in text) and WORD_PAIR.search(text) is not None,
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
