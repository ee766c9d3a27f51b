"""The metrics of a reply and of a ranking, each a pure function of plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.records.comparable import contains, normalise


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
