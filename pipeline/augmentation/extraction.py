"""The facts that a background passage states, by rules: precision before recall.

A rule matches a clause whose subject is the character: its name, or a pronoun while nobody else has been spoken of
since; and its value is the rest of the clause, or none. What is negated, hedged, asked or quoted is passed over. In a
passage of the character's own, such as a card's description, lists of attributes (`Age: 27`, `Likes("rain")`) state
facts as well. The rules of a language are data: `extraction.en.json`, `extraction.zh.json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.augmentation.attribute_lists import attribute_facts
from pipeline.augmentation.extraction_grammar import Grammar, PassageFact, Statement, read_grammar
from pipeline.augmentation.extraction_subjects import Clause, Meant, Thread
from pipeline.augmentation.sentences import sentences
from pipeline.conversations.persona import Language
from pipeline.records.traditional_chinese import is_traditional, to_simplified

AROUND = ' \t\r\n[]()*#>-"\u3000'  # of a card's notes: [Orla repairs clocks.]
FINAL = ".。!！?？ \t\n\u3000"
CAPITALISED = re.compile(r"\b[A-Z][\w'-]+")
LONGEST_CLAUSE = 300  # characters of a clause that is trusted


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
    is_titled = title.strip().casefold() in {one.casefold() for one in grammar.names_of(name)}
    yield from _stated_in_clauses(text, name, grammar, is_titled=is_titled)
    yield from attribute_facts(text, name, title, grammar)


def _stated_in_clauses(passage: str, name: str, grammar: Grammar, *, is_titled: bool) -> Iterator[Statement]:
    """What the clauses state whose subject is the character.

    Below the name as its title, a passage may begin with a pronoun for it, or as what follows a name does: 女，31岁.
    """
    own, pronoun = grammar.own_name(name), grammar.own_pronoun()
    begins = re.compile(f"{own.pattern}|(?i:{pronoun.pattern})")
    below = is_titled and _begins_below_a_name(passage, pronoun, grammar)
    thread = Thread(grammar, Meant(grammar, is_meant=below), is_below_a_name=below)
    for voice, sentence in sentences(_below_titles(passage, grammar), begins):
        states = not sentence.strip(AROUND).endswith(("?", "？")) and not grammar.doubted.search(voice)
        thread.begin_sentence()
        for text in _clauses(voice, grammar):
            clause = _clause(text, own, pronoun, thread.meant)
            facts = list(_stated_by(clause, sentence.strip(AROUND), name, thread))
            yield from facts if states else ()
            thread.pass_on(clause, facts)


def _begins_below_a_name(passage: str, pronoun: re.Pattern[str], grammar: Grammar) -> bool:
    """Whether the passage's first words are a pronoun, or a clause that introduces somebody."""
    first = next(_clauses(passage.lstrip(AROUND)[:LONGEST_CLAUSE], grammar), "")
    introduces = any(rule.introduces and rule.pattern.match(first) for rule in grammar.rules)
    return introduces or pronoun.match(first) is not None


def _clause(text: str, own: re.Pattern[str], pronoun: re.Pattern[str], meant: Meant) -> Clause:
    """The clause, of which it is known whether its subject is the character."""
    named = own.match(text)
    subject = named or meant.by(pronoun.match(text))
    rest = _after(subject, text, meant.grammar) if subject else text
    others = _speaks_of_others(text, own, meant.grammar)
    return Clause(rest, is_own=bool(subject), named=bool(named), others=others)


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


def _stated_by(clause: Clause, sentence: str, name: str, thread: Thread) -> Iterator[Statement]:
    """What a clause states of the character, by the first rule that it is one for, and by those that leave more."""
    grammar = thread.grammar
    if not (clause.is_own or thread.carries_on) or grammar.unsure.search(clause.rest):
        return
    for rule in grammar.rules:
        match = rule.pattern.match(clause.rest) if thread.is_list or not rule.introduces else None
        if match and rule.value.fullmatch(match["v"]):
            barred = (rule.refused, grammar.refused, grammar.others)
            if name not in match["v"] and not any(pattern.search(match["v"]) for pattern in barred):
                fact = Statement(rule, match["v"], match.groupdict().get("a") or "", sentence)
                yield from [fact] if thread.allows(clause, fact) else []
                if not rule.further:
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
