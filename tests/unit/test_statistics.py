"""Intervals are those of the textbooks."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.metrics.statistics import (
    Z95,
    Difference,
    mean_interval,
    paired_difference,
    proportion,
    wilson,
)


def test_wilsons_interval_is_the_published_one() -> None:
    # R. G. Newcombe, Statistics in Medicine 17, 1998, 857-872, table I, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=30))
def test_the_interval_holds_the_share_and_stays_a_share(hits: list[list[bool]]) -> None:
    share = proportion(hits)
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert share.count == sum(map(len, hits))
    assert share == proportion(hits)


def test_questions_on_one_fact_count_as_one_cluster() -> None:
    facts = [[True] * 4, [False] * 4] * 12
    apart = [[hit] for fact in facts for hit in fact]
    clustered, independent = proportion(facts), proportion(apart)
    assert clustered.high - clustered.low > 1.5 * (independent.high - independent.low)


VALUES = st.lists(st.lists(st.floats(-3, 3), min_size=1, max_size=4), min_size=2, max_size=20)


@given(VALUES)
def test_the_interval_of_a_mean_holds_it_and_is_the_same_again(values: list[list[float]]) -> None:
    mean = mean_interval(values)
    everything = [value for fact in values for value in fact]
    assert mean.value == pytest.approx(sum(everything) / len(everything), abs=1e-12)
    assert min(everything) - 1e-9 <= mean.low <= mean.value <= mean.high <= max(everything) + 1e-9
    assert (mean.count, mean.facts) == (len(everything), len(values))
    assert mean_interval(values) == mean


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(7).normal(5, 2, size=400)
    mean = mean_interval([[value] for value in values])
    half = Z95 * values.std() / math.sqrt(len(values))
    assert (mean.low, mean.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)


def test_values_of_one_fact_count_as_one_cluster() -> None:
    facts = [[float(number)] * 5 for number in range(20)]
    clustered, apart = mean_interval(facts), mean_interval([[value] for fact in facts for value in fact])
    assert clustered.high - clustered.low > 2 * (apart.high - apart.low)


def test_hits_as_values_have_the_interval_that_their_proportion_has() -> None:
    hits = [[True, False], [True, True], [False, False], [True, False], [False, True]] * 4
    share, mean = proportion(hits), mean_interval(hits)
    assert (mean.value, mean.low, mean.high) == (share.value, share.low, share.high)


@given(VALUES, st.floats(-2, 2))
def test_a_shift_of_every_value_is_found_exactly(values: list[list[float]], shift: float) -> None:
    shifted = [[value + shift for value in fact] for fact in values]
    difference = paired_difference(values, shifted)
    assert difference.low <= difference.value <= difference.high
    if {value for fact in values + shifted for value in fact} - {0, 1}:
        assert (difference.low, difference.high) == pytest.approx((shift, shift), abs=1e-9)
    assert paired_difference(values, shifted) == difference


@given(VALUES, st.randoms(use_true_random=False))
def test_swapping_before_and_after_turns_the_difference_round(values: list[list[float]], random: Random) -> None:
    others = [[random.uniform(-3, 3) for _ in fact] for fact in values]
    there, back = paired_difference(values, others), paired_difference(others, values)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low), abs=1e-9)


def test_pairing_narrows_the_interval_of_what_varies_by_fact() -> None:
    random = np.random.default_rng(3)
    before = [[random.uniform(0, 10)] for _ in range(50)]
    after = [[value + random.uniform(0.9, 1.1) for value in fact] for fact in before]
    difference = paired_difference(before, after)
    assert 0.95 < difference.low < difference.high < 1.05
    assert mean_interval(before).high - mean_interval(before).low > 1


@pytest.mark.parametrize("facts", [5, 48])
def test_facts_that_all_turn_from_miss_to_hit_do_not_claim_certainty(facts: int) -> None:
    bound = wilson(0, facts)[1]
    assert paired_difference([[0]] * facts, [[1]] * facts) == Difference(1.0, pytest.approx(1 - 2 * bound), 1.0)
    assert paired_difference([[1]] * facts, [[1]] * facts) == Difference(0.0, -bound, bound)


def test_what_has_no_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="it takes two"):
        mean_interval([[0.5, 0.7], []])
    with pytest.raises(ValueError, match="it takes two"):
        paired_difference([[1.0]], [[2.0]])
    with pytest.raises(ValueError, match="one side only"):
        paired_difference([[1.0], []], [[2.0], [1.0]])
    with pytest.raises(ValueError, match="shorter"):
        paired_difference([[1.0], [2.0]], [[2.0]])
