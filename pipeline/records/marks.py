"""Brackets and quotation marks in pairs: lone ones found, and corrected."""

from __future__ import annotations

MISREAD = {"「」": ("[［", "]］"), "『』": ("[［", "]］"), "（）": ("(", ")")}
PAIRS = ("「」", "『』", "（）", "“”", "《》", "【】")


def balance_marks(text: str) -> str:
    """Brackets and quotation marks in pairs: what was misread as [ ] or ( ) restored, what lacks its other half mended.

    A mark that opens the text is closed at its end; any other without a partner goes.
    """
    for pair in PAIRS:
        text = _mend_lone(_restore_misread(text, pair), pair)
    return text


def is_unbalanced(text: str) -> bool:
    """Whether a bracket or quotation mark lacks its other half."""
    return any(_lone(text, pair) for pair in (*PAIRS, "()", "[]"))


def _restore_misread(text: str, pair: str) -> str:
    """A [ or ] where the other half of a lone 「 or 」 should be, a ( or ) where that of a （ or ） should."""
    looks = MISREAD.get(pair)
    if looks is None or text.count(pair[0]) == text.count(pair[1]) or not any(look in text for look in "".join(looks)):
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
    lone = set(_lone(text, pair))
    if lone == {0} and text[0] == pair[0]:
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
