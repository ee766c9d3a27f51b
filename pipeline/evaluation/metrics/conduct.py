"""How a character behaves where no fact is asked for: does it blurt, invent, refuse what it knows, say its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.conversations.persona import Language
from pipeline.evaluation.metrics.replies import alias_hit
from pipeline.evaluation.metrics.statistics import Estimate, estimate
from pipeline.records.comparable import contains

ConductName = Literal["blurts", "invents", "over_refuses", "identity", "corrects"]
SHORTEST_NAME = 3  # letters of a part of an English name that stands for the whole


@dataclass(frozen=True, slots=True)
class ConductReplies:
    """A model's replies: to small talk, to what no record answers, to who it is, to its facts' questions and premises.

    A premise says something wrong of a fact.
    """

    small_talk: Sequence[str]
    unanswerable: Sequence[str]
    identity: Sequence[str]
    facts: Sequence[str]
    premises: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ConductRow:
    """One share of replies, of the base model and of the trained one."""

    name: ConductName
    base: Estimate
    trained: Estimate


def conduct_rows(
    base: ConductReplies,
    trained: ConductReplies,
    *,
    name: str,
    language: Language,
    golds: Sequence[tuple[Sequence[str], str]],
    refusals: Sequence[str],
    put_right: Sequence[tuple[Sequence[str], str]] = (),
) -> tuple[ConductRow, ...]:
    """The shares for which there are replies, each reply being a case of its own.

    `golds` are each fact's aliases and answer, `put_right` those of the facts that the premises are wrong of;
    `refusals` are regular expressions.
    """
    refusing = re.compile("|".join(f"(?:{marker})" for marker in refusals) or r"(?!)", re.IGNORECASE)

    def blurts(reply: str) -> bool:
        return any(alias_hit(reply, aliases, answer) for aliases, answer in golds)

    def over_refuses(pair: tuple[str, tuple[Sequence[str], str]]) -> bool:
        reply, (aliases, answer) = pair
        return refusing.search(reply) is not None and not alias_hit(reply, aliases, answer)

    def row(which: ConductName, judge: Callable[[ConductReplies], Sequence[bool]]) -> ConductRow | None:
        both = [[[float(hit)] for hit in judge(replies)] for replies in (base, trained)]
        return ConductRow(which, *(estimate(hits, share=True) for hits in both)) if all(both) else None

    rows = (
        row("blurts", lambda replies: [blurts(one) for one in replies.small_talk]),
        row("invents", lambda replies: [refusing.search(one) is None for one in replies.unanswerable]),
        row("over_refuses", lambda replies: [over_refuses(pair) for pair in zip(replies.facts, golds, strict=False)]),
        row(
            "corrects",
            lambda replies: [alias_hit(one, *gold) for one, gold in zip(replies.premises, put_right, strict=False)],
        ),
        row("identity", lambda replies: [says_name(one, name, language) for one in replies.identity]),
    )
    return tuple(one for one in rows if one)


def says_name(reply: str, name: str, language: Language) -> bool:
    """Whether the reply gives the name: all of it or, in English, a part of it that is no initial."""
    parts = [part for part in name.split() if len(part) >= SHORTEST_NAME] if language == "en" else []
    return any(contains(reply, one) for one in (name, *parts))
