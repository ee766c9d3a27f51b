"""Runs that are killed, cut off in a save, out of room or told to leave lose nothing; real processes throughout."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import pytest

from pipeline.runs.checkpoints import list_complete_checkpoints
from tests.conftest import tiny_values, write_raw_files, write_tiny_model
from tests.runs import TORCHRUN, Run, checkpoints_of, command, distance

pytestmark = pytest.mark.launch
CLOSE = 1e-3  # two processes add their gradients up in another order than one


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recipe that saves every second of its 20 steps, and the folder of its run on one process to the end."""
    folder = tmp_path_factory.mktemp("nothing-lost")
    raw, model = write_raw_files(folder / "raw"), write_tiny_model(folder / "model")
    values = tiny_values(folder, raw, model) | {
        "num_train_epochs": 4, "save_strategy": "steps", "save_steps": 2, "learning_rate": 0.001, "recall_items": 0,
        "swa_start": 0.4, "disable_tqdm": True,
    }  # fmt: skip
    recipe = folder / "recipe.yaml"
    recipe.write_text(json.dumps(values), encoding="utf-8")
    # Its interpreter's hashes are seeded otherwise than those of the runs compared with it: the bits are the same.
    run = Run(command("one", recipe, folder / "undisturbed"), folder / "undisturbed.log", fresh=True)
    assert run.end() == 0, run.said[-3000:]
    return recipe, folder / "undisturbed"


def test_a_runs_folder_holds_what_it_held_before(undisturbed: tuple[Path, Path]) -> None:
    """A run of this recipe that is in a folder is taken for the same run, as long as this stays as it is."""
    golden = json.loads((Path(__file__).parent / "golden" / "run_folder.json").read_text(encoding="utf-8"))
    recipe, folder = undisturbed
    run, persona = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("run.json", "persona.json"))
    ledger, logs = (
        [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for name in ("ledger.jsonl", "logs.jsonl")
    )
    identity = json.loads(
        (folder / "identity.json").read_text(encoding="utf-8").replace(str(recipe.parent), "{folder}")
    )
    del identity["data"]  # which is of the raw files' places, too
    assert {
        "files": sorted(path.name for path in folder.iterdir()),
        "run.json": sorted(run),
        "arguments": sorted(run["arguments"]),
        "identity.json": identity,
        "persona.json": persona,
        "ledger.jsonl": sorted(ledger[0]),
        "logs.jsonl": sorted({key for log in logs for key in log}),
    } == golden


def finish(engine: str, recipe: Path, out: Path, *overrides: str) -> str:
    """What a run says that ends well."""
    run = Run(command(engine, recipe, out, *overrides), out.with_name(f"{out.name}.again.log"))
    assert run.end() == 0, run.said[-3000:]
    return run.said


def two_processes(recipe: Path) -> list[str]:
    """Overrides with which two processes take the rows a step that one takes."""
    values = json.loads(recipe.read_text(encoding="utf-8"))
    return ["--per_device_train_batch_size", str(values["per_device_train_batch_size"] // 2)]


def test_a_run_killed_in_a_save_passes_over_what_is_not_whole(undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    recipe, whole = undisturbed
    out = tmp_path / "cut"
    run = Run(command("one", recipe, out), tmp_path / "log")
    assert run.until(lambda: len(list_complete_checkpoints(out)) >= 2)
    assert run.until(lambda: checkpoints_of(out)[1])  # the next one is being written
    run.launcher.send_signal(signal.SIGSTOP)
    second = Run(command("one", recipe, out), tmp_path / "second.log")
    assert second.end() == 2
    assert "is being trained in by another process" in second.said
    run.kill()
    kept, cut = checkpoints_of(out)
    for file in (out / kept[-1]).glob("optimizer.pt"):  # and a machine that lost its power had not written this out
        os.truncate(file, file.stat().st_size // 2)
    said = finish("one", recipe, out)
    for name in (*cut, kept[-1]):
        assert f"{name} is incomplete, and is removed" in said
    assert f"resuming from {out / kept[-2]}" in said
    assert distance(whole, out) == 0
    ledgers = [json.loads((folder / "run.json").read_text(encoding="utf-8"))["ledger"] for folder in (whole, out)]
    assert ledgers[0] == ledgers[1]
    assert not [file.name for file in out.iterdir() if file.suffix in (".bin", ".pt", ".pth", ".lock")]


def test_a_run_killed_after_its_last_step_takes_no_step_more(undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    recipe, _ = undisturbed
    out = tmp_path / "cut"
    middle = ["--max_steps", "7", "--save_steps", "7", "--recall_items", "8"]  # of an epoch; recall is measured last
    run = Run(command("one", recipe, out, *middle), tmp_path / "log")
    assert run.until(lambda: list_complete_checkpoints(out))
    run.kill()
    assert not (out / "run.json").exists()
    said = finish("one", recipe, out, *middle)
    assert f"resuming from {out / 'checkpoint-7'}" in said
    assert "was seen exactly as often as planned" in said
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["steps"] == 7


@pytest.mark.parametrize("engine", ["ddp", "zero2"])
def test_one_process_of_two_is_killed_and_the_same_command_goes_on(
    engine: str, undisturbed: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, whole = undisturbed
    out = tmp_path / "cut"
    run = Run(command(engine, recipe, out, *two_processes(recipe)), tmp_path / "log")
    assert run.until(lambda: list_complete_checkpoints(out))
    run.process(rank=1).kill()
    assert run.end() != 0
    last = checkpoints_of(out)[0][-1]
    assert not (out / "run.json").exists()
    said = finish(engine, recipe, out, *two_processes(recipe))
    assert f"resuming from {out / last}" in said
    assert distance(whole, out) <= CLOSE


def test_a_full_disk_is_said_and_leaves_the_checkpoint_before(undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    recipe, whole = undisturbed
    out = tmp_path / "full"
    run = Run(command("one", recipe, out), tmp_path / "log")
    assert run.until(lambda: list_complete_checkpoints(out))
    resource.prlimit(run.launcher.pid, resource.RLIMIT_FSIZE, (60_000, 60_000))  # from now on no larger file
    assert run.end() == 2, run.said[-3000:]
    kept, cut = checkpoints_of(out)
    assert kept
    assert not cut
    paragraph = run.said[run.said.index("error: ") :].strip()
    assert f"error: {out}: could not be written: " in paragraph
    assert "MiB are free" in paragraph
    assert f"it resumes from {kept[-1]}, which is complete" in paragraph
    assert "Traceback" not in run.said
    assert f"resuming from {out / kept[-1]}" in finish("one", recipe, out)
    assert distance(whole, out) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_told_to_leave_saves_first(
    number: signal.Signals, code: int, undisturbed: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, _ = undisturbed
    whole, out = tmp_path / "whole", tmp_path / "left"
    # The recipe's own 20 steps could end before the signal comes.
    longer = ["--save_strategy", "no", "--num_train_epochs", "12"]
    run = Run(command("one", recipe, out, *longer), tmp_path / "log")
    assert run.until(lambda: "'loss'" in run.said)
    run.launcher.send_signal(number)
    assert run.end() == code, run.said[-3000:]
    assert f"{number.name}: this step is finished and a checkpoint saved, then the run stops" in run.said
    [saved], cut = checkpoints_of(out)
    assert not cut
    assert f"saved {saved} and stopped, on {number.name}; run the same command again to resume" in run.said
    assert f"resuming from {out / saved}" in finish("one", recipe, out, *longer)
    finish("one", recipe, whole, *longer)
    assert distance(whole, out) == 0


def test_two_processes_leave_together_and_one_goes_on_by_force_alone(
    undisturbed: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, whole = undisturbed
    out = tmp_path / "left"
    run = Run(command("ddp", recipe, out, *two_processes(recipe)), tmp_path / "log")
    assert run.until(lambda: "'loss'" in run.said)
    run.process(rank=1).send_signal(signal.SIGTERM)  # to one of them: they must agree
    assert run.end() != 0
    kept, cut = checkpoints_of(out)
    assert not cut
    assert f"saved {kept[-1]} and stopped, on SIGTERM" in run.said

    refused = Run(command("one", recipe, out), tmp_path / "refused.log")
    assert refused.end() == 2
    assert "differs in engine (DDP, now one process)" in refused.said
    assert "processes (2, now 1)" in refused.said
    assert "add `--resume force` to resume" in refused.said
    said = finish("one", recipe, out, "--resume", "force")
    assert f"resuming from {out / kept[-1]}" in said
    assert "forced, with other engine (DDP, now one process)" in said
    assert distance(whole, out) <= CLOSE
    resumed = json.loads((out / "run.json").read_text(encoding="utf-8"))["resumed"]
    assert [entry["from"] for entry in resumed] == [kept[-1]]
    assert any("processes" in change for change in resumed[0]["changed"])


def test_full_training_sharded_by_zero3_ends_in_a_folder_that_transformers_opens(
    undisturbed: tuple[Path, Path], tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    pytest.importorskip("deepspeed")
    recipe, _ = undisturbed
    out = tmp_path / "full"
    finish("zero3", recipe, out, *two_processes(recipe), "--use_peft", "false", "--swa_start", "1", "--max_steps", "2")
    opened, told = AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not told["missing_keys"]
    assert not told["mismatched_keys"]
    assert sum(parameter.numel() for parameter in opened.parameters()) > 0
    assert [file.name for file in out.iterdir() if file.suffix in (".safetensors", ".bin", ".pt")] == [
        "model.safetensors"
    ]


def test_weights_that_fsdp2_shares_out_are_gathered_and_compared(tmp_path: Path) -> None:
    run = Run([*TORCHRUN, "tests.fsdp_read_back", str(tmp_path)], tmp_path / "log")
    assert run.end() == 0, run.said[-3000:]
    assert run.said.count("compared") == 2
