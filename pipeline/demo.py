"""The whole line on a sample character: convert, train, measure, show. `python -m pipeline.demo`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.recall.__main__ import measure_recipe
from pipeline.recipe import character_arguments, output_folder
from pipeline.train import chat_command, train_recipe


@entry_point
def main() -> None:
    """Run every stage of a recipe and end with the report and the command that talks to the character."""
    parser = argparse.ArgumentParser(prog="understudy demo", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("recipes/demo.yaml"), metavar="RECIPE")
    recipe = parser.parse_args().config
    folder = output_folder(recipe)
    sys.stdout.write(f"== 1. convert and train ({recipe})\n")
    train_recipe(recipe, [])
    sys.stdout.write("\n== 2. what is recalled, before and after\n")
    measure_recipe(recipe, folder)
    names = [one.name for one in character_arguments(recipe).each]
    sys.stdout.write(f"talk to the character: {chat_command(str(folder), names)}\n")


if __name__ == "__main__":
    main()
