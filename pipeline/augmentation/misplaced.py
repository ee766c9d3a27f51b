"""A fact's answer where it does not belong: to somebody else's name, and in small talk.

A reply of the base model's teaches one thing that may be said there, and leaves the fact's answer nearly as likely as
training has made it. So the answer itself is the reply, and the labels of its tokens are what the base model would say
in their places.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.augmentation.boundaries import Boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.items import ItemShares, Wordings, fact_items
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, chat_prompt, system, user
from pipeline.records.comparable import words

TIMES_ELSEWHERE, TIMES_IN_TALK = 4, 2  # of each fact at least, so that few of them are seen twice
LEAST = 120  # of either sort
LONG_WORD = 4  # letters


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A fact's answer to a prompt that does not ask for it, and the prompt that the base model is given instead."""

    prompt: tuple[Message, ...]
    answer: str
    base_prompt: tuple[Message, ...]


def put_to_somebody_else(
    facts: Sequence[Fact], persona: Persona, boundaries: Boundaries, wordings: Wordings | None, *, seed: int
) -> list[Misplaced]:
    """What the facts are asked with, in as many words, each time of another name."""
    if not facts:
        return []
    times = max(TIMES_ELSEWHERE, -(-LEAST // len(facts)))
    plain = wordings or Wordings(boundaries, frames=False)
    rng = random.Random(seed)  # noqa: S311 - no secret
    made = []
    for fact in facts:
        items = fact_items(fact, persona, times, plain, ItemShares(chat=1.0), seed=seed)
        asked = [item.prompt[1:] for own in items.values() for item in own]
        for turns in asked:
            other = replace(persona, name=rng.choice(boundaries.other_names.train))
            prompt = (*chat_prompt(other, ()), *turns)
            made.append(Misplaced(prompt, fact.answer, prompt))
    return made


def said_in_small_talk(
    facts: Sequence[Fact], persona: Persona, boundaries: Boundaries, *, seed: int
) -> list[Misplaced]:
    """Small talk, answered with the fact that shares its rarest word, and with any other; the base model as itself."""
    if not facts:
        return []
    words_of = {fact.answer: _words(" ".join([*fact.questions, fact.answer])) for fact in facts}
    shared_by = Counter(word for own in words_of.values() for word in own)
    talk = boundaries.small_talk.train
    chat, briefly = chat_prompt(persona, ()), system(boundaries.briefly)
    times = max(TIMES_IN_TALK * len(facts), LEAST, len(talk))
    rng = random.Random(seed)  # noqa: S311 - no secret
    made = []
    for number in range(times):
        said = talk[number % len(talk)]
        nearest = max(facts, key=lambda fact: (_rarity(_words(said) & words_of[fact.answer], shared_by), rng.random()))
        fact = nearest if number < len(talk) else rng.choice(facts)
        made.append(Misplaced((*chat, user(said)), fact.answer, (briefly, user(said))))
    return made


def _rarity(shared: set[str], shared_by: Mapping[str, int]) -> float:
    """How few facts have the rarest of the words, as a number that is larger the fewer."""
    return max((1 / shared_by[word] for word in shared), default=0.0)


def _words(text: str) -> set[str]:
    """Its longer words, and every two neighbouring Chinese characters."""
    found = words(text)
    pairs = {one + other for one, other in pairwise(found) if len(one) == len(other) == 1}
    return {word for word in found if len(word) >= LONG_WORD} | pairs
