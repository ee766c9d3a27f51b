"""Facts that only a background passage states, as settings questions: what is read once is rarely known when asked."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence

from pipeline.augmentation.extraction import extract_facts
from pipeline.augmentation.extraction_grammar import PassageFact
from pipeline.augmentation.items import is_near_any
from pipeline.augmentation.questions import Rule, reword
from pipeline.augmentation.spoken import FINAL_PUNCTUATION
from pipeline.conversations.persona import Language, Persona
from pipeline.records.comparable import contains
from pipeline.records.record import Record, content_id
from pipeline.records.traditional_chinese import is_traditional

logger = logging.getLogger(__name__)

ONE_VALUE = ("identity", "body")  # types of facts to which there is one answer
NUMBER = re.compile(r"\d+")


def passage_facts(
    records: Sequence[Record], persona: Persona, rules: Sequence[Rule], *, forbidden: Sequence[str] = ()
) -> list[Record]:
    """A settings question for each fact that the character's passages state and no settings record of it does.

    The passages stay as they are. A fact is left out whose value a settings record gives, whose question one asks in
    these or other words, or whose every question comes near one of the `forbidden`, which test it.
    """
    asked = [record for record in records if record.kind == "setting_qa"]
    made: list[Record] = []
    each = stated_facts(records, persona.name, persona.language)
    stated = [(passage, fact) for passage, facts in each for fact in facts]
    unsettled = _stated_otherwise([fact for _, fact in stated])
    for passage, fact in stated:
        if fact.questions[0] not in unsettled:
            questions = [one for one in fact.questions if not is_near_any(one, forbidden)]
            if questions and not _is_given(fact, [*asked, *made], persona, rules):
                made.append(_record(fact, questions[0], passage))
    return made


def stated_facts(
    records: Sequence[Record], name: str, language: Language
) -> Iterator[tuple[Record, list[PassageFact]]]:
    """Each passage of the records with the facts that it states.

    Of a passage whose characters could be simplified or traditional, the other passages say which they are.
    """
    passages = [record for record in records if record.kind == "background"]
    traditional = is_traditional("".join(passage.text for passage in passages))
    for one in passages:
        yield one, extract_facts(one.text, name, language, title=one.prompt, traditional=traditional)


def _stated_otherwise(facts: Sequence[PassageFact]) -> set[str]:
    """The questions to which passages have answers with different numbers, such as two ages: neither is a fact."""
    numbers: dict[str, set[tuple[str, ...]]] = {}
    for fact in facts:
        if fact.type in ONE_VALUE and (found := NUMBER.findall(unicodedata.normalize("NFKC", fact.value))):
            numbers.setdefault(fact.questions[0], set()).add(tuple(found))
    unsettled = {question for question, found in numbers.items() if len(found) > 1}
    for question in sorted(unsettled):
        logger.warning("passages answer %r differently: none of the answers is taught", question)
    return unsettled


def _is_given(fact: PassageFact, records: Sequence[Record], persona: Persona, rules: Sequence[Rule]) -> bool:
    """Whether one of the settings records gives the fact's value, or asks for what it answers."""
    ways = {_bare(one) for question in fact.questions for one in (question, *_other_words(question, persona, rules))}
    return any(
        contains(record.text, fact.value) or _bare(record.prompt) in ways or is_near_any(record.prompt, fact.questions)
        for record in records
    )


def _other_words(question: str, persona: Persona, rules: Sequence[Rule]) -> list[str]:
    return [wording.text for wording in reword(question, persona.name, rules)]


def _bare(question: str) -> str:
    return question.strip(FINAL_PUNCTUATION).casefold()


def _record(fact: PassageFact, question: str, passage: Record) -> Record:
    return Record(
        record_id=content_id(passage.speaker, question, fact.answer),
        kind="setting_qa",
        prompt=question,
        text=fact.answer,
        context=(),
        speaker=passage.speaker,
        source=passage.source,
        why=f"stated by the passage {passage.prompt!r}: {fact.sentence}",
    )
