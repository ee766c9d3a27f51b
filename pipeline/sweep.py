"""Train and measure a recipe with several values of its keys, and compare: `python -m pipeline.sweep --config RECIPE`.

    python -m pipeline.sweep --config recipes/demo.yaml --exposures 10 20 40 --learning_rate 5e-4 1e-3

trains every combination, one after another, each into a folder of its own; the same command again resumes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.recipe import output_folder


@entry_point
def main() -> None:
    """Read the command line, run what is missing, and compare."""
    parser = argparse.ArgumentParser(
        prog="understudy sweep", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe to vary")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to put the runs (the recipe's output_dir + _sweep)"
    )
    parser.add_argument("--accelerate", type=Path, metavar="FILE", help="launch each run by this accelerate config")
    arguments, words = parser.parse_known_args()
    own = output_folder(arguments.config)
    from pipeline.multirun.sweep import run_sweep

    run_sweep(arguments.config, words, arguments.out or own.with_name(f"{own.name}_sweep"), arguments.accelerate)


if __name__ == "__main__":
    main()
