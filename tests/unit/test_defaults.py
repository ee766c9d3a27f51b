"""What a recipe leaves out fits the model and the machine; what it says stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig, GPT2Config, LlamaConfig, PretrainedConfig, Qwen2Config

from pipeline.errors import UnderstudyError
from pipeline.training import defaults
from pipeline.training.arguments import parse_run
from pipeline.training.defaults import learning_rate_for, with_fastest_dtype, with_learning_rate
from tests.conftest import ROOT

WIDTHS = st.sampled_from([576, 896, 1536, 2048, 3584, 4096, 8192])


def without(recipe: Path, *keys: str) -> Path:
    values = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    recipe.write_text(yaml.safe_dump({key: value for key, value in values.items() if key not in keys}))
    return recipe


def quiet(_: str) -> None:
    pass


@given(narrow=WIDTHS, wide=WIDTHS, lora=st.booleans(), family=st.sampled_from([LlamaConfig, Qwen2Config]))
def test_the_wider_a_model_the_smaller_its_learning_rate(
    narrow: int, wide: int, lora: bool, family: type[PretrainedConfig]
) -> None:
    narrow, wide = sorted((narrow, wide))
    rates = [learning_rate_for(family(hidden_size=width), lora=lora) for width in (narrow, wide)]
    assert rates[0] >= rates[1] > 0


@given(width=WIDTHS)
def test_all_weights_are_trained_at_a_tenth_of_loras_rate(width: int) -> None:
    config = LlamaConfig(hidden_size=width)
    assert learning_rate_for(config, lora=False) == pytest.approx(learning_rate_for(config, lora=True) / 10, rel=0.05)


def test_the_embedded_models_rate_is_the_demos(tiny_recipe: Path) -> None:
    demo = yaml.safe_load((ROOT / "recipes/demo.yaml").read_text(encoding="utf-8"))
    said: list[str] = []
    recipe = without(tiny_recipe, "learning_rate")
    run = with_learning_rate(parse_run(recipe, ["--model_name_or_path", "embedded", "--use_peft", "true"]), said.append)
    assert run.training.learning_rate == demo["learning_rate"]
    assert said == ["learning rate 0.0015, which the recipe leaves open: for LoRA on a llama 576 wide"]


@pytest.mark.parametrize("overrides", [[], ["--learning_rate", "0.5"], ["--learning_rate=0.5"]])
def test_a_rate_that_is_given_stands(tiny_recipe: Path, overrides: list[str]) -> None:
    if overrides:
        without(tiny_recipe, "learning_rate")
    run = with_learning_rate(parse_run(tiny_recipe, overrides), quiet)
    assert run.training.learning_rate == (0.5 if overrides else 0.01)


def test_a_model_names_its_width_by_whatever_name() -> None:
    assert learning_rate_for(GPT2Config(n_embd=896), lora=True) == learning_rate_for(
        Qwen2Config(hidden_size=896), lora=True
    )
    with pytest.raises(UnderstudyError, match=r"'learning_rate'.*set `learning_rate`"):
        learning_rate_for(PretrainedConfig(), lora=True)


def test_a_model_with_pictures_has_its_texts_width() -> None:
    seeing = AutoConfig.for_model("qwen2_5_vl", text_config={"hidden_size": 896})
    assert learning_rate_for(seeing, lora=True) == learning_rate_for(Qwen2Config(hidden_size=896), lora=True)


@pytest.mark.parametrize(
    ("overrides", "on_gpu"),
    [([], True), (["--use_cpu", "true"], False), (["--fp16", "true"], False), (["--bf16=false"], False)],
)
def test_bfloat16_is_for_gpus_that_have_it(
    tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], on_gpu: bool
) -> None:
    recipe = without(tiny_recipe, "bf16", "fp16", "use_cpu")
    assert parse_run(recipe, overrides).training.bf16 is False, "this machine has no GPU"
    monkeypatch.setattr(defaults, "is_torch_bf16_gpu_available", lambda: True)
    monkeypatch.setattr("transformers.training_args.is_torch_bf16_gpu_available", lambda: True)
    assert parse_run(recipe, overrides).training.bf16 is on_gpu


@pytest.mark.parametrize(
    ("lora", "launch", "measured", "dtype"),
    [
        (True, {"on_gpu": False, "bf16": False}, True, "bfloat16"),
        (True, {"on_gpu": False, "bf16": False}, False, "float32"),
        (True, {"on_gpu": True, "bf16": True}, False, "bfloat16"),
        (True, {"on_gpu": True, "bf16": False}, True, "float32"),
        (False, {"on_gpu": False, "bf16": False}, True, "float32"),  # most updates of all weights would round away
        (False, {"on_gpu": True, "bf16": True}, True, "float32"),
    ],
)
def test_the_base_is_held_in_bfloat16_where_that_is_faster_and_it_is_not_trained(
    lora: bool, launch: dict[str, bool], measured: bool, dtype: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("monkeypatch").setattr(defaults, "is_bfloat16_faster", lambda: measured)
    overrides = ["--bf16_if_faster", "true", "--use_peft", str(lora).lower(), "--dtype", "float32"]
    run = parse_run(request.getfixturevalue("tiny_recipe"), overrides)
    assert with_fastest_dtype(run, quiet, **launch).model.dtype == dtype


def test_without_the_key_the_base_is_held_as_the_recipe_says(tiny_recipe: Path) -> None:
    run = parse_run(tiny_recipe, ["--bf16_if_faster", "false", "--use_peft", "true"])
    assert with_fastest_dtype(run, quiet, on_gpu=True, bf16=True) is run
