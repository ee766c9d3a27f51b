"""Who the character is, in its own words, for whoever asks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.augmentation.boundaries import Boundaries
from pipeline.augmentation.extraction import extract_facts
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.spoken import FINAL_PUNCTUATION
from pipeline.conversations.persona import Language, Persona
from pipeline.records.record import Record

# The first sentence of a passage that says who the character is, after its name.
SAYS_WHO: dict[Language, str] = {
    "en": r"(?:[^.!?]*?,\s*)?\s*(?:[A-Z]\S*\s+)*is (?P<who>(?:an?|the) [^.!?;,]{3,80})",
    "zh": r"[，,]?\s*(?:是|乃)(?P<who>[^。！？；，]{2,40})",
}
# Questions to which a user's own record says who the character is.
ASKS_WHO = re.compile(
    r"(and )?who are you|introduce yourself.*|what('s| is) your (full )?name|"
    r"(你|您)是谁.*|自我介绍.*|(你|您)叫什么(名字)?",
    re.IGNORECASE,
)
I_AM: dict[Language, str] = {"en": "I am {who}.", "zh": "我是{who}。"}


def introduce(persona: Persona, facts: Sequence[Fact], records: Sequence[Record], boundaries: Boundaries) -> str:
    """Who the character is, in its own words: always the same ones, which are learnt like a fact.

    A record that is asked just this, and gives the name, says it; else its name, and what a passage begins with, or
    else what a passage says of its work.
    """
    for fact in facts:
        if persona.name in fact.answer and asks_who(fact):
            return fact.answer
    passages = [record for record in records if record.kind == "background"]
    for say in (_says_who, _says_its_work):
        for passage in passages:
            if sentence := say(passage, persona):
                return boundaries.introduction_with.format(name=persona.name, sentence=sentence)
    return boundaries.introduction.format(name=persona.name)


def _says_who(passage: Record, persona: Persona) -> str:
    """What the passage begins with, if that is who the character is; in its own words."""
    pattern = re.escape(persona.name.split()[0]) + SAYS_WHO[persona.language]
    found = re.match(pattern, passage.text)
    return I_AM[persona.language].format(who=found["who"].strip()) if found else ""


def _says_its_work(passage: Record, persona: Persona) -> str:
    """What the passage says that the character does; in its own words."""
    stated = extract_facts(passage.text, persona.name, persona.language, title=passage.prompt)
    return next((fact.answer for fact in stated if fact.type == "work"), "")


def asks_who(fact: Fact) -> bool:
    """Whether one of the fact's questions asks who the character is."""
    return any(ASKS_WHO.fullmatch(question.strip(FINAL_PUNCTUATION)) for question in fact.questions)
