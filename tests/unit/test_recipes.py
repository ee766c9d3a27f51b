"""A recipe says what is run; anything wrong in it is named with its file, line and key."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.conversations.persona import LANGUAGES
from pipeline.errors import UnderstudyError
from pipeline.recipe import CharacterArguments, checks
from pipeline.training.arguments import parse_run
from tests.conftest import ROOT

RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
ACCELERATE_CONFIGS = sorted((ROOT / "accelerate_configs").glob("*.yaml"))


def edited(recipe: Path, **changes: Any) -> Path:
    values = yaml.safe_load(recipe.read_text(encoding="utf-8")) | changes
    recipe.write_text("\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items()), encoding="utf-8")
    return recipe


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_understood(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    run = parse_run(recipe, ["--use_cpu", "true", "--bf16", "false"])
    assert run.training.output_dir == f"outputs/{recipe.stem}"
    assert run.character.exposures >= 12
    assert not run.character.has_weights
    assert run.training.num_train_epochs == (run.epochs or 1)


def test_a_recipes_languages_are_those_that_have_prompts() -> None:
    assert checks.LANGUAGES == LANGUAGES


def test_what_the_loss_weighs_is_measured_but_where_a_recipe_weighs_the_kinds_itself() -> None:
    def weights(**options: Any) -> dict[str, float]:
        return CharacterArguments(**options).weights_in_loss

    measured = {"background": 0.5, "setting_qa": 1, "dialogue": 0.3, "replay": 1, "boundary": 1, "misplaced": 0.3}
    assert weights() == measured
    assert weights(loss_weights={"dialogue": 1}) == measured | {"dialogue": 1}
    assert set(weights(settings_weight=5).values()) == {1}
    assert weights(settings_weight=5, loss_weights='{"replay": 0.5}')["replay"] == 0.5


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_every_recipes_header_carries_its_command(recipe: Path) -> None:
    header = recipe.read_text(encoding="utf-8").split("\n\n", 1)[0]
    commands = re.findall(r"accelerate launch --quiet --config_file (\S+) .*-m pipeline.train --config (\S+)", header)
    assert commands
    for config, named in commands:
        assert (ROOT / config).is_file()
        assert ROOT / named == recipe


@pytest.mark.parametrize("config", ACCELERATE_CONFIGS, ids=lambda path: path.stem)
def test_every_accelerate_config_is_understood(config: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    loaded = load_config_from_file(str(config))
    engines = {"single": "NO", "ddp": "MULTI_GPU", "zero2": "DEEPSPEED", "zero3": "DEEPSPEED", "fsdp2": "FSDP"}
    assert loaded.distributed_type.value == engines[config.stem]
    if config.stem.startswith("zero"):
        assert loaded.deepspeed_config["zero_stage"] == int(config.stem[-1])


def test_the_command_line_overrides_the_recipe(tiny_recipe: Path) -> None:
    run = parse_run(tiny_recipe, ["--learning_rate", "0.5", "--settings_weight", "2.5", "--raw", "a", "b"])
    assert (run.training.learning_rate, run.character.settings_weight, run.character.raw) == (0.5, 2.5, ["a", "b"])


def test_yaml_floats_without_a_point_are_numbers(tiny_recipe: Path) -> None:
    tiny_recipe.write_text(
        tiny_recipe.read_text(encoding="utf-8").replace('"learning_rate": 0.01', '"learning_rate": 1e-4')
    )
    assert parse_run(tiny_recipe).training.learning_rate == 1e-4


@pytest.mark.parametrize("value", ["off", "self", "auto", "embedded", "./models/mine", "org/name"])
def test_a_paraphraser_is_written_as_it_is_meant(value: str, tiny_recipe: Path) -> None:
    """YAML takes a bare off for false."""
    content = tiny_recipe.read_text(encoding="utf-8").rstrip().removesuffix("}")
    tiny_recipe.write_text(f"{content}, paraphrase: {value}}}", encoding="utf-8")
    assert parse_run(tiny_recipe).character.paraphrase == value


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"paraphrase": "atuo"}, r"'paraphrase' is 'atuo'.*make it off, self, auto"),
        ({"paraphrase": True}, r"'paraphrase' is True.*make it a string"),
        ({"paraphrases": 0}, r"'paraphrases' is 0.*make it from 1 to 16"),
        ({"settings_wieght": 5}, r"recipe\.yaml:\d+: unknown key 'settings_wieght'.*write 'settings_weight'"),
        (
            {"lora_rank": 8},
            r"recipe\.yaml:\d+: unknown key 'lora_rank'.*write 'lora_r', which is what it is called here",
        ),
        ({"warmup_ratio": 0.1}, r"recipe\.yaml:\d+: .*write 'warmup_steps', in steps instead of a share"),
        ({"init_lora_weights": "pissa"}, r"recipe\.yaml:\d+: .*leave it out: peft's default is used"),
        ({"zzz": 5}, r"recipe\.yaml:\d+: unknown key 'zzz'.*delete it"),
        ({"num_train_epochs": "three"}, r"recipe\.yaml:\d+: 'num_train_epochs' is 'three'.*make it a number"),
        ({"use_peft": "yes please"}, r"recipe\.yaml:\d+: 'use_peft' is 'yes please'.*true or false"),
        ({"per_device_train_batch_size": 2.5}, r"'per_device_train_batch_size' is 2\.5.*a whole number"),
        ({"raw": "data/mira"}, r"'raw' is 'data/mira'.*make it a list, such as \[one\]"),
        ({"language": "english"}, r"recipe\.yaml:\d+: 'language' is 'english'.*make it en or zh"),
        ({"settings_weight": 0}, r"'settings_weight' is 0.*above 0"),
        ({"batching": "packed"}, r"'batching' is 'packed'.*auto or prefix_tree or padded"),
        ({"packing": True}, r"recipe\.yaml:\d+: 'packing' cannot be used here"),
        ({"model_name_or_path": None}, r"names no model"),
        ({"per_device_train_batch_size": 0}, r"recipe\.yaml:\d+: 'per_device_train_batch_size' is 0.*set 1 or more"),
        ({"character": None}, r"recipe\.yaml.*'character' is missing"),
        ({"loss_type": "dft"}, r"recipe\.yaml:\d+: 'loss_type' cannot be used here"),
        (
            {"enable_jit_checkpoint": True},
            r"recipe\.yaml:\d+: 'enable_jit_checkpoint' cannot be used here: SIGTERM ends",
        ),
        ({"eval_strategy": "steps", "recall_items": 0}, r"recipe\.yaml:\d+: has nothing to evaluate"),
        ({"early_stopping": 2}, r"would keep the last model, not the best.*load_best_model_at_end"),
        ({"held_out": 1}, r"'held_out' is 1.*less than 1"),
        ({"on_overlong": "cut"}, r"'on_overlong' is 'cut'.*error or reject or truncate_history"),
        ({"kind_weights": {"lines": 2}}, r"'kind_weights' is .*mapping of background, setting_qa, dialogue, replay"),
        ({"probabilities": {"dialogue": 0}}, r"'probabilities' is .*above 0"),
        ({"loss_weights": {"lines": 2}}, r"'loss_weights' is .*mapping of background, setting_qa, dialogue, replay"),
        ({"loss_weights": {"dialogue": 0}}, r"'loss_weights' is .*above 0"),
        ({"kind_weights": "5"}, r"'kind_weights' is '5'.*mapping of"),
        ({"max_exposures": 0}, r"'max_exposures' is 0.*1 or more"),
        ({"lr_scheduler_type": "cosinus"}, r"cosinus"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_the_fix(
    tiny_recipe: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UnderstudyError, match=f"(?s){complaint}") as raised:
        parse_run(edited(tiny_recipe, **changes))
    assert "To fix it: " in str(raised.value)


def test_an_unknown_override_is_named_with_the_key_that_is_nearest(tiny_recipe: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"--settings_wieght is no key.*write --settings_weight"):
        parse_run(tiny_recipe, ["--settings_wieght", "3"])


def test_a_missing_recipe_and_broken_yaml_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="is not there"):
        parse_run(tmp_path / "nowhere.yaml")
    (tmp_path / "broken.yaml").write_text("character: [", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"broken\.yaml:1: is no YAML"):
        parse_run(tmp_path / "broken.yaml")


def test_a_key_that_stands_twice_is_an_error_at_the_second(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("character: Mira\nlora_r: 16\nraw: [a]\nlora_r: 8\n", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"r\.yaml:4: has 'lora_r' a second time, after line 2"):
        parse_run(tmp_path / "r.yaml")


@pytest.mark.parametrize("stage", ["", "convert", "train", "recall", "chat", "demo", "bench", "cast"])
def test_help_imports_nothing_heavy(stage: str) -> None:
    code = (
        "import sys\nfrom pipeline.cli import main\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert not left.code\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *([stage] if stage else []), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip().endswith("[]")
    assert "usage: understudy" in done.stdout


def test_what_the_command_line_says_is_not_blamed_on_the_file() -> None:
    with pytest.raises(UnderstudyError, match=r"^command line: 'exposures' is 0"):
        parse_run(ROOT / "recipes" / "demo.yaml", ["--use_cpu", "true", "--exposures", "0"])
    with pytest.raises(UnderstudyError, match=r"--lora_rank is no key .* write --lora_r,"):
        parse_run(ROOT / "recipes" / "demo.yaml", ["--use_cpu", "true", "--lora_rank", "8"])
