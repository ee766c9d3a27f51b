"""What a run teaches of a character: each fact in many wordings, every other record as it is, and its limits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.augmentation.facts import Fact, facts_of
from pipeline.augmentation.items import ItemShares, Wordings, answers_of, fact_items
from pipeline.augmentation.limits import LimitShares
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Conversation, render
from pipeline.mixture.budget import MIN_STEPS, Budget, plan_budget
from pipeline.records.record import Record

ENOUGH_EXPOSURES = 12  # of a fact: with fewer some were not known even as trained, and most in no other words
# A question in `messages` may be any line's; who has facts there is not to find out after the training.
NO_FACTS = (
    "no facts were found, so `exposures` has no effect, and what it knows cannot be measured: {lines} lines x "
    "{passes:g}. A question with its answer is a fact as a row of `question` and `answer` or `prompt` and "
    "`completion`, or as Q: and A: in a text; in `messages` it is a line (docs/formats.md)"
)
MOST_ITEMS = 64  # of a record; with more exposures they come again


@dataclass(frozen=True, slots=True)
class Lessons:
    """How the records of one character become conversations, and how often each is seen in an epoch.

    `items` are the conversations of its settings questions by record id, where they come in more words than their own;
    `limits` are conversations that no record gives. `exposures` are by record id, of the limits too; it is empty where
    the recipe's weights decide. `reason` says why the run is as long as it is.
    """

    persona: Persona
    chat_share: float
    speaker_names: str
    items: Mapping[str, Sequence[Conversation]] = field(default_factory=dict)
    limits: Sequence[Conversation] = ()
    exposures: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    def of(self, record: Record) -> list[Conversation]:
        """Every conversation that teaches the record; its exposures take them in turn."""
        if made := self.items.get(record.record_id):
            return list(made)
        return render(record, self.persona, chat_share=self.chat_share, speaker_names=self.speaker_names)


def weighted_lessons(
    plain: Lessons, records: Sequence[Record], exposures: float, wordings: Wordings | None, *, seed: int
) -> Lessons:
    """Lessons of a run whose recipe gives weights: each settings question is seen `exposures` times in all.

    Without `wordings` its exposures are copies.
    """
    facts = facts_of(records)
    count = min(max(1, math.ceil(exposures)), MOST_ITEMS)
    items = _items(plain, [(fact, count * len(fact.records)) for fact in facts], wordings, seed) if wordings else {}
    return replace(plain, items=items, reason=_doubt(facts, exposures))


def budgeted_lessons(
    plain: Lessons,
    records: Sequence[Record],
    limits: Mapping[str, Sequence[Conversation]],
    wordings: Wordings | None,
    *,
    exposures: int,
    boundaries: float,
    rows_per_step: int,
    most: int,
    epochs: float | None,
    seed: int,
) -> Lessons:
    """Lessons of a run that ends when each fact has been seen `exposures` times, few ones up to `most` times.

    `boundaries` is the share of the `limits` among the rows that are no lines. `epochs` spreads the exposures over so
    many passes over the lines; with None there is one epoch, which repeats few lines by itself.
    """
    facts, kinds = facts_of(records), Counter(record.kind for record in records)
    budget = plan_budget(
        facts=len(facts),
        passages=kinds["background"],
        lines=kinds["dialogue"],
        exposures=exposures,
        boundaries=boundaries if any(limits.values()) else 0.0,
        rows_per_step=rows_per_step,
        most=most,
    )
    items = _items(plain, [(fact, budget.fact) for fact in facts], wordings, seed) if wordings else {}
    line = float(budget.line) if epochs is None else 1.0
    shown = _record_exposures(records, facts, budget, line, epochs or 1)
    return replace(
        plain,
        items=items,
        limits=[conversation for own in limits.values() for conversation in own],
        exposures=shown | _limit_exposures(limits, budget.boundaries / (epochs or 1)),
        reason=_reason(budget, len(facts), kinds["dialogue"], line, _ways(budget, exposures, wordings)),
    )


def _doubt(facts: Sequence[Fact], exposures: float) -> str:
    """Why some facts will hardly be known, if their exposures are too few."""
    seldom = [fact for fact in facts if exposures * len(fact.records) < ENOUGH_EXPOSURES]
    if not seldom:
        return ""
    return (
        f"{len(seldom)} of {len(facts)} facts are seen less than {ENOUGH_EXPOSURES} times, and will hardly be known: "
        "give `exposures` instead of weights and epochs, or raise these"
    )


def _items(
    plain: Lessons, facts: Sequence[tuple[Fact, int]], wordings: Wordings, seed: int
) -> dict[str, list[Conversation]]:
    shares = ItemShares(chat=plain.chat_share)
    wordings = replace(
        wordings, answers=answers_of([fact for fact, _ in facts], wordings.forbidden, plain.persona.name)
    )
    return fact_items(facts, plain.persona, wordings, shares, seed=seed)


def _record_exposures(
    records: Sequence[Record], facts: Sequence[Fact], budget: Budget, line: float, epochs: float
) -> dict[str, float]:
    """The exposures in an epoch of each record, by its id: those of a fact are divided among its wordings."""
    of_kind = {"background": budget.passage / epochs, "dialogue": line}
    shown = {record.record_id: of_kind[record.kind] for record in records if record.kind in of_kind}
    for fact in facts:
        shown |= {record.record_id: budget.fact / len(fact.records) / epochs for record in fact.records}
    return shown


def _limit_exposures(limits: Mapping[str, Sequence[Conversation]], rows: float) -> dict[str, float]:
    """The exposures of each limit, by its record id: the sorts have their shares, those of one sort are alike."""
    shares = {sort: getattr(LimitShares(), sort) for sort, own in limits.items() if own}
    return {
        conversation.record_id: rows * share / sum(shares.values()) / len(limits[sort])
        for sort, share in shares.items()
        for conversation in limits[sort]
    }


def _reason(budget: Budget, facts: int, lines: int, passes: float, ways: str) -> str:
    """Why the run is as long as it is."""
    if not facts:
        return NO_FACTS.format(lines=lines, passes=passes)
    return (
        f"the length of the run follows from its facts: {facts} x {budget.fact} exposures{ways}; beside them "
        f"{lines} lines x {passes:g} and {budget.boundaries} rows of what it must not do"
    )


def _ways(budget: Budget, exposures: int, wordings: Wordings | None) -> str:
    """In what words a fact's exposures are, and why they are more than were asked for."""
    ways = ", each in other words" if wordings is not None else ", all copies"
    if budget.fact <= exposures:
        return ways
    return f"{ways} ({exposures} asked for, more since facts are few: about {MIN_STEPS} steps at least)"
