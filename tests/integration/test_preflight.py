"""What preflight says of a run, beside what the run then does."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from pipeline.models.embedded import embedded_model
from tests.runs import MODULE, run


@pytest.mark.model
@pytest.mark.parametrize(
    "overrides",
    [
        ("--dtype", "float32"),
        ("--dtype", "bfloat16", "--max_steps", "1"),  # a minute each on a CPU that has no bfloat16
        ("--dtype", "float32", "--use_peft", "false", "--swa_start", "1"),
    ],
)
def test_the_estimate_of_the_demos_memory_is_within_a_fifth_of_its_peak(
    overrides: tuple[str, ...], tmp_path: Path
) -> None:
    embedded_model()  # made before: a process that makes it keeps some of that memory
    done = run(
        *MODULE, "pipeline.train", "--config", "recipes/demo.yaml", "--records_dir", str(tmp_path / "records"),
        "--output_dir", str(tmp_path / "out"), "--max_steps", "2", "--recall_items", "0",
        "--per_device_train_batch_size", "8",
        "--held_out", "0", "--boundaries", "0", "--save_strategy", "no", "--bf16_if_faster", "false", *overrides,
        fresh=True,  # its memory is its own
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    memory = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["memory"]
    assert memory["estimated"] == pytest.approx(memory["peak"], rel=0.2)


def test_preflight_says_what_a_run_needs_and_that_nothing_speaks_against_it(tiny_recipe: Path) -> None:
    done = run(*MODULE, "pipeline.preflight", "--config", str(tiny_recipe), fresh=True)
    assert done.returncode == 0, done.stderr
    assert "all proven; the largest micro-batch has" in done.stdout
    assert done.stdout.endswith("no reason to refuse it\n")


def test_what_is_wrong_is_listed_together_and_before_a_run_begins(
    tiny_recipe: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_model_folder, tmp_path / "model")
    (weights,) = (tmp_path / "model").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-100])
    wrong = ["--config", str(tiny_recipe), "--model_name_or_path", str(tmp_path / "model")]
    done = run(*MODULE, "pipeline.preflight", *wrong, "--device_memory", "0.001")
    trained = run(*MODULE, "pipeline.train", *wrong)
    assert done.returncode == trained.returncode == 2
    assert "it is cut off. To fix it: copy it again." in done.stdout
    assert "error: memory: the run needs about" in done.stdout
    assert "it is cut off. To fix it: copy it again." in trained.stderr
    assert "Traceback" not in trained.stderr


def test_a_recipe_for_eight_gpus_is_checked_without_one(tiny_recipe: Path) -> None:
    done = run(
        *MODULE, "pipeline.preflight", "--config", str(tiny_recipe), "--accelerate", "accelerate_configs/zero3.yaml",
        "--device_memory", "80",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "ZeRO-3, on a GPU each" in done.stdout
    assert "of 80.0 GiB" in done.stdout


def test_a_step_that_runs_out_of_memory_says_what_to_turn(tiny_recipe: Path, tmp_path: Path) -> None:
    """Torch's own allocator is asked for more than any machine has, in the first step."""
    script = tmp_path / "greedy.py"
    script.write_text(
        "import torch\n"
        "from pipeline.train import main\n"
        "from pipeline.training.trainer import UnderstudyTrainer\n"
        "UnderstudyTrainer.compute_loss = lambda *_, **__: torch.empty(2**50)\n"
        "main()\n",
        encoding="utf-8",
    )
    done = run(sys.executable, str(script), "--config", str(tiny_recipe), "--per_device_train_batch_size", "64")
    assert done.returncode == 2, done.stderr[-2000:]
    assert "error: step 1: ran out of memory" in done.stderr
    assert "To fix it: set " in done.stderr
    assert "Traceback" not in done.stderr
