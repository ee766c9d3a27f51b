"""A question as it would be written, where it is written as it is spoken: `whats your name`, `so, you ever fight?`."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

FINAL_PUNCTUATION = " \t\n?？。.!！…"
QUESTION_END = re.compile(r"(?<=.)[?？](?=.)", re.DOTALL)
# A sentence before the question ends in a mark after a word; `Mr.` and `St.` do not end one.
SENTENCE_END = re.compile(r"(?<=\w{4}[.!…])\s+|(?<=[。！])")


def as_written(question: str) -> str:
    """Its first sentence that asks, without the final mark, in the spelling and the build that rules are written for.

    What is before that question, and after it, is not what it asks for: `My gran spoilt me. Did yours? Be honest.`
    """
    asked, *_ = QUESTION_END.split(question.strip(), maxsplit=1)
    asked = SENTENCE_END.split(asked.strip(FINAL_PUNCTUATION))[-1]
    for pattern, text in _respellings():
        asked = pattern.sub(text, asked)
    return asked


@cache
def _respellings() -> tuple[tuple[re.Pattern[str], str], ...]:
    listed = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))["respelt"]
    return tuple((re.compile(one["from"], re.IGNORECASE), one["to"]) for one in listed)
