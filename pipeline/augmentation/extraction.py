"""The facts that a background passage states, by rules: precision before recall.

A rule matches a clause whose subject is the character: its name, or a pronoun while nobody else has been spoken of
since; and its value is the rest of the clause, or none. What is negated, hedged, asked or quoted is passed over. In a
passage of the character's own, such as a card's description, lists of attributes (`Age: 27`, `Likes("rain")`) state
facts as well. The rules of a language are data: `extraction.en.json`, `extraction.zh.json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.augmentation.attribute_lists import attribute_facts
from pipeline.augmentation.extraction_grammar import Grammar, PassageFact, Statement, read_grammar
from pipeline.augmentation.sentences import sentences
from pipeline.conversations.persona import Language
from pipeline.records.traditional_chinese import is_traditional, to_simplified

AROUND = ' \t\r\n[]()*#>-"\u3000'  # of a card's notes: [Orla repairs clocks.]
FINAL = ".。!！?？ \t\n\u3000"
CAPITALISED = re.compile(r"\b[A-Z][\w'-]+")
LONGEST_CLAUSE = 300  # characters of a clause that is trusted
TASTE = "taste"  # of a rule; behind whom somebody likes, only what else it likes is surely said of it


@dataclass(slots=True)
class Meant:
    """Whether a pronoun of a passage means the character, as one reads on: `is_meant`, since nobody else was named.

    The first pronoun that does says which ones do; one that goes with others means somebody who was not seen.
    """

    grammar: Grammar
    is_meant: bool = False
    pronouns: tuple[str, ...] = ()

    def by(self, pronoun: re.Match[str] | None) -> re.Match[str] | None:
        """The pronoun, if it means the character."""
        if pronoun is None or not self.is_meant:
            return None
        together = self.grammar.same_person(pronoun[0])
        self.pronouns = self.pronouns or together
        self.is_meant = together == self.pronouns
        return pronoun if self.is_meant else None


def extract_facts(
    passage: str, name: str, language: Language, *, title: str = "", traditional: bool = False
) -> list[PassageFact]:
    """What the passage surely says of the character, in its order, to each question one answer.

    Lists of attributes count where the `title`, or the list itself, says that they are the character's. Of a passage
    in traditional characters questions and answers are, too; and where `traditional`, of one that could be in either.
    """
    grammar = read_grammar(language)
    text = passage.replace("\r\n", "\n").replace("\r", "\n")
    if language == "zh" and is_traditional(text, otherwise=traditional):
        read = _stated(to_simplified(text), to_simplified(name), to_simplified(title), grammar)
        stated = [one.fact_as_in(text) for one in read]
    else:
        stated = [one.fact() for one in _stated(text, name, to_simplified(title), grammar)]
    found: dict[str, PassageFact] = {}  # by their first question: two answers to one would confuse
    for fact in stated:
        found.setdefault(fact.questions[0], fact)
    return list(found.values())


def _stated(text: str, name: str, title: str, grammar: Grammar) -> Iterator[Statement]:
    yield from _stated_in_clauses(text, name, grammar)
    yield from attribute_facts(text, name, title, grammar)


def _stated_in_clauses(passage: str, name: str, grammar: Grammar) -> Iterator[Statement]:
    """What the clauses state whose subject is the character."""
    own, pronoun = grammar.own_name(name), grammar.own_pronoun()
    begins = re.compile(f"{own.pattern}|(?i:{pronoun.pattern})")
    meant = Meant(grammar)
    introduced = False  # whether a list introduced it, or its sentences since, which need no subject
    for voice, sentence in sentences(_below_titles(passage, grammar), begins):
        states = not sentence.strip(AROUND).endswith(("?", "？")) and not grammar.doubted.search(voice)
        carries_on, lists = introduced and meant.is_meant, False
        introduced, of_others = False, False  # again, if this sentence is about it; whether somebody it likes was named
        for clause in _clauses(voice, grammar):
            named = own.match(clause)
            subject = named or meant.by(pronoun.match(clause))
            rest = _after(subject, clause, grammar) if subject else clause
            facts = (
                list(_stated_by(rest, sentence.strip(AROUND), name, grammar, lists)) if subject or carries_on else []
            )
            facts = [fact for fact in facts if subject or not of_others or fact.rule.type == TASTE]
            yield from facts if states else ()
            others = _speaks_of_others(clause, own, grammar)
            lists = bool(subject and not rest) or (lists and not others)
            introduces = bool(subject and not rest) or (carries_on and grammar.appositive.fullmatch(rest) is not None)
            introduced = introduced or any(fact.rule.introduces for fact in facts) or (carries_on and bool(facts))
            states_more = any(fact.rule.type != "relation" for fact in facts)
            of_others = others and any(fact.rule.type == TASTE for fact in facts)
            carries_on = grammar.subject_carries_on and (of_others or not others) and (introduces or states_more)
            meant.is_meant = (meant.is_meant or bool(named)) and not others


def _below_titles(passage: str, grammar: Grammar) -> str:
    """The passage with what follows the character's own titles on lines of its own, as in `Background: She is 50`."""
    title = re.compile(rf"^([ #*\[【-]*(?:{grammar.own_titles.pattern})[】*]*)[:：](?=.)", re.IGNORECASE | re.MULTILINE)
    return title.sub(r"\1\n", passage)


def _clauses(voice: str, grammar: Grammar) -> Iterator[str]:
    """The clauses of a sentence, without the marks around it."""
    return (part.strip() for part in grammar.clause_end.split(voice.strip(AROUND).rstrip(FINAL)))


def _after(subject: re.Match[str], clause: str, grammar: Grammar) -> str:
    """The clause after its subject: after further names, and with 's where the subject is her or his."""
    rest = clause[subject.end() :]
    if subject[0].casefold() in grammar.possessive_pronouns:
        return f"'s{rest}"
    further = grammar.rest_of_a_name.match(rest)
    return rest[further.end() :] if further else rest


def _stated_by(rest: str, sentence: str, name: str, grammar: Grammar, lists: bool) -> Iterator[Statement]:
    """What a clause states of its subject, which is left out of it, by the first rule that it is one for.

    `lists`: it is one of several behind the name.
    """
    if grammar.unsure.search(rest):
        return
    for rule in grammar.rules:
        match = rule.pattern.match(rest) if lists or not rule.introduces else None
        if match and rule.value.fullmatch(match["v"]):
            barred = (rule.refused, grammar.refused, grammar.others)
            if name not in match["v"] and not any(pattern.search(match["v"]) for pattern in barred):
                yield Statement(rule, match["v"], match.groupdict().get("a") or "", sentence)
                return


def _speaks_of_others(clause: str, own: re.Pattern[str], grammar: Grammar) -> bool:
    """Whether somebody else is spoken of, whom the next pronoun may mean."""
    if len(clause) > LONGEST_CLAUSE:
        return True
    rest = own.sub("", clause)
    if grammar.persons.search(rest) or grammar.begins_with_somebody.match(rest):
        return True
    names = (found for found in CAPITALISED.finditer(rest) if found.start() > 0)
    return not all(_begins_a_place(rest, found.start(), grammar) for found in names)


def _begins_a_place(clause: str, start: int, grammar: Grammar) -> bool:
    """Whether the capitalised word there is a place, or goes on with the name of one."""
    before = clause[:start]
    return grammar.places_after.search(re.sub(r"(?:[A-Z][\w'-]+ )+$", "", before)) is not None
