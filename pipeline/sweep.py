"""Train and measure a recipe with several values of its keys, and compare: `python -m pipeline.sweep --config RECIPE`.

    python -m pipeline.sweep --config recipes/demo.yaml --exposures 10 20 40 --learning_rate 5e-4 1e-3

trains every combination, each into a folder of its own: a GPU each where there are several, else one after another. The
same command again resumes. With several values of `seed` the comparison is over the seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.imports import importing
from pipeline.recipe import output_folder
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line, run what is missing, and compare."""
    parser = argparse.ArgumentParser(
        prog="understudy sweep",
        description=as_started(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe to vary")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to put the runs (the recipe's output_dir + _sweep)"
    )
    parser.add_argument("--quick", action="store_true", help="measure each run by the quick exam, not the full one")
    at_once = parser.add_mutually_exclusive_group()
    at_once.add_argument("--jobs", type=int, metavar="N", help="runs at once (one a GPU; 1 without)")
    at_once.add_argument("--accelerate", type=Path, metavar="FILE", help="launch each run by this accelerate config")
    arguments, words = parser.parse_known_args()
    own = output_folder(arguments.config)
    with importing():
        from pipeline.multirun.sweep import run_sweep

    run_sweep(
        arguments.config,
        words,
        arguments.out or own.with_name(f"{own.name}_sweep"),
        accelerate=arguments.accelerate,
        extent="quick" if arguments.quick else "full",
        jobs=arguments.jobs,
    )


if __name__ == "__main__":
    main()
