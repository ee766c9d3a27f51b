"""A bench of one recipe's rows: measured, printed, and kept as JSON and as a picture."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.atomic_io import write_json
from pipeline.benchmark.measure import MAX_ROUNDS_FACTOR, log_path, run_bench
from pipeline.benchmark.report import draw_bench, format_bench
from pipeline.recipe import read_recipe, value_of
from pipeline.runs.run_file import versions
from pipeline.terminal import print_line

# Without what would add to a step's time, or make the variants unequal.
BENCH_OVERRIDES = {
    "activation_checkpointing": "false", "bf16_if_faster": "false", "bf16": "false", "batching": "auto",
    "gradient_accumulation_steps": "1", "save_strategy": "no", "logging_steps": "1", "disable_tqdm": "true",
    "report_to": "none", "recall_items": "0",
}  # fmt: skip


def bench_recipe(recipe: Path, overrides: list[str], *, kinds: list[str], rounds: int, folder: Path) -> None:
    """The folder holds `bench.json`, `bench.svg` and `bench.log` of the recipe's rows; the tables are printed."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = {"max_steps": str(rounds * MAX_ROUNDS_FACTOR + 2), "output_dir": str(folder / "run")}
    all_overrides = [
        *overrides,
        *(word for key, value in (BENCH_OVERRIDES | steps).items() for word in (f"--{key}", value)),
    ]
    character = str(value_of(recipe, overrides, "character"))
    rows = " and ".join(kinds) or "all rows"
    batch = value_of(recipe, overrides, "per_device_train_batch_size") or 8
    with log_path(folder).open("w", encoding="utf-8") as log_file:
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
