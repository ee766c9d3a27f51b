"""Intervals are those of the textbooks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recall.statistics import proportion, wilson


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
