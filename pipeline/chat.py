"""Talk to a trained character: `python -m pipeline.chat --adapter DIR`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Sampling, choose_label, label_personas, load_personas
from pipeline.errors import UnderstudyError, entry_point
from pipeline.imports import importing
from pipeline.models.locate import prepare_environment
from pipeline.runs.run_file import base_name_of
from pipeline.stages import as_started

MOST = 10.0  # a temperature or a penalty above it says nothing


@entry_point
def main() -> None:
    """Read the command line and open the chat."""
    arguments = _parser().parse_args()
    prepare_environment(*(arguments.base or base_name_of(folder) for folder in arguments.adapter))
    # Before the wait for torch:
    labelled = label_personas({folder: load_personas(folder) for folder in arguments.adapter})
    name = choose_label(arguments.name, labelled)
    sampling = _sampling(arguments)
    lines = _lines(arguments.script) if arguments.script else None
    with importing():
        from pipeline.serving.console import run_chat

    run_chat(
        arguments.adapter,
        name,
        sampling=sampling,
        base=arguments.base,
        disable_adapter=arguments.disable_adapter,
        once=arguments.once,
        lines=lines,
        as_json=arguments.json,
        seed=0 if lines is not None and arguments.seed is None else arguments.seed,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="understudy chat", description=as_started(__doc__))
    parser.add_argument(
        "--adapter", type=Path, required=True, nargs="+", metavar="DIR",
        help="the folder that training wrote; several adapters of one base model share it",
    )  # fmt: skip
    parser.add_argument("--as", dest="name", metavar="NAME", help="which character begins, where there are several")
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--once", metavar="TEXT", help="say this, print the reply, exit")
    said.add_argument(
        "--script", type=Path, metavar="FILE", help="say its lines one after another (-: those of stdin), with seed 0"
    )
    parser.add_argument("--json", action="store_true", help="an exchange a line as JSON, for other programs")
    parser.add_argument("--disable_adapter", action="store_true", help="talk to the untouched base model instead")
    parser.add_argument("--base", metavar="DIR", help="where the base model lies now, if it has moved")
    parser.add_argument("--seed", type=int, metavar="N", help="sample the same replies every time")
    for field in fields(Sampling):
        kind = int if field.name == "max_new_tokens" else float
        parser.add_argument(f"--{field.name}", type=kind, metavar="X", help="of sampling (default: the recipe's)")
    return parser


def _sampling(arguments: argparse.Namespace) -> dict[str, Any]:
    """The parameters that the command line gives, in the place of the character's own.

    Raises:
        UnderstudyError: one of them is out of its range.
    """
    given = {field.name: getattr(arguments, field.name) for field in fields(Sampling)}
    named = {name: value for name, value in given.items() if value is not None}
    sampling = replace(Sampling(), **named)
    ranges = {
        "temperature": (0 <= sampling.temperature <= MOST, f"0 (greedy) to {MOST}"),
        "top_p": (0 < sampling.top_p <= 1, "above 0, up to 1"),
        "repetition_penalty": (0 < sampling.repetition_penalty <= MOST, f"above 0, up to {MOST}; 1 is none"),
        "max_new_tokens": (sampling.max_new_tokens > 0, "1 or more"),
    }
    for name, (is_within, allowed) in ranges.items():
        if not is_within:
            raise UnderstudyError(f"--{name}", f"is {getattr(sampling, name)}", fix=f"give {allowed}")
    return named


def _lines(script: Path) -> list[str]:
    """The lines of a script.

    Raises:
        UnderstudyError: it cannot be read.
    """
    try:
        text = sys.stdin.read() if str(script) == "-" else script.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnderstudyError(script, f"cannot be read ({error})", fix="give a text file, a line a message") from error
    return text.splitlines()


if __name__ == "__main__":
    main()
