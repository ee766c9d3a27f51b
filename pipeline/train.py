"""Train a character: `python -m pipeline.train --config RECIPE [--key value ...]`, or so under accelerate launch."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import entry_point
from pipeline.models.locate import prepare_environment
from pipeline.recipe import describe_keys, value_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from pipeline.training.arguments import RunArguments
    from pipeline.training.material import Cast

MOST_NAMES = 4  # in a sentence


@entry_point
def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        prog="understudy train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"--key value overrides the recipe. Understudy's own keys:\n\n{describe_keys()}\n\n"
        "and every field of trl's SFTConfig and ModelConfig.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    arguments, overrides = parser.parse_known_args()
    train_recipe(arguments.config, overrides)


def train_recipe(recipe: Path, overrides: list[str]) -> None:
    """Convert if need be, and train what the recipe says."""
    prepare_environment(str(value_of(recipe, overrides, "model_name_or_path")))
    from pipeline.training.processes import joined, seconds_of

    use_cpu = str(value_of(recipe, overrides, "use_cpu")).lower() in ("true", "1", "yes")
    with joined(seconds_of(value_of(recipe, overrides, "ddp_timeout")), use_cpu=use_cpu) as on_cpu:
        _train_joined(recipe, [*overrides, "--use_cpu", "true"] if on_cpu else overrides)


def _train_joined(recipe: Path, overrides: list[str]) -> None:
    """What each of the processes does, and the only one does."""
    from accelerate import PartialState

    from pipeline.models.threads import use_all_cores
    from pipeline.training.arguments import parse_run
    from pipeline.training.quantized import check_quantized
    from pipeline.training.run import train

    run = parse_run(recipe, overrides)
    check_quantized(recipe, run.model)
    if run.training.device.type == "cpu":
        use_all_cores()
    tell = tell_line if PartialState().is_main_process else lambda _: None
    cast, tokenizer = load_cast(run, tell)
    train(run, cast, tokenizer, recipe=str(recipe), tell=tell)
    names = list(cast.personas)
    command = chat_command(run.training.output_dir, names)
    tell(f"saved to {run.training.output_dir}; talk to {' or '.join(names[:MOST_NAMES])}: {command}")


def load_cast(run: RunArguments, tell: Callable[[str], None]) -> tuple[Cast, PreTrainedTokenizerBase]:
    """Who a run learns, converted if need be, and the tokenizer of its model, whose template is settled."""
    from accelerate import PartialState

    from pipeline.conversations.replay import read_replay
    from pipeline.models.load import load_tokenizer
    from pipeline.training.material import Cast, data_fingerprint, load_character

    with PartialState().main_process_first():  # one process writes the records and the embedded model, all read them
        loaded = [load_character(one) for one in run.character.each]
        tokenizer = load_tokenizer(
            str(run.model.model_name_or_path),
            revision=run.model.model_revision,
            trust_remote_code=run.training.trust_remote_code,
            tell=lambda note: tell(f"chat template: {note}"),
        )
    replay = read_replay(run.character.replay or ())
    fingerprint = data_fingerprint([records for _, records in loaded], replay)
    return Cast([character for character, _ in loaded], fingerprint, replay), tokenizer


def chat_command(folder: str, names: Sequence[str]) -> str:
    """The command that talks to what lies in `folder`, where these characters were learnt."""
    return f"python -m pipeline.chat --adapter {folder}" + (f" --as {shlex.quote(names[0])}" if len(names) > 1 else "")


def tell_line(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
