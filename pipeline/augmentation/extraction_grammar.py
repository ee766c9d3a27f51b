"""How a language says things of a character: its rules for clauses and for lists of attributes, which are data.

They stand in `extraction.en.json` and `extraction.zh.json`, beside this module.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Language
from pipeline.records.traditional_chinese import as_in, to_traditional

IN_ANY_CASE = ("doubted", "others", "persons", "own_titles", "names", "empty", "unsettled", "uncertain", "notes")
AS_WRITTEN = (
    "begins_with_somebody",
    "rest_of_a_name",
    "clause_end",
    "unsure",
    "appositive",
    "refused",
    "places_after",
    "separators",
)
NEVER = "(?!)"


@dataclass(frozen=True, slots=True)
class PassageFact:
    """What a passage's sentence says of the character, and how to ask for it."""

    type: str
    value: str
    sentence: str
    answer: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A form of clause, or an attribute's key, that states something. `{v}` is its value, `{a}` what is left open.

    The pattern of a clause begins after the subject and ends where its value has to end; its group `v` is the value,
    and `a`, if there is one, fills `{a}`. The pattern of a key may have a group `a`. `value` is what a value has to
    match, of which its own group `v`, if it has one, is taken; `refused` finds what a value may not hold. A value is
    followed by its `unit`. `is_list`: the value of an attribute may be several things; `is_speech`: it is what the
    character says. `introduces`: a clause of it is only one of a list behind the name: 林可，女，17岁.
    `further`: the clause may state more by later rules, as `is a 27 year old smith from Harrow` does.
    """

    type: str
    pattern: re.Pattern[str]
    value: re.Pattern[str]
    refused: re.Pattern[str]
    answer: str
    questions: tuple[str, ...]
    unit: str
    is_list: bool
    is_speech: bool
    introduces: bool
    further: bool

    def fact(self, value: str, open_word: str, sentence: str) -> PassageFact:
        """What the rule makes of a value."""
        words = {"v": value.strip(), "a": open_word}
        questions = tuple(question.format(**words) for question in self.questions)
        return PassageFact(self.type, words["v"], sentence, self.answer.format(**words), questions)

    def in_traditional(self) -> Rule:
        """The rule with its answer and its questions in traditional characters; it matches what it matched."""
        questions = tuple(map(to_traditional, self.questions))
        return replace(self, answer=to_traditional(self.answer), questions=questions)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a sentence states by a rule: its value, and what the rule leaves open."""

    rule: Rule
    value: str
    open_word: str
    sentence: str

    def fact(self) -> PassageFact:
        """The question and the answer that the rule makes of it."""
        return self.rule.fact(self.value, self.open_word, self.sentence)

    def fact_as_in(self, passage: str) -> PassageFact:
        """The same of a passage in traditional characters, which was read in simplified ones."""
        sentence = as_in(passage, self.sentence)
        value, open_word = as_in(sentence, self.value.strip()), as_in(sentence, self.open_word)
        return self.rule.in_traditional().fact(value, open_word, sentence)


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language names a subject and ends a clause, the rules for its clauses, and those for attributes.

    `pronouns` that mean the same person stand together, such as she and her; `possessive_pronouns` stand for a name
    with 's: his works are no work of his.
    `parts_of_a_name`: each word of the name stands for the character; `rest_of_a_name` matches further names after the
    subject, such as a family name. `subject_carries_on` into the sentence's next clauses after one that stated a fact,
    or that was an `appositive`. `unsure` finds what makes a clause no statement, `doubted` what makes a sentence none.
    `refused` and `others` are what a value may not have: signs of a further clause, and words that would be somebody
    else in the first person. `persons` are words for somebody or something else that a pronoun may mean from there
    on, as it may any capitalised name but after `places_after`; `begins_with_somebody` matches a clause whose subject
    is a name. `own_titles` are titles of passages that are the character's own, `names` the keys of attributes that
    say whose they are, `known_keys` these and those that rules know, `empty` values that say nothing, `unsettled`
    what makes one no answer: it changes, or seems; `uncertain` what does in a value that is no speech: a question mark,
    a correction; `notes` is what only its author's notes in brackets have. The things of a value stand between
    `separators`, and are written with the first of `joined` between them, and the second before the last.
    """

    pronouns: tuple[tuple[str, ...], ...]
    possessive_pronouns: tuple[str, ...]
    parts_of_a_name: bool
    rest_of_a_name: re.Pattern[str]
    subject_carries_on: bool
    clause_end: re.Pattern[str]
    unsure: re.Pattern[str]
    doubted: re.Pattern[str]
    appositive: re.Pattern[str]
    refused: re.Pattern[str]
    others: re.Pattern[str]
    begins_with_somebody: re.Pattern[str]
    persons: re.Pattern[str]
    places_after: re.Pattern[str]
    rules: tuple[Rule, ...]
    own_titles: re.Pattern[str]
    names: re.Pattern[str]
    known_keys: str
    empty: re.Pattern[str]
    unsettled: re.Pattern[str]
    uncertain: re.Pattern[str]
    notes: re.Pattern[str]
    attributes: tuple[Rule, ...]
    separators: re.Pattern[str]
    joined: tuple[str, str]

    def names_of(self, name: str) -> list[str]:
        """What the character is called in a passage, the longest first."""
        return sorted({name, *(name.split() if self.parts_of_a_name else ())}, key=len, reverse=True)

    def own_name(self, name: str) -> re.Pattern[str]:
        """Matches what the character is called."""
        return re.compile(rf"(?:{'|'.join(map(re.escape, self.names_of(name)))})(?![A-Za-z])")

    def own_pronoun(self) -> re.Pattern[str]:
        """Matches a pronoun that may mean the character."""
        words = (word for together in self.pronouns for word in together)
        return re.compile(rf"(?:{'|'.join(words)})(?![a-z])", re.IGNORECASE)

    def same_person(self, pronoun: str) -> tuple[str, ...]:
        """The pronouns that mean whom this one means."""
        return next(together for together in self.pronouns if pronoun.casefold() in together)


@cache
def read_grammar(language: Language) -> Grammar:
    """The grammar of `extraction.LANGUAGE.json`, beside this module."""
    path = Path(__file__).with_name(f"extraction.{language}.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    first, last = content["joined"]
    return Grammar(
        pronouns=tuple(tuple(together) for together in content["pronouns"]),
        possessive_pronouns=tuple(content["possessive_pronouns"]),
        parts_of_a_name=content["parts_of_a_name"],
        subject_carries_on=content["subject_carries_on"],
        rules=tuple(_clause_rule(one, content["ends"]) for one in content["rules"]),
        attributes=tuple(_rule(one, one["key"], re.IGNORECASE) for one in content["attributes"]),
        known_keys=_known_keys([content["names"], *(one["key"] for one in content["attributes"])]),
        joined=(first, last),
        **{name: re.compile(content[name]) for name in AS_WRITTEN},
        **{name: re.compile(content[name], re.IGNORECASE) for name in IN_ANY_CASE},
    )


def _clause_rule(fields: dict[str, Any], ends: dict[str, str]) -> Rule:
    """A rule whose value reaches to what may follow it, so that none is cut off."""
    return _rule(fields, f"{fields['pattern']}(?={ends[fields.get('end', 'clause')]})", 0)


def _rule(fields: dict[str, Any], pattern: str, flags: int) -> Rule:
    return Rule(
        type=fields["type"],
        pattern=re.compile(pattern, flags),
        value=re.compile(fields.get("value", ".+"), flags),
        refused=re.compile(fields.get("refused", NEVER)),
        answer=fields["answer"],
        questions=tuple(fields["questions"]),
        unit=fields.get("unit", ""),
        is_list=fields.get("list", False),
        is_speech=fields.get("speech", False),
        introduces=fields.get("introduces", False),
        further=fields.get("further", False),
    )


def _known_keys(patterns: list[str]) -> str:
    """One pattern for all keys, without their groups."""
    return "|".join(f"(?:{pattern})" for pattern in patterns).replace("(?P<a>", "(?:")
