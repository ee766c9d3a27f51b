"""Convert raw files to one character's records: `python -m pipeline.convert --config recipes/X.yaml`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError, entry_point
from pipeline.recipe import character_arguments
from pipeline.records.conversion import ensure_converted, format_account


@entry_point
def main() -> None:
    """Convert what the command line or its recipes name, and say what became of every record."""
    arguments = _arguments()
    if arguments.config:
        for recipe in arguments.config:
            _convert_recipe(recipe, skip_absent=arguments.skip_absent)
        return
    if not (arguments.raw and arguments.character and arguments.out):
        raise UnderstudyError("command line", "says too little", fix="give --config, or --raw, --character and --out")
    _convert(arguments.raw, arguments.character, arguments.out, context_turns=arguments.context_turns)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="understudy convert", description=__doc__)
    parser.add_argument("--config", type=Path, nargs="+", metavar="RECIPE", help="recipes whose characters to convert")
    parser.add_argument("--raw", type=Path, nargs="+", metavar="PATH", help="raw files, or folders to search for them")
    parser.add_argument("--character", metavar="NAME", help="the speaker to keep, exactly as the files write it")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write records, rejects and the account")
    parser.add_argument("--context_turns", type=int, default=6, metavar="N", help="turns shown before a line (6)")
    parser.add_argument("--skip_absent", action="store_true", help="pass over recipes whose raw files are not here")
    return parser.parse_args()


def _convert_recipe(recipe: Path, *, skip_absent: bool) -> None:
    arguments = character_arguments(recipe)
    absent = [path for path in arguments.raw_paths if not path.exists()]
    if absent and skip_absent:
        sys.stdout.write(f"{recipe}: skipped, {absent[0]} is not here\n")
        return
    _convert(
        arguments.raw_paths,
        arguments.name,
        arguments.records_folder,
        **arguments.conversion,
    )


def _convert(raw: list[Path], character: str, folder: Path, **options: Any) -> None:
    account = ensure_converted(raw, character, folder, **options)
    sys.stdout.write(f"{format_account(account)}\n  written to {folder}\n")


if __name__ == "__main__":
    main()
