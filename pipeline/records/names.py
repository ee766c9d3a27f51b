"""Names that may be the character's, written in another way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

ALIKE = 0.8  # share of two names' letters that stand in the same order, above which they may be one
SHORTEST = 2  # letters of a name that may stand for a longer one


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
    if short == long or _holds(long.split(), short.split()) or (not short.isascii() and short in long):
        return True
    return SequenceMatcher(None, short, long, autojunk=False).ratio() >= ALIKE


def _letters(name: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in name.casefold()).split())


def _holds(words: Iterable[str], some: Iterable[str]) -> bool:
    """Whether all of `some` are among the words."""
    return {*some} <= {*words}
