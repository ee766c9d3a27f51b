"""Texts made comparable, and split into words in a way that suits Chinese and English alike."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

# Written without spaces, so every character counts as a word: Han with its iteration marks and zero, and kana.
SPACELESS = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
BEFORE_CHINESE = "\u2e80"
CHINESE_NUMERALS = "〇零一二三四五六七八九十百千万亿两"

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WORD = re.compile(rf"[{SPACELESS}]|[^\s{SPACELESS}]+")
_RUN_OR_WORD = re.compile(rf"([{SPACELESS}]{{2,}})|([{SPACELESS}]|[^\s{SPACELESS}]+)")
TEXTS_KEPT = 1 << 14  # the same few thousand texts are compared with one another again and again
_STRIPPED = frozenset("PSCZ")  # punctuation, symbols, controls, separators: general categories' first letters


class _Spaced(dict[int, int]):
    """A table for `str.translate`, which looks each character up once a process: those of `_STRIPPED` become spaces."""

    def __missing__(self, code: int) -> int:
        self[code] = ord(" ") if unicodedata.category(chr(code))[0] in _STRIPPED else code
        return self[code]


_SPACED = _Spaced()


def letters(text: str) -> int:
    """How long the text is to a reader: a Chinese character counts as two letters."""
    return len(text) + sum(char > BEFORE_CHINESE for char in text)


@lru_cache(maxsize=TEXTS_KEPT)
def normalise(text: str) -> str:
    """`text` without what makes no difference between answers: NFKC, casefold, no punctuation, white space folded.

    Punctuation becomes a space ("Wren's" is "wren s", so Wren stands in it), but for the comma inside 1,000, which
    vanishes. Chinese characters stay as they are.
    """
    folded = _THOUSANDS.sub("", _fold(text))
    return unicodedata.normalize("NFKC", " ".join(folded.translate(_SPACED).split()))


def words(text: str) -> list[str]:
    """The normalised text's words: each Han character or kana for itself, every other run as one word."""
    return _WORD.findall(normalise(text))


@lru_cache(maxsize=TEXTS_KEPT)
def terms(text: str) -> frozenset[str]:
    """Its words, and of what is written without spaces every two neighbours, since a word of these is two as a rule."""
    found: set[str] = set()
    for run, word in _RUN_OR_WORD.findall(normalise(text)):
        found.update(map("".join, pairwise(run)) if run else [word])
    return frozenset(found)


def contains(text: str, phrase: str) -> bool:
    """Whether `phrase` stands in `text`, both normalised, neither end of it cut out of a word or a number.

    "Ann" is not in "Annoyed", 187 is not in 1875, 十九 is not in 二十九. An empty phrase stands nowhere.
    """
    wanted, within = normalise(phrase), normalise(text)
    if not wanted or wanted not in within:
        return False
    pattern = _edge(wanted[0], "<!") + re.escape(wanted) + _edge(wanted[-1], "!")
    return re.search(pattern, within) is not None


def _fold(text: str) -> str:
    if text.isascii():  # the same, sooner
        return text.lower()
    # Folding case may undo the composition and the other way round; the second time nothing is left to do (UAX #15).
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text)


def _edge(char: str, look: str) -> str:
    # What may not stand next to a phrase that begins or ends with `char`.
    if char in CHINESE_NUMERALS:
        return f"(?{look}[{CHINESE_NUMERALS}])"
    return "" if re.match(f"[{SPACELESS}]", char) else rf"(?{look}[^\s{SPACELESS}])"
