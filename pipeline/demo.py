"""The complete pipeline on a sample character: convert, train, measure, show. `python -m pipeline.demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.recipe import character_arguments, output_folder
from pipeline.serving.commands import chat_command
from pipeline.terminal import print_line
from pipeline.training import train_recipe


@entry_point
def main() -> None:
    """Run every stage of a recipe and end with the report and the command that talks to the character."""
    parser = argparse.ArgumentParser(prog="understudy demo", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("recipes/demo.yaml"), metavar="RECIPE")
    parser.add_argument("--full", action="store_true", help="measure everything, not only recall and two prices")
    arguments = parser.parse_args()
    recipe = arguments.config
    folder = output_folder(recipe)
    print_line(f"== 1. convert and train ({recipe})")
    train_recipe(recipe, [])
    from pipeline.evaluation.session import measure_recipe  # after the environment is prepared

    print_line("\n== 2. what is recalled, before and after")
    measure_recipe(recipe, folder, extent="full" if arguments.full else "quick")
    names = [one.name for one in character_arguments(recipe).each]
    print_line(f"talk to the character: {chat_command(str(folder), names)}")


if __name__ == "__main__":
    main()
