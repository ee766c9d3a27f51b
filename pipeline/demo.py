"""The complete pipeline on a sample character: convert, train, measure, show. `python -m pipeline.demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.multirun.demo import run_demo
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Run every stage of a recipe and end with the report and the command that talks to the character."""
    parser = argparse.ArgumentParser(prog="understudy demo", description=as_started(__doc__))
    parser.add_argument("--config", type=Path, default=Path("recipes/demo.yaml"), metavar="RECIPE")
    parser.add_argument("--full", action="store_true", help="measure everything, not only recall and two prices")
    parser.add_argument("--half", action="store_true", help="only every other fact and scene, in half the time")
    arguments = parser.parse_args()
    run_demo(arguments.config, extent="full" if arguments.full else "quick", half=arguments.half)


if __name__ == "__main__":
    main()
