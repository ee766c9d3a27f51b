"""The facts that a background passage states, by rules: precision before recall.

A rule matches a clause whose subject is the character: its name, or a pronoun while nobody else has been spoken of
since. What is negated, hedged, asked or quoted is passed over. In a passage of the character's own, such as a card's
description, lists of attributes (`Age: 27`, `Likes("rain")`) state facts as well. The rules of a language are data:
`extraction.en.json`, `extraction.zh.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Language

SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]?")
# `- **Key**: value`, `[Key: value]`, `Key("value" + "value")`; several in a line are parted by semicolons.
_ENTRY = re.compile(
    r"[\s\[({*•-]*(?P<key>[^\W\d_][^\n:：=()\"“*]{0,24}?)\s*\**\s*"
    r"(?:[:：=]\s*\**\s*(?P<value>[^\n]{1,80}?)|\(\s*(?P<quoted>[\"“][^\n]{1,120}?[\"”])\s*\))[\s\])}.。]*"
)
_QUOTED = re.compile(r"[\"“]([^\"“”]+)[\"”]")
_AROUND = ' \t\r\n[]()*"'  # of a card's notes: [Orla repairs clocks.]
_SENTENCE_WITHIN = re.compile(r"[.!?] |[。！？]")
_CAPITALISED = re.compile(r"\b[A-Z][\w'-]+")
_SPACES = re.compile(r"\s{2,}")
IN_ANY_CASE = ("others", "persons", "own_titles", "names", "empty")
LONGEST_LINE = 300  # characters of a list's line, and of a clause that is trusted


@dataclass(frozen=True, slots=True)
class Rule:
    """A form of clause, or an attribute's key, that states something. `{v}` is its value, `{a}` what is left open.

    The pattern of a clause begins after the subject; its group `v` is the value, and `a`, if there is one, fills `{a}`.
    The pattern of a key may have a group `a`; `value` is what its value has to match.
    """

    type: str
    pattern: re.Pattern[str]
    value: re.Pattern[str]
    answer: str
    questions: tuple[str, ...]

    def fact(self, value: str, open_word: str, sentence: str) -> PassageFact:
        """What the rule makes of a value."""
        words = {"v": value.strip(), "a": open_word}
        questions = tuple(question.format(**words) for question in self.questions)
        return PassageFact(self.type, words["v"], sentence, self.answer.format(**words), questions)


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language names a subject and ends a clause, the rules for its clauses, and those for attributes.

    `possessive_pronouns` are those of the `pronouns` that stand for a name with 's: his works are no work of his.
    `parts_of_a_name`: each word of the name stands for the character; `rest_of_a_name` matches further names after the
    subject, such as a family name. `subject_carries_on` into the sentence's next clauses after one that stated a fact.
    `unsure` finds what makes a clause no statement; `others` are words that a value may not have: in the first person
    they would be somebody else; `persons` are words for somebody or something else that a pronoun may mean from there
    on, as it may any capitalised name but after `places_after`. `own_titles` are titles of passages that are the
    character's own, `names` the keys of attributes that say whose they are, `empty` values that say nothing.
    """

    pronouns: tuple[str, ...]
    possessive_pronouns: tuple[str, ...]
    parts_of_a_name: bool
    rest_of_a_name: re.Pattern[str]
    subject_carries_on: bool
    clause_end: re.Pattern[str]
    unsure: re.Pattern[str]
    others: re.Pattern[str]
    persons: re.Pattern[str]
    places_after: re.Pattern[str]
    rules: tuple[Rule, ...]
    own_titles: re.Pattern[str]
    names: re.Pattern[str]
    empty: re.Pattern[str]
    attributes: tuple[Rule, ...]

    def names_of(self, name: str) -> list[str]:
        """What the character is called in a passage, the longest first."""
        return sorted({name, *(name.split() if self.parts_of_a_name else ())}, key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class PassageFact:
    """What a passage's sentence says of the character, and how to ask for it."""

    type: str
    value: str
    sentence: str
    answer: str
    questions: tuple[str, ...]


@cache
def read_grammar(language: Language) -> Grammar:
    """The grammar of `extraction.LANGUAGE.json`, beside this module."""
    path = Path(__file__).with_name(f"extraction.{language}.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Grammar(
        pronouns=tuple(content["pronouns"]),
        possessive_pronouns=tuple(content["possessive_pronouns"]),
        parts_of_a_name=content["parts_of_a_name"],
        subject_carries_on=content["subject_carries_on"],
        rules=tuple(_rule(one, "pattern") for one in content["rules"]),
        attributes=tuple(_rule(one, "key") for one in content["attributes"]),
        **{name: re.compile(content[name]) for name in ("rest_of_a_name", "clause_end", "unsure", "places_after")},
        **{name: re.compile(content[name], re.IGNORECASE) for name in IN_ANY_CASE},
    )


def extract_facts(passage: str, name: str, language: Language, *, title: str = "") -> list[PassageFact]:
    """What the passage surely says of the character, in its order, to each question one answer.

    Lists of attributes count where the `title`, or the list itself, says that they are the character's.
    """
    grammar = read_grammar(language)
    stated = [*_stated_in_clauses(passage, name, grammar), *_attributes(passage, name, title, grammar)]
    found: dict[str, PassageFact] = {}  # by their first question: two answers to one would confuse
    for fact in stated:
        found.setdefault(fact.questions[0], fact)
    return list(found.values())


def _rule(fields: dict[str, Any], pattern: str) -> Rule:
    return Rule(
        fields["type"],
        re.compile(fields[pattern], re.IGNORECASE if pattern == "key" else 0),
        re.compile(fields.get("value", ".+"), re.IGNORECASE),
        fields["answer"],
        tuple(fields["questions"]),
    )


def _stated_in_clauses(passage: str, name: str, grammar: Grammar) -> Iterator[PassageFact]:
    """What the clauses state whose subject is the character."""
    own = re.compile(rf"(?:{'|'.join(map(re.escape, grammar.names_of(name)))})(?![A-Za-z])")
    pronoun = re.compile(rf"(?:{'|'.join(grammar.pronouns)})(?![a-z])", re.IGNORECASE)
    about = False  # whether a pronoun still means the character
    for sentence in (found.group().strip(_AROUND) for found in SENTENCE.finditer(passage)):
        carries_on = False
        for clause in (part.strip() for part in grammar.clause_end.split(sentence)):
            named = own.match(clause)
            subject = named or (pronoun.match(clause) if about else None)
            if subject or carries_on:
                rest = _after(subject, clause, grammar) if subject else clause
                facts = [] if sentence.endswith(("?", "？")) else list(_stated(rest, sentence, grammar))
                yield from facts
                carries_on = grammar.subject_carries_on and any(fact.type != "relation" for fact in facts)
            about = (about or bool(named)) and not _speaks_of_others(clause, own, grammar)


def _after(subject: re.Match[str], clause: str, grammar: Grammar) -> str:
    """The clause after its subject: after further names, and with 's where the subject is her or his."""
    rest = clause[subject.end() :]
    if subject[0].casefold() in grammar.possessive_pronouns:
        return f"'s{rest}"
    further = grammar.rest_of_a_name.match(rest)
    return rest[further.end() :] if further else rest


def _stated(rest: str, sentence: str, grammar: Grammar) -> Iterator[PassageFact]:
    """What a clause states of its subject, which is left out of it."""
    if grammar.unsure.search(rest):
        return
    for rule in grammar.rules:
        match = rule.pattern.match(rest)
        if match and not grammar.others.search(match["v"]):
            yield rule.fact(match["v"], match.groupdict().get("a") or "", sentence)


def _speaks_of_others(clause: str, own: re.Pattern[str], grammar: Grammar) -> bool:
    """Whether somebody else is spoken of, whom the next pronoun may mean."""
    if len(clause) > LONGEST_LINE:
        return True
    rest = own.sub("", clause)
    names = (found for found in _CAPITALISED.finditer(rest) if found.start() > 0)
    in_places = (_begins_a_place(rest, found.start(), grammar) for found in names)
    return grammar.persons.search(rest) is not None or not all(in_places)


def _begins_a_place(clause: str, start: int, grammar: Grammar) -> bool:
    """Whether the capitalised word there is a place, or goes on with the name of one."""
    before = clause[:start]
    return grammar.places_after.search(re.sub(r"(?:[A-Z][\w'-]+ )+$", "", before)) is not None


def _attributes(passage: str, name: str, title: str, grammar: Grammar) -> Iterator[PassageFact]:
    """The facts of the first list of attributes, if it is the character's."""
    names = {one.casefold() for one in grammar.names_of(name)}
    entries = list(_entries(passage, grammar))
    whose = [value.casefold() in names for _, key, value in entries if grammar.names.fullmatch(key)]
    its_own = title.strip().casefold() in names or grammar.own_titles.fullmatch(title.strip()) is not None
    if not all(whose) or not (whose or its_own):
        return
    for entry, key, value in entries:
        for rule in grammar.attributes:
            match = rule.pattern.fullmatch(key)
            if match and rule.value.fullmatch(value) and _says_something(value, grammar):
                yield rule.fact(value, (match.groupdict().get("a") or "").casefold(), entry.strip())
                break


def _says_something(value: str, grammar: Grammar) -> bool:
    return not grammar.empty.fullmatch(value) and not _SENTENCE_WITHIN.search(value)


def _entries(passage: str, grammar: Grammar) -> Iterator[tuple[str, str, str]]:
    """(entry, key, value) of the passage's first list; headings of the character's own are passed over."""
    begun = False
    for line in (_SPACES.sub(" ", line.strip()) for line in passage.splitlines() if len(line) <= LONGEST_LINE):
        parts = [(entry, *_key_and_value(entry)) for entry in re.split(r"[;；]", line) if entry.strip(_AROUND)]
        if parts and all(key for _, key, _ in parts):
            begun = True
            yield from parts
        elif begun and parts and not grammar.own_titles.fullmatch(line.strip(" []【】#*:：")):
            return  # what follows may be of somebody else


def _key_and_value(entry: str) -> tuple[str, str]:
    """The key and the value of an entry of a list; empty where it is none."""
    match = _ENTRY.fullmatch(entry)
    if not match:
        return "", ""
    value = ", ".join(_QUOTED.findall(match["quoted"])) if match["quoted"] else match["value"]
    return match["key"].strip(), value.strip().rstrip(".。,，")
