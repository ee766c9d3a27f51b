"""The words of a report in its character's language: English in the code, any other language as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from markupsafe import Markup, escape

from pipeline.conversations.persona import Language

Say = Callable[..., Markup]


def words_of(language: str) -> Say:
    """A function that says one of the report's own texts in the language, with the named values in its places.

    The texts may hold markup; values, and whatever is none of the texts that are known, are escaped.
    """
    return partial(_say, read_words("zh"), language == "zh")


def plain_words_of(language: str) -> Callable[..., str]:
    """The same for a terminal, where nothing is escaped."""
    words = read_words("zh") if language == "zh" else {}
    return lambda text, /, **values: words.get(text, text).format(**values)


def _say(words: Mapping[str, str], translated: bool, text: str, /, **values: object) -> Markup:
    if text not in words:
        return escape(text)
    return Markup(words[text] if translated else text).format(**values)  # noqa: S704 - the report's own


@cache
def read_words(language: Language) -> Mapping[str, str]:
    """What each English text is in the language: `words.LANGUAGE.json`, beside this module."""
    words: dict[str, str] = json.loads(Path(__file__).with_name(f"words.{language}.json").read_text(encoding="utf-8"))
    return words
