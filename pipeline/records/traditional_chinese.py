"""Texts in traditional Chinese: read by what is written for simplified characters, and answered in their own.

The characters are data: `traditional_chinese.json`, beside this module, has those that rules and wordings are made of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# What both ways of writing have, if rarely one of them: no sign of either.
IN_BOTH = frozenset("著乾妳祂牠藉祇誌註託遊傑昇鍾徵于云余几卷后周台咸并斗准松范表干丑里洼岳夥瞭杯尸涌只系系")


@dataclass(frozen=True, slots=True)
class Characters:
    """Traditional to simplified, simplified to traditional, and the phrases in which a character is another one.

    `signs` are those by which either is told from the other.
    """

    simplified: dict[int, str]
    traditional: dict[str, str]
    phrases: re.Pattern[str]
    signs: tuple[frozenset[str], frozenset[str]]


@cache
def _characters() -> Characters:
    listed = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    pairs = {pair[0]: pair[1] for pair in _words(listed["pairs"])}
    simplified = {pair[0]: pair[1] for pair in _words(listed["further"])} | {new: old for old, new in pairs.items()}
    phrases = {one[: len(one) // 2]: one[len(one) // 2 :] for one in _words(listed["phrases"])}
    return Characters(
        str.maketrans(simplified),
        pairs | phrases,
        re.compile("|".join([*map(re.escape, phrases), f"[{''.join(pairs)}]"])),
        (frozenset(simplified) - IN_BOTH, frozenset(pairs) - IN_BOTH),
    )


def _words(lines: list[str]) -> Iterator[str]:
    return (word for line in lines for word in line.split())


def is_traditional(text: str, *, otherwise: bool = False) -> bool:
    """Whether more of its characters are traditional ones than simplified ones; `otherwise` where none is either."""
    if text.isascii():
        return otherwise
    traditional, simplified = _characters().signs
    more = sum((char in traditional) - (char in simplified) for char in text)
    return more > 0 or (otherwise and more == 0)


def to_simplified(text: str) -> str:
    """The text in simplified characters, as long as it was: what is found in it stands at the same place."""
    return text if text.isascii() else text.translate(_characters().simplified)


def to_traditional(text: str) -> str:
    """The text in traditional characters, each the one that its phrase, or most phrases, have."""
    characters = _characters()
    return characters.phrases.sub(lambda found: characters.traditional[found[0]], text)


def as_in(original: str, made: str) -> str:
    """What was made of the original's simplified text as the original writes it, and what is new in traditional ones.

    The longest parts that stand in the text are taken as they stand there.
    """
    simplified = to_simplified(original)
    parts, start = [""], 0
    while start < len(made):
        end = start
        while end < len(made) and made[start : end + 1] in simplified:
            end += 1
        at = simplified.find(made[start:end])
        parts.append(original[at : at + end - start] if end > start else to_traditional(made[start]))
        start = max(end, start + 1)
    return "".join(parts)
