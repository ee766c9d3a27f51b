"""What a recipe asks of packages that are not there is found before the run, not by a traceback in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.capacity import packages
from pipeline.capacity.findings import Finding
from pipeline.capacity.packages import check_packages, lacks_attention
from pipeline.training.arguments import parse_run

ON_A_CPU = ["--use_cpu", "true"]
RECIPE = Path(__file__).parents[2] / "recipes" / "demo.yaml"


def findings(*overrides: str, here: bool = True) -> list[Finding]:
    run = parse_run(RECIPE, [*ON_A_CPU, *overrides])
    return list(check_packages(run.training, run.model.attn_implementation, here=here))


def test_a_recipe_that_asks_for_nothing_more_has_no_finding() -> None:
    assert not findings()


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("optim", "adamw_8bit", "bitsandbytes"),
        ("optim", "galore_adamw", "galore"),
        ("learning_rate", "-1", "is -1"),
        ("use_liger_kernel", "true", "liger-kernel"),
        ("attn_implementation", "flash_attention_2", "flash-attn"),
    ],
)
def test_what_is_missing_is_named_with_its_key(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, word: str
) -> None:
    monkeypatch.setattr(packages, "is_liger_kernel_available", lambda: False)
    monkeypatch.setattr(packages, "is_flash_attn_2_available", lambda: False)
    (found,) = findings(f"--{key}", value)
    assert found.fatal
    assert key in found.where
    assert word in found.what
    assert lacks_attention(value) is (key == "attn_implementation")


def test_a_package_that_is_missing_here_does_not_end_a_run_elsewhere() -> None:
    assert [found.fatal for found in findings("--optim", "galore_adamw", here=False)] == [False]


@pytest.mark.parametrize("optimizer", ["adamw_torch", "adafactor", "sgd", "adamw_torch_fused"])
def test_an_optimizer_of_torch_or_transformers_is_there(optimizer: str) -> None:
    assert not findings("--optim", optimizer)
