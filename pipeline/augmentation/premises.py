"""False premises: what is said of the character and is wrong, which it puts right with what it knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.augmentation.address import addressed
from pipeline.augmentation.boundaries import Boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.questions import capitalised, language_rules, rule_of
from pipeline.conversations.persona import Language
from pipeline.records.comparable import contains, words
from pipeline.records.record import Record

_ARTICLE = re.compile(r"^(?:an?|the) ")
LONGEST_ANSWER = 25  # words, of Chinese characters: a longer one talks, and puts nothing right


@dataclass(frozen=True, slots=True)
class FalsePremise:
    """What is wrongly said of a fact: the messages that training may use, and those that only measuring does."""

    fact: Fact
    train: tuple[str, ...]
    test: tuple[str, ...]


def false_premises(
    facts: Sequence[Fact], records: Sequence[Record], boundaries: Boundaries, language: Language
) -> Iterator[FalsePremise]:
    """The false premises of those facts whose question a rule of the language knows.

    No value that any of the character's settings or passages has, if only in passing, is said of it; the last of the
    others is for the test alone.
    """
    texts = "\n".join(f"{record.prompt}\n{record.text}" for record in records if record.kind != "dialogue")
    by_rule = {one.rule: one for one in boundaries.premises}
    for fact in (one for one in facts if len(words(one.answer)) <= LONGEST_ANSWER):
        asked = (addressed(record.prompt, record.speaker) for record in fact.records)
        known = (rule_of(question, language_rules(language)) for question in asked)
        premise = next((by_rule[rule.name] for rule in known if rule and rule.name in by_rule), None)
        wrong = [value for value in premise.values if not contains(texts, _ARTICLE.sub("", value))] if premise else []
        if premise and len(wrong) > 1:
            yield FalsePremise(
                fact,
                tuple(_say(form, value) for value in wrong[:-1] for form in premise.questions.train),
                tuple(_say(form, wrong[-1]) for form in premise.questions.test),
            )


def _say(form: str, value: str) -> str:
    return capitalised(form.format(value=value))
