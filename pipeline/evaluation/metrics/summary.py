"""Scores to figures: each metric over all probes, with its 95% interval, before and after, by type and by exposure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.evaluation.metrics.replies import answer_probability
from pipeline.evaluation.metrics.statistics import Mean, mean_interval, paired_difference, proportion
from pipeline.evaluation.scoring import ASKED, Asked, ProbeScore, QuestionScore

Value = Callable[[QuestionScore], float]
METRICS: Mapping[str, Value] = {
    "exact": lambda question: question.exact,
    "at_1": lambda question: question.rank == 1,
    "at_1_by_sum": lambda question: question.rank_by_sum == 1,
    "at_1_by_gain": lambda question: question.rank_by_gain == 1,
    "mrr": lambda question: 1 / question.rank,
    "probability": lambda question: answer_probability(question.log_prob, question.tokens),
}
# These compare the answer with others, so facts whose answer wins without a question are left out of them.
COMPARING = frozenset({"at_1", "at_1_by_sum", "at_1_by_gain", "mrr"})
SHARES = frozenset({"exact", "at_1", "at_1_by_sum", "at_1_by_gain"})  # of hits and misses


def interval(values: Sequence[Sequence[float]], *, share: bool) -> dict[str, float]:
    """Value and 95% interval of hits and misses, or of any numbers, given fact by fact."""
    if share:
        return asdict(proportion([[bool(value) for value in fact] for fact in values]))
    return asdict(mean_interval(values) if len(values) > 1 else Mean(values[0][0], values[0][0], values[0][0], 1, 1))


def by_fact(scores: Sequence[ProbeScore], metric: str, asked: Asked, guessed: Collection[str]) -> list[list[float]]:
    """The metric's values fact by fact, of the questions asked in this way; facts left out are absent."""
    left_out = guessed if metric in COMPARING else ()
    values = [
        [float(METRICS[metric](question)) for question in score.asked(asked)]
        for score in scores
        if score.probe.fact_id not in left_out
    ]
    return [of_fact for of_fact in values if of_fact]


def summarise(scores: Sequence[ProbeScore], guessed: Collection[str] = ()) -> dict[str, dict[str, float]]:
    """`{seen,unseen,amid}_{metric}`: value and interval of each for which there is a question.

    `guessed` are the facts whose answer the base model finds without a question.
    """
    return {
        f"{asked}_{metric}": interval(values, share=metric in SHARES)
        for asked in ASKED
        for metric in METRICS
        if (values := by_fact(scores, metric, asked, guessed))
    }


def gains(
    before: Sequence[ProbeScore], after: Sequence[ProbeScore], guessed: Collection[str]
) -> dict[str, dict[str, float]]:
    """What training changed in each metric, paired fact by fact."""
    return {
        f"{asked}_{metric}": asdict(paired_difference(old, by_fact(after, metric, asked, guessed)))
        for asked in ASKED
        for metric in METRICS
        if len(old := by_fact(before, metric, asked, guessed)) > 1
    }


def generalisation_gaps(scores: Sequence[ProbeScore], guessed: Collection[str]) -> dict[str, dict[str, float]]:
    """How much better each metric is on the questions of the training than in new words, paired fact by fact."""
    both = [score for score in scores if score.asked("seen") and score.asked("unseen")]
    return {
        metric: asdict(paired_difference(unseen, by_fact(both, metric, "seen", guessed)))
        for metric in METRICS
        if len(unseen := by_fact(both, metric, "unseen", guessed)) > 1
    }


def newly_known(
    before: Sequence[ProbeScore], after: Sequence[ProbeScore], guessed: Collection[str]
) -> dict[str, float] | None:
    """Recall@1 in new words on those questions that the base model got wrong; None if it got none wrong."""
    values = [
        [
            float(new.rank == 1)
            for old, new in zip(one.asked("unseen"), two.asked("unseen"), strict=True)
            if old.rank > 1
        ]
        for one, two in zip(before, after, strict=True)
        if one.probe.fact_id not in guessed
    ]
    wrong = [of_fact for of_fact in values if of_fact]
    return interval(wrong, share=True) if wrong else None


def by_exposure(scores: Sequence[ProbeScore], exposures: Mapping[str, int], groups: int = 3) -> list[dict[str, Any]]:
    """Recall in new words of facts seen seldom to often: facts by the exposures of all records that teach them."""
    seen = [(sum(exposures.get(record, 0) for record in score.probe.record_ids), score) for score in scores]
    counts = sorted({count for count, _ in seen})
    # Facts with equally many exposures stay together; a few distinct counts are their own groups.
    parts = min(groups, len(counts))
    edges = [counts[len(counts) * number // parts] for number in range(parts)]
    rows = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        inside = [(count, score) for count, score in seen if count >= low and (high is None or count < high)]
        facts = [score for _, score in inside]
        rows.append(
            {
                "least": min(count for count, _ in inside),
                "most": max(count for count, _ in inside),
                "facts": len(facts),
                "exact": interval(by_fact(facts, "exact", "unseen", ()), share=True),
            }
        )
    return rows
