"""Who says what is quoted: what the words beside a quotation say of it, in each language."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pipeline.records.readers.scripts import attribution_en, attribution_zh


@dataclass(frozen=True, slots=True)
class Language:
    """How a language says who speaks.

    `before(told, names)` and `after(told, names, quote)` give the name, SOMEBODY, UNSAID, or nothing where the words
    before or after a quotation do not say it; `acts(told, names)` the name of whom the last sentence before a quotation
    only shows doing what goes with speech; `aside(told, names)` that of one who does so between two quotations;
    `is_one(told)` whether all of it is one sentence of one subject; `goes_on(told, quote)` whether a quotation behind
    it goes on with the sentence that it interrupts; `candidate(told, is_before=...)` what may be the name of somebody
    who speaks. With `new_paragraphs` whoever answers begins a paragraph, so what follows a question in its own is the
    same speaker's.
    """

    before: Callable[[str, Collection[str]], str]
    after: Callable[[str, Collection[str], str], str]
    acts: Callable[[str, Collection[str]], str]
    aside: Callable[[str, Collection[str]], str]
    is_one: Callable[[str], bool]
    goes_on: Callable[[str, str], bool]
    candidate: Callable[..., str]
    new_paragraphs: bool


CHINESE = Language(
    attribution_zh.before,
    attribution_zh.after,
    attribution_zh.acts,
    attribution_zh.aside,
    attribution_zh.is_one,
    attribution_zh.goes_on,
    attribution_zh.candidate,
    new_paragraphs=False,
)
ENGLISH = Language(
    attribution_en.before,
    attribution_en.after,
    attribution_en.acts,
    attribution_en.aside,
    attribution_en.is_one,
    attribution_en.goes_on,
    attribution_en.candidate,
    new_paragraphs=True,
)
