"""Conversations that keep a character from blurting, inventing and speaking for others.

Small talk is answered as people do or, where it asks for something, as the base model does in a sentence or two: as
itself, since as the character it makes up who that is. The character's own questions, put to somebody else, are
answered as the base model does under that name; what no record says is not known; what is wrongly said of it is put
right. A fact's answer is nothing to say to somebody else's name or in small talk. Beside them, who the character is,
asked in many ways.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from pipeline.augmentation.boundaries import Boundaries, Unanswerable
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.introduction import asks_who, introduce
from pipeline.augmentation.items import ItemShares, Wordings, answers_of, in_another_setting, is_near_any
from pipeline.augmentation.misplaced import (
    Misplaced,
    no_question_of,
    others_prompts,
    put_to_somebody_else,
    said_in_small_talk,
)
from pipeline.augmentation.premises import FalsePremise, false_premises
from pipeline.augmentation.questions import capitalised
from pipeline.augmentation.replies import Asked, BaseModel
from pipeline.augmentation.reverse import asked_of_strangers, read_reversal
from pipeline.augmentation.small_talk import small_talk_replies
from pipeline.conversations.persona import Language, Persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, user
from pipeline.records.comparable import contains
from pipeline.records.record import Record
from pipeline.tokens.prefix_tree import IGNORE_INDEX

One = TypeVar("One")
OF_A_STRANGER = 4  # ways of asking about each
REFUSALS = 6  # forms of not knowing that a character has; of more forms a small model learns none
ASKS = 2  # ways of asking about a thing, beside its own questions
OPENING = 2  # first tokens of an answer in small talk, which are not supervised: many facts begin alike
SOMEBODY_ELSE = 60  # prompts of other characters, each made with a question of a fact


@dataclass(frozen=True, slots=True)
class LimitShares:
    """How the boundary rows are divided.

    `small_talk` and `somebody_else` are answered, by people or by the base model; `in_small_talk` and `elsewhere` are
    facts' answers that are not said there; then what is not known, who it is, and what is put right.
    """

    small_talk: float = 0.11
    in_small_talk: float = 0.16
    somebody_else: float = 0.05
    elsewhere: float = 0.33
    unanswerable: float = 0.18
    identity: float = 0.12
    premises: float = 0.05


def limit_conversations(
    facts: Sequence[Fact],
    records: Sequence[Record],
    persona: Persona,
    boundaries: Boundaries,
    base_model: BaseModel,
    *,
    seed: int,
    wordings: Wordings | None = None,
    forbidden: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, list[Conversation]]:
    """The boundary conversations by their sort, the fields of `LimitShares`.

    Where somebody else is asked for a fact, it is in `wordings`. `forbidden` are the questions that test facts, by
    answer: no near copy of one is put right with that answer. Strangers are asked about where facts are asked the other
    way round.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    chat = chat_prompt(persona, ())
    wordings = wordings or Wordings(boundaries, forbidden=forbidden, frames=False)
    talk = no_question_of(facts, boundaries.small_talk.train)
    replies = small_talk_replies(persona, records, boundaries, base_model, seed=seed)
    small_talk = [said for said in replies if said in talk]
    somebody_else = _replied_to_somebody_else(facts, persona, boundaries, base_model, rng)
    asked = _asked_of_the_unknown(records, boundaries, rng, persona.language if wordings.reverse else None)
    unknown = [(*chat, *_in_some_setting(question, boundaries, rng)) for question in asked]
    refusals = _in_turn(rng.sample(boundaries.refusals, REFUSALS), len(unknown))
    who = [(*chat, *_in_some_setting(question, boundaries, rng)) for question in boundaries.identity.train]
    introductions = [introduce(persona, facts, records, boundaries)] * len(who)
    premises = false_premises(facts, records, boundaries, persona.language)
    return {
        "small_talk": _conversations(
            [(*chat, user(said)) for said in small_talk], [replies[said] for said in small_talk], persona.name
        ),
        "somebody_else": somebody_else,
        **_not_said_there(facts, persona, boundaries, base_model, talk=talk, wordings=wordings, seed=seed),
        "unanswerable": _conversations(unknown, refusals, persona.name),
        "identity": _conversations(who, introductions, persona.name),
        "premises": _put_right(premises, persona, boundaries, forbidden, rng),
    }


def _replied_to_somebody_else(
    facts: Sequence[Fact], persona: Persona, boundaries: Boundaries, base_model: BaseModel, rng: random.Random
) -> list[Conversation]:
    """The character's questions put to others, with the base model's replies."""
    prompts = _put_to_somebody_else(facts, persona, boundaries, rng)
    name = re.escape(persona.name)
    replies = base_model.replies([Asked(prompt, name, persona.language) for prompt in prompts])
    return _conversations(prompts, replies, persona.name)


def _not_said_there(
    facts: Sequence[Fact],
    persona: Persona,
    boundaries: Boundaries,
    base_model: BaseModel,
    *,
    talk: Sequence[str],
    wordings: Wordings,
    seed: int,
) -> dict[str, list[Conversation]]:
    """Facts' answers in small talk and to somebody else's name, with the base model's labels.

    What the character is called may be said to anybody.
    """
    own = [fact for fact in facts if not _says_name(fact, persona.name)]
    wordings = replace(wordings, answers=answers_of(facts, wordings.forbidden, persona.name))
    in_small_talk = said_in_small_talk(own, persona, talk, seed=seed)
    elsewhere = put_to_somebody_else(own, persona, boundaries, wordings, seed=seed)
    return {
        "in_small_talk": _with_base_labels(in_small_talk, base_model, persona.name, opening=OPENING),
        "elsewhere": _with_base_labels(elsewhere, base_model, persona.name),
    }


def _says_name(fact: Fact, name: str) -> bool:
    """Whether the fact is what the character is called."""
    return asks_who(fact) or (len(name) > 1 and contains(fact.answer, name))


def _put_to_somebody_else(
    facts: Sequence[Fact], persona: Persona, boundaries: Boundaries, rng: random.Random
) -> list[tuple[Message, ...]]:
    """The character's own questions, each to another name."""
    others = others_prompts(persona, boundaries)
    asked = [fact.questions[0] for fact in rng.sample(list(facts), len(facts))] if others else []
    prompts = _in_turn(others, SOMEBODY_ELSE) if asked else []
    return [(*prompt, user(question)) for prompt, question in zip(prompts, itertools.cycle(asked), strict=False)]


def _put_right(
    premises: Iterable[FalsePremise],
    persona: Persona,
    boundaries: Boundaries,
    forbidden: Mapping[str, Sequence[str]],
    rng: random.Random,
) -> list[Conversation]:
    """What is wrongly said of the facts, each put right with the fact's answer."""
    wrong = [
        (said, one.fact.answer)
        for one in premises
        for said in one.train
        if not is_near_any(said, forbidden.get(one.fact.answer, ()))
    ]
    prompts = [(*chat_prompt(persona, ()), *_in_some_setting(said, boundaries, rng)) for said, _ in wrong]
    replies = [rng.choice(boundaries.corrections).format(answer=answer) for _, answer in wrong]
    return _conversations(prompts, replies, persona.name)


def _asked_of_the_unknown(
    records: Sequence[Record], boundaries: Boundaries, rng: random.Random, strangers_in: Language | None
) -> list[str]:
    """Every question that training asks about what no record says, with those about strangers in this language."""
    asked = [question for one in unknown_things(records, boundaries) for question in _asked_about(one, boundaries, rng)]
    if strangers_in:
        ways = read_reversal(strangers_in).train
        asked += asked_of_strangers(records, boundaries.strangers.train, ways, OF_A_STRANGER)
    return asked


def _asked_about(one: Unanswerable, boundaries: Boundaries, rng: random.Random) -> list[str]:
    """What is asked about a thing in training: its own questions, and `ASKS` of the ways to ask about anything.

    A fact's wordings have the same families, so that it is not the way of asking that tells what is known.
    """
    ways = rng.sample(boundaries.asks_about, ASKS) if one.about else []
    return [*one.questions.train, *(capitalised(way.format(about=one.about)) for way in ways)]


def _in_some_setting(question: str, boundaries: Boundaries, rng: random.Random) -> list[Message]:
    """The question alone, or in another setting, as often as a fact's are."""
    if rng.random() < ItemShares().setting:
        return in_another_setting(question, boundaries, rng)
    return [user(question)]


def unknown_things(records: Sequence[Record], boundaries: Boundaries) -> list[Unanswerable]:
    """What no record of the character can be the answer to: whatever its texts may touch on is left out.

    What a line replies to counts: a data set's question stands there, and its answer need not repeat the word.
    """
    texts = "\n".join(
        "\n".join((record.prompt, *(turn.text for turn in record.context[-1:]), record.text)) for record in records
    )
    return [one for one in boundaries.unanswerable if not re.search(one.known_if, texts, re.IGNORECASE)]


def _conversations(prompts: Sequence[tuple[Message, ...]], replies: Sequence[str], owner: str) -> list[Conversation]:
    """Each prompt with its reply, where there is one."""
    return _each_once(
        _conversation(prompt, reply, owner) for prompt, reply in zip(prompts, replies, strict=True) if reply
    )


def _with_base_labels(
    misplaced: Sequence[Misplaced], base_model: BaseModel, owner: str, *, opening: int = 0
) -> list[Conversation]:
    """Each misplaced answer once, supervised after its `opening` tokens, as what the base model would say in its place.

    Under the character's own prompt labels of the opening might make it less likely where the facts are asked for in
    words that are not known yet. Under somebody else's it is what the answer is chosen by.
    """
    made = _each_once(_conversation(prompt, answer, f"{owner}: not said") for prompt, answer in misplaced)
    return [
        replace(one, kind="misplaced", labels=(*[IGNORE_INDEX] * opening, *labels[opening:]))
        for one, labels in zip(made, base_model.labels(made), strict=True)
        if len(labels) > opening
    ]


def _conversation(prompt: tuple[Message, ...], reply: str, owner: str) -> Conversation:
    """A boundary conversation. Its id depends on the owner too, so that no two have one."""
    return Conversation(prompt, assistant(reply), _digest([owner, *_texts(prompt), reply]), "boundary")


def _each_once(conversations: Iterable[Conversation]) -> list[Conversation]:
    return list({one.record_id: one for one in conversations}.values())


def _texts(prompt: Sequence[Message]) -> list[str]:
    """What each message says."""
    return [message["content"] for message in prompt]


def _in_turn(ones: Sequence[One], count: int) -> list[One]:
    return [ones[number % len(ones)] for number in range(count)]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()
