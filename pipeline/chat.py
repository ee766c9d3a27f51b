"""Talk to a trained character: `python -m pipeline.chat --adapter DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.conversations.persona import load_personas, persona_named
from pipeline.errors import entry_point
from pipeline.models.locate import prepare_environment
from pipeline.runs.run_file import base_name_of


@entry_point
def main() -> None:
    """Read the command line and open the chat."""
    parser = argparse.ArgumentParser(prog="understudy chat", description=__doc__)
    parser.add_argument("--adapter", type=Path, required=True, metavar="DIR", help="the folder that training wrote")
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="which character, where several were trained together"
    )
    parser.add_argument("--once", metavar="TEXT", help="say this, print the reply, exit")
    parser.add_argument("--base", action="store_true", help="talk to the untouched base model instead")
    parser.add_argument("--seed", type=int, metavar="N", help="sample the same replies every time")
    arguments = parser.parse_args()

    prepare_environment(base_name_of(arguments.adapter))
    persona_named(arguments.name, load_personas(arguments.adapter), arguments.adapter)  # before the wait for torch
    from pipeline.serving.conversation import run_chat

    run_chat(arguments.adapter, arguments.name, once=arguments.once, base=arguments.base, seed=arguments.seed)


if __name__ == "__main__":
    main()
