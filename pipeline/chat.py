"""Talk to a trained character: `python -m pipeline.chat --adapter DIR`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.models.locate import prepare_environment


@entry_point
def main() -> None:
    """Load the character and converse."""
    parser = argparse.ArgumentParser(prog="understudy chat", description=__doc__)
    parser.add_argument("--adapter", type=Path, required=True, metavar="DIR", help="the folder that training wrote")
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="whom to talk to, where several were trained together"
    )
    parser.add_argument("--once", metavar="TEXT", help="say this, print the reply, leave")
    parser.add_argument("--base", action="store_true", help="talk to the untouched base model instead")
    parser.add_argument("--seed", type=int, metavar="N", help="draw the same replies every time")
    arguments = parser.parse_args()

    from pipeline.conversations.persona import load_personas, persona_named
    from pipeline.models.trained import base_name_of

    prepare_environment(base_name_of(arguments.adapter))
    persona_named(arguments.name, load_personas(arguments.adapter), arguments.adapter)  # before the wait for torch
    from transformers import TextStreamer, set_seed
    from transformers.utils import logging

    from pipeline.models.trained import load_trained
    from pipeline.serving.conversation import HELP, Chat, converse, typed_lines

    logging.disable_progress_bar()
    if arguments.seed is not None:
        set_seed(arguments.seed)
    trained = load_trained(arguments.adapter, arguments.name)
    with trained.base() if arguments.base else contextlib.nullcontext(trained.model) as model:
        chat = Chat(model, trained.tokenizer, trained.persona)
        if arguments.once is not None:
            sys.stdout.write(f"{chat.say(arguments.once)}\n")
            return
        name = f"{trained.persona.name} (base model)" if arguments.base else trained.persona.name
        sys.stdout.write(f"{name} is here. {HELP}\n")
        streamer = TextStreamer(trained.tokenizer, skip_prompt=True, skip_special_tokens=True)
        converse(chat, typed_lines("> "), streamer, name)


if __name__ == "__main__":
    main()
