"""The facts that a background passage states, by rules: precision before recall.

A rule matches a clause whose subject is the character: its name, or a pronoun while nobody else has become the subject
since. What is negated or hedged is passed over. In a passage of the character's own, such as a card's description,
lists of attributes (`Age: 27`, `Likes("rain")`) state facts as well. The rules of a language are data:
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
    subject, such as a family name. `possessive` after the subject makes something of the character's the subject;
    `subject_carries_on` into the sentence's next clauses where these name none. `others` are words that a value may not
    have: in the first person they would be somebody else. `own_titles` are titles of passages
    that are the character's own, and `names` the keys of attributes that say whose they are.
    """

    pronouns: tuple[str, ...]
    possessive_pronouns: tuple[str, ...]
    parts_of_a_name: bool
    rest_of_a_name: re.Pattern[str]
    possessive: str
    subject_carries_on: bool
    clause_end: re.Pattern[str]
    unsure: re.Pattern[str]
    others: re.Pattern[str]
    rules: tuple[Rule, ...]
    own_titles: re.Pattern[str]
    names: re.Pattern[str]
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
        rest_of_a_name=re.compile(content["rest_of_a_name"]),
        possessive=content["possessive"],
        subject_carries_on=content["subject_carries_on"],
        clause_end=re.compile(content["clause_end"]),
        unsure=re.compile(content["unsure"]),
        others=re.compile(content["others"]),
        rules=tuple(_rule(one, "pattern") for one in content["rules"]),
        own_titles=re.compile(content["own_titles"], re.IGNORECASE),
        names=re.compile(content["names"], re.IGNORECASE),
        attributes=tuple(_rule(one, "key") for one in content["attributes"]),
    )


def extract_facts(passage: str, name: str, language: Language, *, title: str = "") -> list[PassageFact]:
    """What the passage surely says of the character, in its order, to each question one answer.

    Lists of attributes count where the `title`, or the list itself, says that they are the character's.
    """
    grammar = read_grammar(language)
    found: dict[str, PassageFact] = {}  # by their first question: two answers to one would confuse
    for sentence, clause in _clauses_about(passage, name, grammar):
        for rule in grammar.rules:
            match = rule.pattern.match(clause)
            if match and not grammar.unsure.search(clause) and not grammar.others.search(match["v"]):
                fact = rule.fact(match["v"], match.groupdict().get("a") or "", sentence)
                found.setdefault(fact.questions[0], fact)
    for fact in _attributes(passage, name, title, grammar):
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


def _clauses_about(passage: str, name: str, grammar: Grammar) -> Iterator[tuple[str, str]]:
    """(sentence, clause without its subject) of the clauses whose subject is the character."""
    own = re.compile("|".join(map(re.escape, grammar.names_of(name))))
    pronoun = re.compile(rf"(?:{'|'.join(grammar.pronouns)})(?![a-z])", re.IGNORECASE)
    about = carries_on = False
    for sentence in (found.group().strip(_AROUND) for found in SENTENCE.finditer(passage)):
        for number, clause in enumerate(part.strip() for part in grammar.clause_end.split(sentence)):
            subject = own.match(clause) or (pronoun.match(clause) if about else None)
            if subject:
                rest, about = clause[subject.end() :], True
                if subject[0].casefold() in grammar.possessive_pronouns:
                    rest = f"'s{rest}"
                # After a possessive the sentence goes on about what is the character's.
                carries_on = grammar.subject_carries_on and not rest.startswith(grammar.possessive)
                further = grammar.rest_of_a_name.match(rest)
                yield sentence, rest[further.end() :] if further else rest
            elif number == 0:
                about = False  # the sentence is about somebody else
            elif about and carries_on:
                yield sentence, clause


def _attributes(passage: str, name: str, title: str, grammar: Grammar) -> Iterator[PassageFact]:
    """The facts of a list of attributes, if it is the character's."""
    entries = [(entry, *_key_and_value(entry)) for line in passage.splitlines() for entry in re.split(r"[;；]", line)]
    own = re.compile("|".join(map(re.escape, grammar.names_of(name))))
    named = any(grammar.names.fullmatch(key) and own.search(value) for _, key, value in entries)
    if not (named or own.search(title) or grammar.own_titles.fullmatch(title.strip())):
        return
    for entry, key, value in entries:
        for rule in grammar.attributes:
            match = rule.pattern.fullmatch(key)
            if match and rule.value.fullmatch(value) and not _SENTENCE_WITHIN.search(value):
                yield rule.fact(value, (match.groupdict().get("a") or "").casefold(), entry.strip())
                break


def _key_and_value(entry: str) -> tuple[str, str]:
    """The key and the value of an entry of a list; empty where it is none."""
    match = _ENTRY.fullmatch(entry)
    if not match:
        return "", ""
    value = ", ".join(_QUOTED.findall(match["quoted"])) if match["quoted"] else match["value"]
    return match["key"].strip(), value.strip().rstrip(".。,，")
