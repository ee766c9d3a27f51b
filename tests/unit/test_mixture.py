"""The plan shows each record as often as promised, in an order that every process can redraw."""

from __future__ import annotations

import functools
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.mixture.dealing import deal_rows
from pipeline.mixture.ledger import format_agreement, format_ledger, make_ledger
from pipeline.mixture.plan import MixturePlan, exposures_by_share, exposures_by_weight, plan_mixture


def plan(settings: int, lines: int, weight: float, seed: int = 1, rows_per_step: int = 1) -> MixturePlan:
    sources = ["settings"] * settings + ["dialogue"] * lines
    exposures = exposures_by_weight(sources, {"settings": weight, "dialogue": 1})
    return plan_mixture(sources, exposures, seed=seed, rows_per_step=rows_per_step)


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
    assert {int(made.exposures(epoch).sum()) for epoch in range(4)} == {made.epoch_length}
    assert len(made.epoch(0)) == made.epoch_length


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


def test_a_ledger_that_does_not_agree_says_so() -> None:
    planned = np.array([5, 5, 1])
    assert "exactly as often as planned" in format_agreement(planned, planned.copy())
    assert "1 of 3 records were not seen as often as planned" in format_agreement(planned, np.array([5, 6, 1]))


@given(st.integers(1, 20), st.integers(1, 60), st.sampled_from([0.5, 1, 2.25, 5]), st.integers(1, 64))
def test_an_epoch_is_whole_optimizer_steps_and_covers_the_dialogue(
    settings: int, lines: int, weight: float, rows_per_step: int
) -> None:
    made = plan(settings, lines, weight, rows_per_step=rows_per_step)
    assert made.epoch_length % rows_per_step == 0
    exact = plan(settings, lines, weight)
    assert 0 <= made.epoch_length - exact.epoch_length < rows_per_step + 1
    assert (made.exposures(0)[settings:] >= 1).all()


def test_what_rounding_to_whole_steps_adds_keeps_the_weights() -> None:
    made = plan(10, 100, 5, rows_per_step=64)  # 150 rows become 192
    assert made.exposures_of == {"settings": 64, "dialogue": 128}


def test_shares_are_of_the_rows_and_cover_the_dialogue() -> None:
    sources = ["setting_qa"] * 20 + ["dialogue"] * 60
    exposures = exposures_by_share(sources, {"setting_qa": 0.25, "dialogue": 0.75})
    assert exposures == pytest.approx({"setting_qa": 20, "dialogue": 60})
    tripled = exposures_by_share(sources, {"setting_qa": 0.5, "dialogue": 0.5})
    assert tripled == pytest.approx({"setting_qa": 60, "dialogue": 60})


def test_shares_without_dialogue_cover_every_source() -> None:
    exposures = exposures_by_share(["background"] * 10 + ["setting_qa"] * 30, {"background": 0.5, "setting_qa": 0.5})
    assert exposures == pytest.approx({"background": 30, "setting_qa": 30})


def test_a_share_without_records_and_records_without_a_share_are_refused() -> None:
    with pytest.raises(UnderstudyError, match="names dialogue, replay, and the records are dialogue, setting_qa"):
        exposures_by_share(["dialogue", "setting_qa"], {"dialogue": 0.5, "replay": 0.5})


sizes = st.integers(1, 30)


@given(sizes, sizes, st.floats(0.2, 8), st.floats(1, 50), st.floats(1, 50))
def test_by_loss_tokens_a_record_brings_its_weight_in_loss_tokens(
    settings: int, lines: int, weight: float, long: float, short: float
) -> None:
    sources = ["settings"] * settings + ["dialogue"] * lines
    tokens = [long] * settings + [short] * lines
    exposures = exposures_by_weight(sources, {"settings": weight, "dialogue": 1}, loss_tokens=tokens)
    assert exposures["dialogue"] == pytest.approx(lines)
    assert exposures["settings"] * long == pytest.approx(weight * settings * short)
    shares = {"settings": weight, "dialogue": 1.0}
    drawn = exposures_by_share(sources, shares, loss_tokens=tokens)
    assert drawn["settings"] * long == pytest.approx(weight * drawn["dialogue"] * short)


def test_any_number_of_sources_are_mixed_in_one_plan() -> None:
    sources = ["background"] * 5 + ["setting_qa"] * 10 + ["dialogue"] * 40 + ["replay"] * 20
    weights = {"background": 2, "setting_qa": 6, "dialogue": 1, "replay": 0.5}
    made = plan_mixture(sources, exposures_by_weight(sources, weights), seed=0, rows_per_step=8)
    assert made.exposures_of == {"background": 10, "setting_qa": 60, "dialogue": 40, "replay": 10}
    assert len(set(np.asarray(sources)[made.epoch(0)[:40]])) == 4


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_an_optimizer_step_sees_the_same_records_on_any_number_of_processes(processes: int) -> None:
    """Through accelerate's own sharding of the trainer's sampler, over three epochs and after a resume."""
    from accelerate.data_loader import prepare_data_loader, skip_first_batches
    from torch.utils.data import DataLoader

    from pipeline.training.trainer import PlanSampler

    made = plan(20, 83, 5, rows_per_step=8)
    variants = [3] * 103
    lengths = np.random.default_rng(0).integers(5, 500, 309)
    deal = functools.partial(deal_rows, lengths=lengths, rows_per_step=8, rows_per_batch=8 // processes)

    def steps(epoch: int, begin: int = 0) -> list[list[int]]:
        """The rows of each step: 8 a step, 8 / processes on each process."""
        per_process = []
        for process in range(processes):
            sampler = PlanSampler(made, variants, deal)
            sampler.start_epoch(epoch)
            loader = prepare_data_loader(
                DataLoader(range(309), batch_size=8 // processes, sampler=sampler, collate_fn=list),  # type: ignore[arg-type]
                num_processes=processes,
                process_index=process,
                put_on_device=False,
            )
            per_process.append(list(skip_first_batches(loader, begin) if begin else loader))
        return [sorted(chain(*batches)) for batches in zip(*per_process, strict=True)]

    for epoch in range(3):
        expected = np.sort(made.rows(epoch, variants).reshape(-1, 8)).tolist()
        assert steps(epoch) == expected
        assert steps(epoch, begin=5) == expected[5:]


@given(st.lists(st.integers(1, 2000), min_size=24, max_size=24), st.sampled_from([1, 2, 3, 4]))
def test_a_steps_rows_are_dealt_out_evenly_and_none_else(lengths: list[int], rows_per_batch: int) -> None:
    own = np.array(lengths)
    order = np.random.default_rng(0).permutation(24)
    dealt = deal_rows(order, own, rows_per_step=12, rows_per_batch=rows_per_batch)
    assert (np.sort(dealt.reshape(2, 12)) == np.sort(order.reshape(2, 12))).all()
    totals = own[dealt].reshape(2, -1, rows_per_batch).sum(-1)
    assert (totals.max(1) - totals.min(1) <= own[order].reshape(2, 12).max(1)).all()


def test_one_micro_batch_a_step_stays_in_the_plans_order() -> None:
    order = np.arange(16)[::-1]
    assert (deal_rows(order, np.arange(16), rows_per_step=8, rows_per_batch=8) == order).all()


def test_the_real_furina_is_covered_each_epoch_in_another_order(shared_data: Path) -> None:
    from pipeline.recipe import ConversionOptions
    from pipeline.records.conversion import convert

    seed = shared_data / "seed"
    paths = [seed / "speaker" / "芙宁娜", seed / "settings_modified_furina.json"]
    records = convert(paths, "芙宁娜", ConversionOptions()).records
    kinds = [record.kind for record in records]
    weights = {"background": 5.0, "setting_qa": 5.0, "dialogue": 1.0}
    made = plan_mixture(kinds, exposures_by_weight(kinds, weights), seed=3, rows_per_step=8)
    dialogue = np.asarray(kinds) == "dialogue"
    epochs = [made.epoch(epoch) for epoch in range(3)]
    for order in epochs:
        seen = np.bincount(order, minlength=len(kinds))
        assert (abs(seen[~dialogue] - 5) <= 1).all()
        assert (seen[dialogue] >= 1).all()
    interleavings = [dialogue[order] for order in epochs]
    assert (epochs[0] != epochs[1]).any()
    assert (interleavings[0] != interleavings[1]).any()
    assert (interleavings[1] != interleavings[2]).any()
