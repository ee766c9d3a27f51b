"""The plan shows each record as often as promised, in an order that every process can redraw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mixture.ledger import format_ledger, make_ledger
from pipeline.mixture.plan import MixturePlan, plan_mixture


def plan(settings: int, lines: int, weight: float, seed: int = 1) -> MixturePlan:
    sources = ["settings"] * settings + ["dialogue"] * lines
    return plan_mixture(sources, {"settings": weight, "dialogue": 1}, seed=seed)


plans = st.builds(
    plan, st.integers(1, 20), st.integers(1, 60), st.sampled_from([0.3, 0.5, 1, 1.5, 2.25, 3, 5]), st.integers(0, 9)
)


@given(plans, st.integers(0, 3))
def test_an_epoch_shows_each_record_as_often_as_planned_and_every_line(made: MixturePlan, epoch: int) -> None:
    seen = np.bincount(made.epoch(epoch), minlength=len(made.sources))
    assert (seen == made.exposures(epoch)).all()
    assert (seen[np.array(made.sources) == "dialogue"] == 1).all()


@given(plans)
def test_every_epoch_is_equally_long(made: MixturePlan) -> None:
    assert {len(made.epoch(epoch)) for epoch in range(4)} == {made.epoch_length}


@given(plans)
def test_records_of_one_source_are_never_more_than_one_exposure_apart(made: MixturePlan) -> None:
    for epochs in range(1, 5):
        settings = made.planned(epochs)[np.array(made.sources) == "settings"]
        assert settings.max() - settings.min() <= 1


@given(plans, st.integers(0, 3))
def test_the_same_plan_draws_the_same_epoch_anywhere(made: MixturePlan, epoch: int) -> None:
    again = MixturePlan(made.sources, made.exposures_of, made.seed)
    assert (made.epoch(epoch) == again.epoch(epoch)).all()


def test_epochs_and_seeds_are_drawn_apart() -> None:
    made = plan(20, 100, 5)
    assert (made.epoch(0) != made.epoch(1)).any()
    assert (made.epoch(0) != plan(20, 100, 5, seed=2).epoch(0)).any()


def test_settings_are_spread_over_the_epoch() -> None:
    made = plan(50, 500, 5)
    settings = made.epoch(0) < 50
    quarters = [part.mean() for part in np.array_split(settings, 4)]
    assert min(quarters) > 0.2  # a third of all rows, a sixth of a quarter would be a clump
    assert max(quarters) < 0.5


@given(plans, st.integers(1, 4))
def test_a_records_exposures_take_its_rows_in_turn(made: MixturePlan, variants: int) -> None:
    counts = [variants] * len(made.sources)
    rows = np.concatenate([made.rows(epoch, counts) for epoch in range(3)])
    shown = np.bincount(rows, minlength=sum(counts)).reshape(-1, variants)
    assert (shown.sum(1) == made.planned(3)).all()
    assert (shown.max(1) - shown.min(1) <= 1).all()


def test_the_furina_plan_at_weight_five_covers_everything_each_epoch() -> None:
    made = plan(80, 875, 5)
    for epoch in range(3):
        seen = np.bincount(made.epoch(epoch), minlength=955)
        assert set(seen[:80]) == {5}
        assert set(seen[80:]) == {1}


def test_the_ledger_adds_up() -> None:
    planned = np.array([5, 5, 1, 1, 1])
    kinds = ["setting_qa", "setting_qa", "dialogue", "dialogue", "dialogue"]
    settings, lines = make_ledger(
        kinds, [2.0, 4.0, 10.0, 10.0, 10.0], planned, realised=planned + np.array([0, 1, 0, 0, 0])
    )
    assert (settings["records"], settings["planned"], settings["realised"]) == (2, 10, 11)
    assert (settings["per_record_min"], settings["per_record_mean"], settings["per_record_max"]) == (5, 5.5, 6)
    assert settings["share_of_records"] == pytest.approx(11 / 14)
    assert lines["share_of_loss_tokens"] == pytest.approx(30 / 64)
    assert "setting_qa" in format_ledger([settings, lines])
