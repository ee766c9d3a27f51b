"""The mean of the late weights is the model in the end, and while it is evaluated."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.training.arguments import parse_run
from pipeline.training.callbacks.averaging import WeightAverage

STEPS = 8


def model_of(values: list[float]) -> torch.nn.Module:
    model = torch.nn.Linear(len(values), 1)
    model.bias.requires_grad_(False)
    model.weight.data = torch.tensor([values])
    return model


def call(average: WeightAverage, event: str, step: int, model: torch.nn.Module) -> None:
    nothing: Any = None
    getattr(average, event)(nothing, SimpleNamespace(global_step=step, max_steps=STEPS), nothing, model=model)


def train(average: WeightAverage, model: torch.nn.Module, course: list[list[float]], first: int) -> None:
    for step, values in enumerate(course, first):
        model.weight.data = torch.tensor([values])
        call(average, "on_step_end", step, model)


@given(
    st.lists(st.lists(st.floats(-9, 9, width=32), min_size=3, max_size=3), min_size=STEPS, max_size=STEPS),
    st.sampled_from([0.0, 0.3, 0.5, 0.9]),
    st.integers(1, STEPS - 1),
)
def test_a_run_ends_with_the_mean_of_its_late_steps_however_it_was_resumed(
    course: list[list[float]], start: float, stopped: int
) -> None:
    power = 2 * start / (1 - start)
    weights = torch.tensor([math.exp(math.lgamma(step + power) - math.lgamma(step)) for step in range(1, STEPS + 1)])
    expected = (weights / weights.sum()) @ torch.tensor(course)
    average, model = WeightAverage(start), model_of([0.0] * 3)
    call(average, "on_train_begin", 0, model)
    train(average, model, course[:stopped], 1)
    resumed, again = WeightAverage(start), model_of(course[stopped - 1])
    resumed.mean = {name: mean.clone() for name, mean in average.mean.items()}
    call(resumed, "on_train_begin", stopped, again)
    for one, its in ((average, model), (resumed, again)):
        train(one, its, course[stopped:], stopped + 1)
        call(one, "on_train_end", STEPS, its)
        torch.testing.assert_close(its.weight[0], expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(model.weight, again.weight)


@pytest.mark.parametrize("start", [0.0, 0.5, 0.8])
def test_the_mean_lies_where_that_of_the_steps_after_its_start_would_whenever_a_run_ends(start: float) -> None:
    average, model = WeightAverage(start), model_of([0.0])
    call(average, "on_train_begin", 0, model)
    for steps in (range(1, 401), range(401, 1001)):
        train(average, model, [[float(step)] for step in steps], steps[0])
        assert average.mean["weight"].item() == pytest.approx(steps[-1] * (1 + start) / 2, rel=0.01)


def test_an_evaluation_sees_the_mean_and_training_goes_on_from_its_own_weights() -> None:
    average, model = WeightAverage(0.0), model_of([0.0])
    call(average, "on_train_begin", 0, model)
    with average.applied():
        assert model.weight.item() == 0
    train(average, model, [[1.0], [3.0]], 1)
    with average.applied():
        assert model.weight.item() == 2
    assert model.weight.item() == 3


def test_a_checkpoint_has_the_mean_so_far(tmp_path: Path) -> None:
    average, model = WeightAverage(0.3), model_of([0.0])
    call(average, "on_train_begin", 0, model)
    train(average, model, [[1.0], [2.0], [4.0], [5.0]], 1)
    average.save(tmp_path)
    read = WeightAverage(0.3)
    read.load(tmp_path)
    assert torch.equal(read.mean["weight"], average.mean["weight"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"swa_start": 1.5}, "'swa_start' is 1.5"),
        ({"swa_start": 0.5, "use_peft": False}, "is of LoRA's weights"),
        ({"swa_start": 0.5, "load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 10}, "would each"),
    ],
)
def test_an_average_that_cannot_be_is_refused_by_name(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    recipe = Path("recipes/demo.yaml").read_text(encoding="utf-8")
    lines = [line for line in recipe.splitlines() if line.partition(":")[0] not in more]
    path = tmp_path / "recipe.yaml"
    path.write_text("\n".join([*lines, *(f"{key}: {value}" for key, value in more.items())]), encoding="utf-8")
    with pytest.raises(UnderstudyError, match=said):
        parse_run(path, ["--use_cpu", "true"])
