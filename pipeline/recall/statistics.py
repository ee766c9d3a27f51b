"""Proportions with their 95% intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
BOOTSTRAP_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of successes with a 95% interval. `count` is the number of trials, `facts` of independent clusters."""

    value: float
    low: float
    high: float
    count: int
    facts: int


def wilson(successes: float, count: int) -> tuple[float, float]:
    """Wilson's score interval (E. B. Wilson, JASA 22, 1927, 209-212) for `successes` of `count` trials."""
    share = successes / count
    middle = (share + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 / (1 + Z95**2 / count) * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    # With no success, or no failure, the bound is 0 or 1 exactly, which rounding would miss.
    return middle - half if successes > 0 else 0.0, middle + half if successes < count else 1.0


def proportion(hits: Sequence[Sequence[bool]]) -> Proportion:
    """The share of hits over all trials, given fact by fact.

    Questions on one fact are not independent, so the interval comes from a bootstrap over facts (2,000 draws, a fixed
    seed). One question a fact, or facts that all agree, leave nothing to draw: then it is Wilson's, over facts.

    Raises:
        ValueError: there is no trial.
    """
    facts = [list(fact) for fact in hits if len(fact)]
    if not facts:
        raise ValueError("no trial to take a proportion of")
    successes = np.array([sum(fact) for fact in facts], dtype=float)
    sizes = np.array([len(fact) for fact in facts], dtype=float)
    value = float(successes.sum() / sizes.sum())
    if sizes.max() == 1 or value in (0.0, 1.0):
        low, high = wilson(value * len(facts), len(facts))
    else:
        draws = np.random.default_rng(0).integers(len(facts), size=(BOOTSTRAP_DRAWS, len(facts)))
        shares = successes[draws].sum(1) / sizes[draws].sum(1)
        low, high = (float(bound) for bound in np.quantile(shares, [0.025, 0.975]))
    return Proportion(value, low, high, int(sizes.sum()), len(facts))
