"""Check a run before it begins: versions, devices, model files, rows, disk, and the memory that it will need."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.imports import importing
from pipeline.models.locate import prepare_environment
from pipeline.recipe import value_of
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line, check, and exit with 2 if the run would surely fail."""
    parser = argparse.ArgumentParser(
        prog="understudy preflight",
        description=as_started(__doc__),
        epilog="--key value overrides the recipe, as in training.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    parser.add_argument(
        "--accelerate", type=Path, metavar="FILE", help="the accelerate configuration it will run under"
    )
    parser.add_argument(
        "--device_memory", type=float, metavar="GIB", help="memory of each device, where the devices are not here"
    )
    arguments, overrides = parser.parse_known_args()
    prepare_environment(str(value_of(arguments.config, overrides, "model_name_or_path")))
    with importing():
        from pipeline.training.outlook import preflight_recipe

    fits = preflight_recipe(
        arguments.config, overrides, accelerate=arguments.accelerate, device_memory=arguments.device_memory
    )
    sys.exit(0 if fits else 2)


if __name__ == "__main__":
    main()
