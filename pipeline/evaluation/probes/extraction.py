"""Facts to ask for, proposed from background passages by rules: precision before recall, and the user decides.

A rule matches a clause whose subject is the character: its name, or a pronoun while nobody else has become the subject
since. What is negated or hedged is passed over. What a rule finds is a proposal in a file of probes, with the sentence
that it came from; nothing is asked before the user has set `use` to true. The rules of a language are data:
`extraction.en.json`, `extraction.zh.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Language
from pipeline.records.record import Record

SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]?")


@dataclass(frozen=True, slots=True)
class Rule:
    """A form of clause that states an attribute. `{v}` is its value, `{a}` the word that the form leaves open.

    `pattern` begins after the subject; its group `v` is the value, and `a`, if there is one, fills `{a}`.
    """

    type: str
    pattern: re.Pattern[str]
    answer: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language names a subject and ends a clause, and the rules for its clauses.

    `parts_of_a_name`: each word of the name stands for the character; `rest_of_a_name` matches further names after the
    subject, such as a family name. `possessive` after the subject makes something of the character's the subject;
    `subject_carries_on` into the sentence's next clauses where these name none.
    """

    pronouns: tuple[str, ...]
    parts_of_a_name: bool
    rest_of_a_name: re.Pattern[str]
    possessive: str
    subject_carries_on: bool
    clause_end: re.Pattern[str]
    unsure: re.Pattern[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A proposed fact: what a passage's sentence says of the character, and how to ask for it."""

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
        parts_of_a_name=content["parts_of_a_name"],
        rest_of_a_name=re.compile(content["rest_of_a_name"]),
        possessive=content["possessive"],
        subject_carries_on=content["subject_carries_on"],
        clause_end=re.compile(content["clause_end"]),
        unsure=re.compile(content["unsure"]),
        rules=tuple(
            Rule(rule["type"], re.compile(rule["pattern"]), rule["answer"], tuple(rule["questions"]))
            for rule in content["rules"]
        ),
    )


def extract_facts(passage: str, name: str, language: Language) -> list[Fact]:
    """What the passage surely says of the character, in its order, each attribute once."""
    grammar = read_grammar(language)
    found: dict[tuple[str, str], Fact] = {}
    for sentence, clause in _clauses_about(passage, name, grammar):
        for rule in grammar.rules:
            match = rule.pattern.match(clause)
            if match and not grammar.unsure.search(clause):
                words = {"v": match["v"].strip(), "a": match.groupdict().get("a") or ""}
                questions = tuple(question.format(**words) for question in rule.questions)
                fact = Fact(rule.type, words["v"], sentence, rule.answer.format(**words), questions)
                found.setdefault((rule.answer, words["a"]), fact)
    return list(found.values())


def write_proposals(records: Sequence[Record], name: str, language: Language, path: Path) -> int:
    """Write a probes file with the facts of all passages, none in use yet; returns how many."""
    proposals = [
        {
            "use": False,
            "fact_id": f"{record.record_id}-{number}",
            "type": fact.type,
            "question_seen": "",
            "questions_unseen": list(fact.questions),
            "answer": fact.answer,
            "aliases": [fact.value],
            "sentence": fact.sentence,
        }
        for record in records
        if record.kind == "background"
        for number, fact in enumerate(extract_facts(record.text, name, language))
    ]
    write_text(path, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in proposals))
    return len(proposals)


def _clauses_about(passage: str, name: str, grammar: Grammar) -> Iterator[tuple[str, str]]:
    """(sentence, clause without its subject) of the clauses whose subject is the character."""
    names = sorted({name, *(name.split() if grammar.parts_of_a_name else ())}, key=len, reverse=True)
    own = re.compile("|".join(map(re.escape, names)))
    pronoun = re.compile(rf"(?:{'|'.join(grammar.pronouns)})(?![a-z])", re.IGNORECASE)
    about = carries_on = False
    for sentence in (found.group().strip() for found in SENTENCE.finditer(passage)):
        for number, clause in enumerate(part.strip() for part in grammar.clause_end.split(sentence)):
            subject = own.match(clause) or (pronoun.match(clause) if about else None)
            if subject:
                rest, about = clause[subject.end() :], True
                # After a possessive the sentence goes on about what is the character's.
                carries_on = grammar.subject_carries_on and not rest.startswith(grammar.possessive)
                further = grammar.rest_of_a_name.match(rest)
                yield sentence, rest[further.end() :] if further else rest
            elif number == 0:
                about = False  # the sentence is about somebody else
            elif about and carries_on:
                yield sentence, clause
