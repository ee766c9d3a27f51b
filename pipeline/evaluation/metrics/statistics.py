"""Proportions, means and paired differences with their 95% intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
BOOTSTRAP_DRAWS = 2000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share or a mean with its 95% interval. `count` is the number of values, `facts` of independent clusters."""

    value: float
    low: float
    high: float
    count: int
    facts: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean after minus the same mean before, over the same facts, with a 95% interval."""

    value: float
    low: float
    high: float


def wilson(successes: float, count: int) -> tuple[float, float]:
    """Wilson's score interval (E. B. Wilson, JASA 22, 1927, 209-212) for `successes` of `count` trials."""
    share = successes / count
    middle = (share + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 / (1 + Z95**2 / count) * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    # With no success, or no failure, the bound is 0 or 1 exactly, which rounding would miss.
    return middle - half if successes > 0 else 0.0, middle + half if successes < count else 1.0


def proportion(hits: Sequence[Sequence[bool]]) -> Estimate:
    """The share of hits over all trials, given fact by fact.

    Questions on one fact are not independent, so the interval comes from a bootstrap over facts (2,000 draws, a fixed
    seed). One question a fact, or facts that all agree, leave nothing to draw: then it is Wilson's, over facts.

    Raises:
        ValueError: there is no trial.
    """
    facts = [list(fact) for fact in hits if len(fact)]
    if not facts:
        raise ValueError("no trial to take a proportion of")
    successes, sizes = _sums(facts)
    value = float(successes.sum() / sizes.sum())
    if sizes.max() == 1 or value in (0.0, 1.0):
        low, high = wilson(value * len(facts), len(facts))
    else:
        low, high = _interval(_drawn_means(successes, sizes))
    return Estimate(value, low, high, int(sizes.sum()), len(facts))


def mean_interval(values_by_fact: Sequence[Sequence[float]]) -> Estimate:
    """The mean over all values, given fact by fact, with the percentile interval of a bootstrap over facts.

    B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; 2,000 draws, a fixed seed. Values that
    are all alike leave nothing to draw: the interval is then that one value. For hits and misses take `proportion`.

    Raises:
        ValueError: there are fewer than two facts with values, so nothing says how much they vary.
    """
    facts = [list(fact) for fact in values_by_fact if len(fact)]
    if len(facts) < 2:
        raise ValueError(f"no interval from {len(facts)} facts: it takes two")
    sums, sizes = _sums(facts)
    value = float(sums.sum() / sizes.sum())
    low, high = _interval(_drawn_means(sums, sizes))
    return Estimate(value, min(low, value), max(high, value), int(sizes.sum()), len(facts))


def estimate(values_by_fact: Sequence[Sequence[float]], *, share: bool) -> Estimate:
    """Hits and misses (`share`) as their proportion, any other numbers as their mean, given fact by fact.

    The mean of a single fact has no width: its interval is its first value.

    Raises:
        ValueError: there is no value.
    """
    if share:
        return proportion([[bool(value) for value in fact] for fact in values_by_fact])
    if len(values_by_fact) > 1:
        return mean_interval(values_by_fact)
    if not values_by_fact:
        raise ValueError("no value to take a mean of")
    only = values_by_fact[0][0]
    return Estimate(only, only, only, 1, 1)


def paired_difference(
    before_by_fact: Sequence[Sequence[float]], after_by_fact: Sequence[Sequence[float]]
) -> Difference:
    """The mean after minus the mean before, with the interval of a bootstrap that draws the same facts for both.

    A fact's number of values may differ between the two. Hits and misses that change alike for every fact leave nothing
    to draw; the interval then allows for the share of facts, up to Wilson's bound for 0 of that many, that could have
    gone the other way.

    Raises:
        ValueError: the two are not over the same facts, or these are fewer than two.
    """
    paired = list(zip(before_by_fact, after_by_fact, strict=True))
    if any(bool(len(before)) != bool(len(after)) for before, after in paired):
        raise ValueError("a fact has values on one side only")
    befores = [list(before) for before, _ in paired if len(before)]
    afters = [list(after) for _, after in paired if len(after)]
    if len(befores) < 2:
        raise ValueError(f"no interval from {len(befores)} facts: it takes two")
    (old, old_sizes), (new, new_sizes) = _sums(befores), _sums(afters)
    value = float(new.sum() / new_sizes.sum() - old.sum() / old_sizes.sum())
    changes = new / new_sizes - old / old_sizes
    if np.ptp(changes) == 0 and {value for fact in befores + afters for value in fact} <= {0, 1}:
        unseen = wilson(0, len(befores))[1]
        return Difference(value, value - unseen * (1 + value), value + unseen * (1 - value))
    low, high = _interval(_drawn_means(new, new_sizes) - _drawn_means(old, old_sizes))
    return Difference(value, min(low, value), max(high, value))


def _sums(facts: Sequence[Sequence[float]]) -> tuple[Floats, Floats]:
    # Each fact's sum and its number of values.
    return np.array([math.fsum(fact) for fact in facts]), np.array([len(fact) for fact in facts], dtype=float)


def _drawn_means(sums: Floats, sizes: Floats) -> Floats:
    # The seed is fixed: the same numbers on every run, and the same facts drawn before and after.
    draws = np.random.default_rng(0).integers(len(sums), size=(BOOTSTRAP_DRAWS, len(sums)))
    means: Floats = sums[draws].sum(1) / sizes[draws].sum(1)
    return means


def _interval(draws: Floats) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
