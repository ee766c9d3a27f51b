"""A question with phrases of it replaced by others that mean the same, for what no rule knows by what it asks for.

A generic rule knows the sentence's build, and keeps its words; a fact known by those words alone is not known. The
phrases of a language are `synonyms.en.json` and `synonyms.zh.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.conversations.persona import Language


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Phrases as a pattern, longer ones first, and what can stand for each; keys are in lower case."""

    pattern: re.Pattern[str]
    alternatives: Mapping[str, Sequence[str]]


@cache
def language_synonyms(language: Language) -> Synonyms:
    """The language's phrases. English ones are whole words; Chinese ones any part of a question."""
    path = Path(__file__).with_name(f"synonyms.{language}.json")
    return make_synonyms(json.loads(path.read_text(encoding="utf-8")), whole_words=language == "en")


def make_synonyms(alternatives: Mapping[str, Sequence[str]], *, whole_words: bool) -> Synonyms:
    """Synonyms out of phrases and what can stand for each."""
    longest = sorted(alternatives, key=len, reverse=True)
    either = "|".join(map(re.escape, longest)) or "(?!)"
    pattern = rf"(?<![\w'-])(?:{either})(?![\w'-])" if whole_words else either
    return Synonyms(re.compile(pattern, re.IGNORECASE), {key.lower(): tuple(own) for key, own in alternatives.items()})


def in_other_words(question: str, synonyms: Synonyms) -> list[str]:
    """The question with all known phrases replaced at once, as often as the phrase with the most alternatives has some.

    Empty where no phrase is known. A capital that begins a phrase, as at the beginning of a question, stays one.
    """
    known = [synonyms.alternatives[found.group().lower()] for found in synonyms.pattern.finditer(question)]

    def version(number: int) -> str:
        def replaced(found: re.Match[str]) -> str:
            own = synonyms.alternatives[found.group().lower()]
            text = own[number % len(own)]
            return text[0].upper() + text[1:] if found.group()[0].isupper() else text

        return synonyms.pattern.sub(replaced, question)

    return [version(number) for number in range(max(map(len, known), default=0))]
