"""A fact's exposures, each another item: as the user wrote it, in other words, in another setting.

Distinct wordings buy what copies never do (docs/log.md has the figures), so a fact that is to be seen twenty times is
asked for in twenty ways: its own wordings first, then those of rules and of a paraphrasing model, the ones with the
newest words before the others; some after an everyday exchange, some with an opener, some typed in a hurry. Most stand
under the chat's own prompt, so that what is learnt is recalled in chat.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle, islice

from pipeline.augmentation.address import CHINESE, addressed, told_of
from pipeline.augmentation.boundaries import Boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.frames import framed
from pipeline.augmentation.paraphrase_checks import NEAR_PROBE, similarity
from pipeline.augmentation.questions import Rule, Wording, plain, reword
from pipeline.augmentation.reverse import key_phrases, read_reversal, reversed_questions
from pipeline.augmentation.synonyms import Synonyms, in_other_words
from pipeline.augmentation.variety import most_varied, rarity_in
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, system, user
from pipeline.records.record import Record
from pipeline.records.traditional_chinese import is_traditional, to_traditional

# A generic rule's wording keeps the question's words: it comes twice with synonyms, and one time of three as it is.
VERSIONS_WITH_SYNONYMS, KEPT_AS_IT_IS = 2, 1 / 3
TOLD_OF = 1 / 2  # share of the wordings of a question about the character that are about it, not to it


@dataclass(frozen=True, slots=True)
class ItemShares:
    """How a fact's exposures are spent.

    `written`: as the user wrote it (every wording twice at least); `setting`: of the others, in another setting than
    alone; `chat`: under the chat's own prompt; `bare`: under none. The rest are under the prompt of settings questions.
    """

    written: float = 0.2
    setting: float = 0.25
    chat: float = 0.75
    bare: float = 0.0


@dataclass(frozen=True, slots=True)
class Wordings:
    """Where a fact's wordings come from: rules, synonyms, a model's paraphrases by record id, frames.

    `forbidden` are the questions that test facts, by answer: no near copy of one becomes an item of its fact.
    `answers` are those of all questions that are written or test facts, by the plain question: a wording that asks for
    another fact becomes no item of this one. `reverse` is the share of a fact's exposures that ask the other way round.
    """

    boundaries: Boundaries
    rules: Sequence[Rule] = ()
    synonyms: Synonyms | None = None
    paraphrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    forbidden: Mapping[str, Sequence[str]] = field(default_factory=dict)
    answers: Mapping[str, Collection[str]] = field(default_factory=dict)
    frames: bool = True
    reverse: float = 0.0


def fact_items(
    exposures: Sequence[tuple[Fact, int]], persona: Persona, wordings: Wordings, shares: ItemShares, *, seed: int
) -> dict[str, list[Conversation]]:
    """Each fact's exposures as so many conversations that teach it, by record id.

    Those of a fact are as different from one another as there are wordings for it, and are shared out among its
    records, within one of each other. The same arguments give the same ones.
    """
    rngs = [random.Random(_hash(f"{seed} {fact.fact_id}")) for fact, _ in exposures]  # noqa: S311 - no secret
    facts = [fact for fact, _ in exposures]
    phrases = key_phrases(facts, persona.name, persona.language)
    made = [other_wordings(fact, persona, wordings, rng) for fact, rng in zip(facts, rngs, strict=True)]
    pools = of_one_fact(facts, made, persona.name)
    rarity = rarity_in(pools)
    items: dict[str, list[Conversation]] = {}
    for (fact, count), rng, pool, own in zip(exposures, rngs, pools, phrases, strict=True):
        varied = islice(most_varied(pool, fact.questions, persona.name, rarity), count)
        back = round(count * wordings.reverse)
        reverse = reversed_wordings(fact, own, persona, wordings, rng)[:back] if back else []
        asked = _asked(fact, count, [wording.text for wording in varied], reverse, shares)
        prompts = _system_prompts(persona, shares, count, rng)
        items |= {record.record_id: [] for record in fact.records}
        for (owner, question, as_written), prompt in zip(asked, prompts, strict=True):
            turns = [user(question)]
            if not as_written and rng.random() < shares.setting:
                traditional = is_traditional(question + fact.answer)
                turns = in_another_setting(question, wordings.boundaries, rng, traditional=traditional)
            items[owner].append(Conversation((*prompt, *turns), assistant(fact.answer), owner, "setting_qa"))
    return items


def _asked(
    fact: Fact, count: int, varied: Sequence[str], reverse: Sequence[str], shares: ItemShares
) -> Iterator[tuple[str, str, bool]]:
    """The fact's `count` questions: the record's id that each is of, its text, and whether the user wrote it."""
    written = [(record.record_id, record.prompt, True) for record in fact.records]
    least = max(round(count * shares.written), 2 * len(written)) if varied else count - len(reverse)
    as_written = min(count, least)
    yield from islice(cycle(written), as_written)
    back = reverse[: count - as_written]
    others = _spread(list(islice(cycle(varied), count - as_written - len(back))), back)
    owners = islice(cycle(record.record_id for record in fact.records), as_written, count)
    yield from ((owner, text, False) for owner, text in zip(owners, others, strict=True))


def other_wordings(fact: Fact, persona: Persona, wordings: Wordings, rng: random.Random) -> list[Wording]:
    """Every wording of the fact that the user did not write, in any order."""
    pool: dict[str, Wording] = {}
    # Of a fact that is asked about the character, a question about it and the same to it are one question.
    tested = wordings.forbidden.get(fact.answer, ())
    about = any(addressed(question, persona.name) != question for question in (*fact.questions, *tested))
    for record in fact.records:
        for wording in _made(record, persona, wordings, rng):
            if not _is_refused(wording.text, fact, wordings, persona.name if about else ""):
                pool.setdefault(wording.text.casefold(), wording)
    for question in fact.questions:
        pool.pop(question.casefold(), None)
    made = list(pool.values())
    rng.shuffle(made)
    return made


def reversed_wordings(
    fact: Fact, phrases: Sequence[str], persona: Persona, wordings: Wordings, rng: random.Random
) -> list[str]:
    """Questions that name one of the `phrases` of the fact's answer, in turn and names twice, each in another way."""
    if not phrases:
        return []
    traditional = is_traditional("".join(fact.questions) + fact.answer)
    templates = read_reversal(persona.language).train
    names = [phrase for phrase in phrases if not phrase.islower()]
    made = reversed_questions([*phrases, *names], rng.sample(templates, len(templates)), traditional=traditional)
    about = any(addressed(question, persona.name) != question for question in fact.questions)
    asked = [Wording("reverse", text) for text in made]
    return [
        wording.text
        for wording in (_to_and_about(asked, persona.name, rng) if about else asked)
        if not _is_refused(wording.text, fact, wordings, persona.name if about else "")
    ]


def _spread(many: Sequence[str], few: Sequence[str]) -> list[str]:
    """All of them, the few at equal distances among the many."""
    placed = [((number + 0.5) / len(texts), text) for texts in (many, few) for number, text in enumerate(texts)]
    return [text for _, text in sorted(placed, key=lambda one: one[0])]


def of_one_fact(facts: Sequence[Fact], pools: Sequence[Sequence[Wording]], name: str) -> list[list[Wording]]:
    """Each fact's wordings without those that were made for a fact with another answer, too: they ask for neither."""
    askers: dict[str, set[str]] = {}
    for fact, pool in zip(facts, pools, strict=True):
        for wording in pool:
            askers.setdefault(plain(addressed(wording.text, name)), set()).add(fact.answer)
    return [[one for one in pool if len(askers[plain(addressed(one.text, name))]) == 1] for pool in pools]


def _made(record: Record, persona: Persona, wordings: Wordings, rng: random.Random) -> Iterator[Wording]:
    """What a model, the rules with synonyms, and frames make of a record's question."""
    yield from (Wording("paraphrase", text) for text in wordings.paraphrases.get(record.record_id, ()))
    asked, traditional = addressed(record.prompt, persona.name), is_traditional(record.prompt + record.text)
    reworded = [Wording("direct", asked), *reword(asked, persona.name, wordings.rules, traditional=traditional)]
    if wordings.synonyms:
        known = partial(in_other_words, synonyms=wordings.synonyms, name=persona.name, traditional=traditional)
        reworded = _with_synonyms(asked, reworded, known, rng)
    yield from reworded if asked == record.prompt else _to_and_about(reworded, persona.name, rng)
    if wordings.frames:
        yield from (Wording("frame", text) for text in framed(record.prompt, persona, traditional=traditional))


def _to_and_about(made: Sequence[Wording], name: str, rng: random.Random) -> Iterator[Wording]:
    """The wordings of a question about the character: half about it, as its user asks, half to it, as in a chat."""
    for wording in made:
        told = told_of(wording.text, name) if rng.random() < TOLD_OF else ""
        yield replace(wording, text=told) if told else wording


def _is_refused(question: str, fact: Fact, wordings: Wordings, name: str) -> bool:
    """Whether it asks for another fact, or is nearly one of the questions that test this one.

    What is about the character of that `name`, if there is one, counts as what is to it.
    """
    asked, tested = addressed(question, name), wordings.forbidden.get(fact.answer, ())
    asks_elsewhere = fact.answer not in wordings.answers.get(plain(asked), (fact.answer,))
    return (
        asks_elsewhere or is_near_any(question, tested) or is_near_any(asked, (addressed(one, name) for one in tested))
    )


def _with_synonyms(
    question: str, reworded: Sequence[Wording], known: Callable[[str], list[str]], rng: random.Random
) -> list[Wording]:
    """The question with synonyms, then those wordings; generic ones come with synonyms, few as they are."""
    made = [Wording("direct", text) for text in known(question)]
    for wording in reworded:
        others = known(wording.text) if wording.generic else []
        made += [replace(wording, text=text) for text in rng.sample(others, min(VERSIONS_WITH_SYNONYMS, len(others)))]
        if not others or rng.random() < KEPT_AS_IT_IS:
            made.append(wording)
    return made


def answers_of(facts: Iterable[Fact], tested: Mapping[str, Sequence[str]], name: str = "") -> dict[str, set[str]]:
    """The answers to each question that is written for a fact or tests one, by the question without its last mark.

    What is asked about the character of that `name` is what is asked of it.
    """
    answers: dict[str, set[str]] = {}
    written = [(fact.answer, fact.questions) for fact in facts]
    for answer, questions in [*written, *tested.items()]:
        for question in questions:
            answers.setdefault(plain(addressed(question, name)), set()).add(answer)
    return answers


def is_near_copy(one: str, other: str) -> bool:
    """Whether two questions are so alike that knowing the one is no proof of the other."""
    return similarity(one, other) >= NEAR_PROBE


def is_near_any(question: str, others: Iterable[str]) -> bool:
    """Whether the question is a near copy of one of the others."""
    return any(is_near_copy(question, other) for other in others)


def in_another_setting(
    question: str, boundaries: Boundaries, rng: random.Random, *, traditional: bool = False
) -> list[Message]:
    """The question after an everyday exchange, with an opener or a closer, or typed in a hurry."""
    written = to_traditional if traditional else str
    way = rng.randrange(4)
    if way == 0:
        asked, replied = rng.choice(boundaries.small_talk_before)
        return [user(written(asked)), assistant(written(replied)), user(question)]
    if way == 1:
        return [user(written(rng.choice(boundaries.openers)) + question)]
    if way == 2:
        return [user(_ended(question) + written(rng.choice(boundaries.closers)))]
    return [user(typed_in_a_hurry(question, rng))]


def _ended(question: str) -> str:
    """The question with a comma where it has no mark at its end, in Chinese, which has no space either."""
    return question + "，" if CHINESE.match(question[-1:]) else question


def typed_in_a_hurry(question: str, rng: random.Random) -> str:
    """The question in lower case, without its final mark and apostrophes, two letters of a long word swapped."""
    words = question.rstrip(" ?？.。").replace("'", "").lower().split()
    long = [number for number, word in enumerate(words) if len(word) > 4 and word.isascii() and word.isalpha()]
    if long:
        number = rng.choice(long)
        at, word = rng.randrange(1, len(words[number]) - 2), words[number]
        words[number] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def _system_prompts(persona: Persona, shares: ItemShares, count: int, rng: random.Random) -> list[tuple[Message, ...]]:
    """The beginning of each item: the chat's system prompt, none, or that of settings questions."""
    chat, bare = round(shares.chat * count), round(shares.bare * count)
    own = (system(persona.system("setting_qa")),)
    prompts = [chat_prompt(persona, ())] * chat + [()] * bare + [own] * max(count - chat - bare, 0)
    rng.shuffle(prompts)
    return prompts[:count]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
