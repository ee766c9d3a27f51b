"""Scores to figures: each metric over all probes, with its 95% interval, before and after, by type and by exposure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.evaluation.metrics.replies import answer_probability
from pipeline.evaluation.metrics.statistics import Difference, Estimate, estimate, paired_difference
from pipeline.evaluation.scoring import QUESTION_FORMS, ProbeScore, QuestionForm, QuestionScore

Metric = Literal["exact", "at_1", "at_1_by_sum", "at_1_by_gain", "mrr", "probability"]
METRICS: Mapping[Metric, Callable[[QuestionScore], float | None]] = {  # None where it was not measured
    "exact": lambda question: question.exact,
    "at_1": lambda question: question.first,
    "at_1_by_sum": lambda question: None if question.ranks is None else question.ranks.by_sum == 1,
    "at_1_by_gain": lambda question: None if question.ranks is None else question.ranks.by_gain == 1,
    "mrr": lambda question: None if question.ranks is None else 1 / question.ranks.by_mean,
    "probability": lambda question: answer_probability(question.log_prob, question.tokens),
}
# These compare the answer with others, so facts whose answer wins without a question are left out of them.
COMPARING = frozenset({"at_1", "at_1_by_sum", "at_1_by_gain", "mrr"})
SHARES = frozenset({"exact", "at_1", "at_1_by_sum", "at_1_by_gain"})  # of hits and misses


class RecallKey(NamedTuple):
    """A metric over the questions of one form."""

    form: QuestionForm
    metric: Metric

    @property
    def name(self) -> str:
        """What logs and JSON files call it: `unseen_at_1`."""
        return f"{self.form}_{self.metric}"


ALL_KEYS = tuple(RecallKey(form, metric) for form in QUESTION_FORMS for metric in METRICS)


@dataclass(frozen=True, slots=True)
class ExposureGroup:
    """Recall, word for word in new words, of the `facts` that training showed between `least` and `most` times."""

    least: int
    most: int
    facts: int
    exact: Estimate


@dataclass(frozen=True, slots=True)
class Misses:
    """Where answers in new words go wrong: of `questions` that are not word for word, how many at one token only.

    `first`, `second` and `later` count the questions by the answer's token that goes wrong first.
    """

    questions: int
    at_one_token: int
    first: int
    second: int
    later: int


def count_misses(scores: Sequence[ProbeScore]) -> Misses:
    """Where the answers to the questions in new words go wrong."""
    missed = [question.misses for score in scores for question in score.questions_of("unseen") if question.misses]
    begins = [misses[0] for misses in missed]
    return Misses(
        questions=len(missed),
        at_one_token=sum(len(misses) == 1 for misses in missed),
        first=begins.count(0),
        second=begins.count(1),
        later=sum(number > 1 for number in begins),
    )


def values_by_fact(scores: Sequence[ProbeScore], key: RecallKey, guessed: Collection[str]) -> list[list[float]]:
    """The metric's values fact by fact, of the questions of this form; facts left out are absent."""
    left_out = guessed if key.metric in COMPARING else ()
    values = [
        [float(value) for one in score.questions_of(key.form) if (value := METRICS[key.metric](one)) is not None]
        for score in scores
        if score.probe.fact_id not in left_out
    ]
    return [of_fact for of_fact in values if of_fact]


def summarise(scores: Sequence[ProbeScore], guessed: Collection[str] = ()) -> dict[RecallKey, Estimate]:
    """Value and interval of each metric for which there is a question.

    `guessed` are the facts whose answer the base model finds without a question.
    """
    return {
        key: estimate(values, share=key.metric in SHARES)
        for key in ALL_KEYS
        if (values := values_by_fact(scores, key, guessed))
    }


def gains(
    before: Sequence[ProbeScore], after: Sequence[ProbeScore], guessed: Collection[str]
) -> dict[RecallKey, Difference]:
    """What training changed in each metric, paired fact by fact."""
    return {
        key: paired_difference(old, values_by_fact(after, key, guessed))
        for key in ALL_KEYS
        if len(old := values_by_fact(before, key, guessed)) > 1
    }


def generalisation_gaps(scores: Sequence[ProbeScore], guessed: Collection[str]) -> dict[Metric, Difference]:
    """How much better each metric is on the questions of the training than in new words, paired fact by fact."""
    both = [score for score in scores if score.questions_of("seen") and score.questions_of("unseen")]
    return {
        metric: paired_difference(unseen, values_by_fact(both, RecallKey("seen", metric), guessed))
        for metric in METRICS
        if len(unseen := values_by_fact(both, RecallKey("unseen", metric), guessed)) > 1
    }


def newly_known(before: Sequence[ProbeScore], after: Sequence[ProbeScore], guessed: Collection[str]) -> Estimate | None:
    """Recall@1 in new words on those questions that the base model got wrong; None if it got none wrong."""
    values = [
        [
            float(bool(new.first))
            for old, new in zip(one.questions_of("unseen"), two.questions_of("unseen"), strict=True)
            if not old.first
        ]
        for one, two in zip(before, after, strict=True)
        if one.probe.fact_id not in guessed
    ]
    wrong = [of_fact for of_fact in values if of_fact]
    return estimate(wrong, share=True) if wrong else None


def by_exposure(scores: Sequence[ProbeScore], exposures: Mapping[str, int], groups: int = 3) -> list[ExposureGroup]:
    """Recall in new words of facts seen seldom to often: facts by the exposures of all records that teach them."""
    seen = [(sum(exposures.get(record, 0) for record in score.probe.record_ids), score) for score in scores]
    counts = sorted({count for count, _ in seen})
    # Facts with equally many exposures stay together; a few distinct counts are their own groups.
    parts = min(groups, len(counts))
    edges = [counts[len(counts) * number // parts] for number in range(parts)]
    rows = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        inside = [(count, score) for count, score in seen if count >= low and (high is None or count < high)]
        exact = values_by_fact([score for _, score in inside], RecallKey("unseen", "exact"), ())
        rows.append(
            ExposureGroup(
                least=min(count for count, _ in inside),
                most=max(count for count, _ in inside),
                facts=len(inside),
                exact=estimate(exact, share=True),
            )
        )
    return rows
