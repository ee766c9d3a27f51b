"""Measure a training step beside trl's: the same rows, model and optimizer, by turns, each in a process of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.benchmark.measure import ATTEMPTS, log_file, run_bench
from pipeline.benchmark.report import draw_bench, format_bench
from pipeline.errors import entry_point
from pipeline.recipe import read_recipe, value_of

# What a step's time should not have in it, or would make the variants unequal.
PLAIN = {
    "activation_checkpointing": "false", "bf16_if_faster": "false", "bf16": "false", "batching": "auto",
    "gradient_accumulation_steps": "1", "save_strategy": "no", "logging_steps": "1", "disable_tqdm": "true",
    "report_to": "none", "recall_items": "0",
}  # fmt: skip


@entry_point
def main() -> None:
    """Read the command line, measure, print the tables, write JSON and picture."""
    parser = argparse.ArgumentParser(
        prog="understudy bench",
        description=__doc__,
        epilog="--key value overrides the recipe, as in training.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, default=Path("recipes/demo.yaml"), metavar="RECIPE")
    parser.add_argument("--kinds", nargs="*", default=[], metavar="KIND", help="only these: dialogue, setting_qa, ...")
    parser.add_argument("--rounds", type=int, default=5, help="measured steps of each variant (default: 5)")
    parser.add_argument("--out", type=Path, default=Path("outputs/bench"), metavar="DIR", help="default: outputs/bench")
    arguments, overrides = parser.parse_known_args()
    bench(arguments.config, overrides, kinds=arguments.kinds, rounds=arguments.rounds, folder=arguments.out)


def bench(recipe: Path, overrides: list[str], *, kinds: list[str], rounds: int, folder: Path) -> None:
    """Measure one recipe's rows and write `bench.json`, `bench.svg` and `bench.log` into the folder."""
    from pipeline.training.identity import versions
    from pipeline.whole_files import write_json

    folder.mkdir(parents=True, exist_ok=True)
    steps = {"max_steps": str(rounds * ATTEMPTS + 2), "output_dir": str(folder / "run")}
    given = [*overrides, *(word for key, value in (PLAIN | steps).items() for word in (f"--{key}", value))]
    character = str(value_of(recipe, overrides, "character"))
    rows = " and ".join(kinds) or "all rows"
    batch = value_of(recipe, overrides, "per_device_train_batch_size") or 8
    with log_file(folder).open("w", encoding="utf-8") as log:
        order = {"recipe": str(recipe), "overrides": given, "kinds": kinds}
        found = run_bench(order, rounds, log, lambda text: print_line(text, sys.stderr))
    found |= {
        "title": f"{character}, {rows}",
        "note": f"batches of {batch} rows, float32, {found['device']}; medians of {rounds} steps of each, by turns",
        "recipe": read_recipe(recipe),
        "versions": versions(),
    }
    print_line(f"{found['title']} ({found['note']})\n{format_bench(found)}", sys.stdout)
    write_json(folder / "bench.json", found)
    (folder / "bench.svg").write_text(draw_bench(found), encoding="utf-8")
    print_line(f"written to {folder}/bench.json and bench.svg", sys.stdout)


def print_line(text: str, stream: object) -> None:
    """Write a line at once."""
    print(text, file=stream, flush=True)  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
