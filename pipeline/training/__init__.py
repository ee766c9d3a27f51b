"""One run: the recipe's arguments, the trainer around trl's, its callbacks, and what is saved of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.imports import importing
from pipeline.models.locate import prepare_environment
from pipeline.recipe import value_of
from pipeline.serving.commands import chat_command
from pipeline.terminal import print_line

if TYPE_CHECKING:
    from pipeline.training.callbacks.clock import Outlook

MOST_NAMES = 4  # in a sentence


def train_recipe(recipe: Path, overrides: list[str], tell: Callable[[Outlook], None] | None = None) -> None:
    """Convert if need be, and train what the recipe says, on all processes that the launcher started.

    `tell` is given the outlook of `run.train`.

    Raises:
        UnderstudyError: see `run.train`.
    """
    prepare_environment(str(value_of(recipe, overrides, "model_name_or_path")))
    with importing():
        from pipeline.distributed.rendezvous import parse_timeout, process_group

    use_cpu = str(value_of(recipe, overrides, "use_cpu")).lower() in ("true", "1", "yes")
    with process_group(parse_timeout(value_of(recipe, overrides, "ddp_timeout")), use_cpu=use_cpu) as on_cpu:
        _train_in_group(recipe, [*overrides, "--use_cpu", "true"] if on_cpu else overrides, tell)


def _train_in_group(recipe: Path, overrides: list[str], tell: Callable[[Outlook], None] | None) -> None:
    """What each of the processes does, and the only one does."""
    began = time.monotonic()
    with importing():
        from accelerate import PartialState

        from pipeline.capacity.quantized import check_quantized
        from pipeline.models.threads import use_all_cores
        from pipeline.runs.folder import check_read
        from pipeline.training.arguments import parse_run
        from pipeline.training.characters import load_characters
        from pipeline.training.defaults import with_learning_rate
        from pipeline.training.run import train

    run = parse_run(recipe, overrides)
    check_quantized(recipe, run.model)
    if run.training.device.type == "cpu":
        use_all_cores()
    log = print_line if PartialState().is_main_process else lambda _: None
    characters, tokenizer = load_characters(run, log, check_read=partial(check_read, Path(run.training.output_dir)))
    run = with_learning_rate(run, log)
    train(run, characters, tokenizer, recipe=str(recipe), log=log, tell=tell, began=began)
    names = list(characters.personas)
    command = chat_command(run.training.output_dir, names)
    log(f"saved to {run.training.output_dir}; talk to {' or '.join(names[:MOST_NAMES])}: {command}")
