"""Measure beside trl: a training step on the same rows, or how soon facts are known; or what whole commands take."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.benchmark.gpu_plan import GPU_PLAN
from pipeline.benchmark.session import bench_commands, bench_recall, bench_recipe
from pipeline.errors import entry_point
from pipeline.stages import STAGES, as_started
from pipeline.terminal import print_line


@entry_point
def main() -> None:
    """Read the command line, measure, print the tables, write JSON and SVG."""
    parser = argparse.ArgumentParser(
        prog="understudy bench",
        description=as_started(__doc__),
        epilog="--key value overrides the recipe, as in training.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, default=Path("recipes/demo.yaml"), metavar="RECIPE")
    parser.add_argument("--kinds", nargs="*", default=[], metavar="KIND", help="only these: dialogue, setting_qa, ...")
    parser.add_argument("--rounds", type=int, default=5, help="measured steps of each variant (default: 5)")
    parser.add_argument("--out", type=Path, default=Path("outputs/bench"), metavar="DIR", help="default: outputs/bench")
    parser.add_argument("--half", action="store_true", help="only every other fact and scene")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--time_to_recall",
        action="store_true",
        help="whole runs: how soon 90%% of the facts are known",
    )
    instead.add_argument("--commands", action="store_true", help="convert, explain, preflight, chat, every --help")
    instead.add_argument("--gpu_plan", "--gpu-plan", action="store_true", help="what to run on a machine with a GPU")
    arguments, overrides = parser.parse_known_args()
    if arguments.gpu_plan:
        print_line(GPU_PLAN)
        return
    recipe = arguments.config
    if arguments.half:
        from pipeline.multirun.half import write_half_recipe  # after --help

        recipe = write_half_recipe(recipe)
    if arguments.time_to_recall:
        bench_recall(recipe, overrides, folder=arguments.out)
    elif arguments.commands:
        bench_commands(recipe, [*STAGES], folder=arguments.out)
    else:
        bench_recipe(recipe, overrides, kinds=arguments.kinds, rounds=arguments.rounds, folder=arguments.out)


if __name__ == "__main__":
    main()
