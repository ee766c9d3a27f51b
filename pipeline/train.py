"""Train a character: `python -m pipeline.train --config RECIPE [--key value ...]`, or so under accelerate launch."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.recipe import describe_keys
from pipeline.stages import as_started
from pipeline.training import train_recipe


@entry_point
def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        prog="understudy train",
        description=as_started(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"--key value overrides the recipe. Understudy's own keys:\n\n{describe_keys()}\n\n"
        "and every field of trl's SFTConfig and ModelConfig.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    arguments, overrides = parser.parse_known_args()
    train_recipe(arguments.config, overrides)


if __name__ == "__main__":
    main()
