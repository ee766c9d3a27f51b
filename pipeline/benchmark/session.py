"""A bench of one recipe's rows: measured, printed, and kept as JSON and as a picture."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.atomic_io import write_json
from pipeline.benchmark.commands import format_commands, measure_commands
from pipeline.benchmark.measure import MAX_ROUNDS_FACTOR, log_path, run_bench
from pipeline.benchmark.recall_report import draw_runs, format_runs
from pipeline.benchmark.report import draw_bench, format_bench
from pipeline.benchmark.time_to_recall import measure_runs
from pipeline.errors import UnderstudyError
from pipeline.recipe import character_arguments, output_folder, read_recipe, value_of
from pipeline.runs.run_file import versions
from pipeline.terminal import print_line

# Without what would add to a step's time, or make the variants unequal.
BENCH_OVERRIDES = {
    "activation_checkpointing": "false", "bf16_if_faster": "false", "bf16": "false", "batching": "auto",
    "gradient_accumulation_steps": "1", "save_strategy": "no", "logging_steps": "1", "disable_tqdm": "true",
    "report_to": "none", "recall_items": "0",
}  # fmt: skip


# Of whole runs: all of the records are trained on, and nothing is asked but by the bench.
RUN_OVERRIDES = {
    "bf16_if_faster": "false", "bf16": "false", "save_strategy": "no", "disable_tqdm": "true", "report_to": "none",
    "recall_items": "0", "held_out": "0",
}  # fmt: skip


def bench_recall(recipe: Path, overrides: list[str], *, folder: Path) -> None:
    """The folder holds `recall_bench.json`, `recall_bench.svg` and `bench.log` of whole runs of the recipe.

    Raises:
        UnderstudyError: the recipe has several characters.
    """
    if len(character_arguments(recipe).each) > 1:
        raise UnderstudyError(recipe, "has several characters", fix="name a recipe with one")
    folder.mkdir(parents=True, exist_ok=True)
    with log_path(folder).open("w", encoding="utf-8") as log_file:
        own = RUN_OVERRIDES | {"output_dir": str(folder / "run")}
        spec = {"recipe": str(recipe), "overrides": [*overrides, *_as_words(own)], "kinds": []}
        found = measure_runs(spec, log_file, lambda text: print_line(text, sys.stderr))
    character = str(value_of(recipe, overrides, "character"))
    found |= {
        "title": f"{character}, whole runs",
        "note": "from the same raw files, float32, one learning rate; seconds with loading, without the asking",
        "recipe": read_recipe(recipe),
        "versions": versions(),
    }
    print_line(f"{found['title']} ({found['note']})\n{format_runs(found)}")
    write_json(folder / "recall_bench.json", found)
    (folder / "recall_bench.svg").write_text(draw_runs(found), encoding="utf-8")
    print_line(f"written to {folder}/recall_bench.json and recall_bench.svg")


def bench_commands(recipe: Path, stages: Sequence[str], *, folder: Path) -> None:
    """The seconds of the commands around training are printed, and stand in the folder's `commands.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    costs = measure_commands(recipe, output_folder(recipe), stages, folder, lambda text: print_line(text, sys.stderr))
    print_line(format_commands(costs))
    write_json(folder / "commands.json", {"commands": costs, "versions": versions()})


def bench_recipe(recipe: Path, overrides: list[str], *, kinds: list[str], rounds: int, folder: Path) -> None:
    """The folder holds `bench.json`, `bench.svg` and `bench.log` of the recipe's rows; the tables are printed."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = {"max_steps": str(rounds * MAX_ROUNDS_FACTOR + 2), "output_dir": str(folder / "run")}
    character = str(value_of(recipe, overrides, "character"))
    rows = " and ".join(kinds) or "all rows"
    batch = value_of(recipe, overrides, "per_device_train_batch_size") or 8
    with log_path(folder).open("w", encoding="utf-8") as log_file:
        all_overrides = [*overrides, *_as_words(BENCH_OVERRIDES | steps)]
        spec = {"recipe": str(recipe), "overrides": all_overrides, "kinds": kinds}
        found = run_bench(spec, rounds, log_file, lambda text: print_line(text, sys.stderr))
    found |= {
        "title": f"{character}, {rows}",
        "note": f"batches of {batch} rows, float32, {found['device']}; medians of {rounds} steps of each, by turns",
        "recipe": read_recipe(recipe),
        "versions": versions(),
    }
    print_line(f"{found['title']} ({found['note']})\n{format_bench(found)}")
    write_json(folder / "bench.json", found)
    (folder / "bench.svg").write_text(draw_bench(found), encoding="utf-8")
    print_line(f"written to {folder}/bench.json and bench.svg")


def _as_words(values: Mapping[str, str]) -> list[str]:
    """The values as words of a command line."""
    return [word for key, value in values.items() for word in (f"--{key}", value)]
