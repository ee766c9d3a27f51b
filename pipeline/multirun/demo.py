"""All stages of one recipe in a row, with how long they will take in all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.recipe import character_arguments, output_folder
from pipeline.serving.commands import chat_command
from pipeline.stages import as_started
from pipeline.terminal import print_line
from pipeline.training import train_recipe

if TYPE_CHECKING:
    from pipeline.evaluation.exam import Extent
    from pipeline.training.callbacks.clock import Outlook

LONG = 15 * 60  # seconds: whoever only wants to see what it does may want less


def run_demo(recipe: Path, *, extent: Extent, half: bool) -> None:
    """Convert and train the recipe, or half of it, measure it against its base model, and say how to talk to it."""
    own = _half_of(recipe) if half else recipe
    print_line(f"== 1. convert and train ({own})")
    train_recipe(own, [], tell=lambda outlook: _tell(own, outlook, extent, may_be_halved=not half))
    from pipeline.evaluation.session import measure_recipe  # after the environment is prepared

    print_line("\n== 2. what is recalled, before and after")
    folder = output_folder(own)
    measure_recipe(own, folder, extent=extent)
    names = [one.name for one in character_arguments(own).each]
    print_line(f"talk to the character: {chat_command(str(folder), names)}")


def _half_of(recipe: Path) -> Path:
    from pipeline.multirun.half import write_half_recipe  # which reads raw files: not for --help

    return write_half_recipe(recipe)


def _tell(recipe: Path, outlook: Outlook, extent: Extent, *, may_be_halved: bool) -> None:
    """Say how long training and measuring will take."""
    from pipeline.evaluation.session import exam_seconds
    from pipeline.training.callbacks.clock import until

    measuring = exam_seconds(recipe, outlook.question, extent)
    in_all = outlook.training + measuring
    print_line(f"the remaining steps and the exam of both models: {until(in_all)}")
    if in_all > LONG and may_be_halved:
        text = (
            "half of the facts take half as long: interrupt this (Ctrl-C; the same command resumes it) and run "
            f"`make demo DEMO=short`, or `understudy demo --half --config {recipe}`"
        )
        print_line(as_started(text))
