"""Train a character: `python -m pipeline.train --config RECIPE [--key value ...]`, or so under accelerate launch."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.models.locate import prepare_environment
from pipeline.recipe import CharacterArguments, describe_keys, value_of


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
    from accelerate import PartialState

    from pipeline.conversations.persona import make_persona
    from pipeline.models.load import load_tokenizer
    from pipeline.models.threads import use_all_cores
    from pipeline.recall.probes import choose_probes
    from pipeline.records.conversion import ensure_converted
    from pipeline.records.record import read_records
    from pipeline.training.arguments import parse_run
    from pipeline.training.run import Character, train

    run = parse_run(recipe, overrides)
    if run.training.device.type == "cpu":
        use_all_cores()
    character: CharacterArguments = run.character
    persona = make_persona(character.name, character.language, character.instructions)
    with PartialState().main_process_first():  # one process writes the records and the embedded model, all read them
        account = ensure_converted(
            character.raw_paths, character.name, character.records_folder, **character.conversion
        )
        records = read_records(character.records_folder / "records.jsonl")
        tokenizer = load_tokenizer(
            str(run.model.model_name_or_path),
            revision=run.model.model_revision,
            trust_remote_code=run.training.trust_remote_code,
        )
    probes = choose_probes(character.probes, records, persona)
    train(
        run,
        Character(records, probes, persona, account["fingerprint"]),
        tokenizer,
        recipe=str(recipe),
        tell=_tell if PartialState().is_main_process else lambda _: None,
    )
    _tell(f"saved to {run.training.output_dir}; talk to {character.name}: {chat_command(run.training.output_dir)}")


def chat_command(folder: str) -> str:
    """The command that talks to what lies in `folder`."""
    return f"python -m pipeline.chat --adapter {folder}"


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
