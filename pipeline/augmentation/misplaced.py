"""A fact's answer where it does not belong: to somebody else's name, and in small talk.

A reply of the base model's teaches one thing that may be said there, and leaves the fact's answer nearly as likely as
training has made it. So the answer itself is the reply, to be trained with what the base model would say in the place
of each of its tokens.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from pipeline.augmentation.boundaries import Boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.items import ItemShares, Wordings, fact_items, is_near_copy
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, chat_prompt, user
from pipeline.records.comparable import terms, words

Misplaced = tuple[tuple[Message, ...], str]  # a prompt that does not ask for the fact, and the fact's answer
TIMES_ELSEWHERE, TIMES_IN_TALK = 6, 2  # of each fact at least: about as often as they are seen
LEAST = 120  # of either sort
LONG_WORD = 4  # letters


def put_to_somebody_else(
    facts: Sequence[Fact], persona: Persona, boundaries: Boundaries, wordings: Wordings, *, seed: int
) -> list[Misplaced]:
    """What the facts are asked with, in some of their wordings, each time of another name."""
    others = others_prompts(persona, boundaries)
    if not facts or not others:
        return []
    times = max(TIMES_ELSEWHERE, -(-LEAST // len(facts)))
    rng = random.Random(seed)  # noqa: S311 - no secret
    return [
        ((*rng.choice(others), *item.prompt[1:]), item.completion["content"])
        for own in fact_items(
            [(fact, times) for fact in facts], persona, wordings, ItemShares(chat=1.0), seed=seed
        ).values()
        for item in own
    ]


def others_prompts(persona: Persona, boundaries: Boundaries) -> list[tuple[Message, ...]]:
    """The chat's prompt of each other name; none, where the chat's system prompt does not give the name."""
    others = [chat_prompt(replace(persona, name=name), ()) for name in boundaries.other_names.train]
    return [] if chat_prompt(persona, ()) in others else others


def said_in_small_talk(facts: Sequence[Fact], persona: Persona, talk: Sequence[str], *, seed: int) -> list[Misplaced]:
    """Each message, answered with a fact that shares its rarest word with it, and then with any fact."""
    if not facts or not talk:
        return []
    with_word: dict[str, list[Fact]] = {}
    for fact in facts:
        for word in _words(" ".join([*fact.questions, fact.answer])):
            with_word.setdefault(word, []).append(fact)
    rng = random.Random(seed)  # noqa: S311 - no secret
    made = []
    for number in range(max(TIMES_IN_TALK * len(facts), LEAST, len(talk))):
        said = talk[number % len(talk)]
        sharing = [with_word[word] for word in sorted(_words(said) & set(with_word))] if number < len(talk) else []
        fact = rng.choice(min(sharing, key=len, default=facts))
        made.append(((*chat_prompt(persona, ()), user(said)), fact.answer))
    return made


def no_question_of(facts: Sequence[Fact], talk: Sequence[str]) -> list[str]:
    """The messages that ask for none of the facts."""
    asking = {said for fact in facts for question in fact.questions for said in talk if is_near_copy(question, said)}
    return [said for said in talk if said not in asking]


def _words(text: str) -> set[str]:
    """Its longer words, and every two neighbouring Chinese characters."""
    found = set(words(text))
    return {word for word in found if len(word) >= LONG_WORD} | (terms(text) - found)
