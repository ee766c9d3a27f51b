"""The metrics of a reply and of a ranking, each a pure function of plain values."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.evaluation.metrics.text import contains, normalise, words

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF


@dataclass(frozen=True, slots=True)
class RougeL:
    """ROUGE-L of a reply: the share of its words, and of the reference's, in their longest common subsequence."""

    precision: float
    recall: float
    f: float


def rouge_l(reply: str, reference: str) -> RougeL:
    """ROUGE-L on `words`: P = LCS/|reply|, R = LCS/|reference|, F = 2PR/(P+R).

    C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, with beta = 1. Per character in Chinese,
    where the package `rouge_score` sees no words at all. Two texts without a word are equal; one alone scores 0.
    """
    ours, theirs = words(reply), words(reference)
    if ours == theirs:
        return RougeL(1.0, 1.0, 1.0)
    common = _common_subsequence(ours, theirs)
    if not common:
        return RougeL(0.0, 0.0, 0.0)
    precision, recall = common / len(ours), common / len(theirs)
    return RougeL(precision, recall, 2 * precision * recall / (precision + recall))


def chrf(reply: str, reference: str) -> float:
    """chrF2 of a reply in 0..1: the F-score, recall weighing twice, of its character 1- to 6-grams.

    M. Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015; computed by sacrebleu with its
    default settings (signature nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no).
    """
    return min(1.0, float(_chrf().sentence_score(reply, [reference]).score) / 100)


def alias_hit(reply: str, aliases: Sequence[str], answer: str) -> bool:
    """Whether the reply holds the gold: one of the aliases, or without any the answer itself, after `normalise`."""
    named = [alias for alias in aliases if normalise(alias)]
    return any(contains(reply, gold) for gold in named or [answer])


def contradiction(reply: str, aliases: Sequence[str], answer: str, distractors: Sequence[str]) -> bool:
    """Whether the reply holds a distractor (its alias or its answer) and not the gold."""
    return not alias_hit(reply, aliases, answer) and any(contains(reply, other) for other in distractors)


def answer_probability(log_prob_sum: float, tokens: int) -> float:
    """exp(l / n): the geometric mean of the probabilities of an answer's `tokens`, l their summed natural logs.

    TOFU calls it the length-normalised probability, P(a|q)^(1/|a|) (Maini et al., 2024, section 2.2.2).

    Raises:
        ValueError: there is no token.
    """
    if tokens < 1:
        raise ValueError("an answer without tokens has no probability")
    return math.exp(log_prob_sum / tokens)


def bits_per_character(log_prob_sum: float, text: str) -> float:
    """-l / (ln 2 * characters): what a text costs, whatever the tokenizer; characters are Unicode code points.

    Raises:
        ValueError: the text is empty.
    """
    if not text:
        raise ValueError("an empty text costs nothing a character")
    return -log_prob_sum / (math.log(2) * len(text))


def rank_of_gold(gold_score: float, other_scores: Sequence[float]) -> int:
    """1 + the number of others that the gold does not beat. 1 is best; ties, and scores that are no number, rank worst.

    Knowing nothing must not count as knowing: a model that scores all answers alike ranks the gold last.
    """
    return 1 + len(other_scores) - sum(gold_score > other for other in other_scores)


def _common_subsequence(ours: Sequence[str], theirs: Sequence[str]) -> int:
    # One row of Wagner and Fischer's table at a time.
    row = [0] * (len(theirs) + 1)
    for word in ours:
        corner = 0
        for column, other in enumerate(theirs, 1):
            above = row[column]
            row[column] = corner + 1 if word == other else max(above, row[column - 1])
            corner = above
    return row[-1]


@functools.cache
def _chrf() -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()
