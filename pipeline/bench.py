"""Measure a training step beside trl's: the same rows, model and optimizer, by turns, each in its own process."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.benchmark.session import bench_recipe
from pipeline.errors import entry_point


@entry_point
def main() -> None:
    """Read the command line, measure, print the tables, write JSON and SVG."""
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
    bench_recipe(arguments.config, overrides, kinds=arguments.kinds, rounds=arguments.rounds, folder=arguments.out)


if __name__ == "__main__":
    main()
