"""The commands, each a module of its own, and what each is for."""

from __future__ import annotations

import os
import re

STAGES = {
    "new": "a folder for a new character, with sample files that work as they are",
    "doctor": "what is wrong with this installation, and how to put it right",
    "convert": "raw files to one character's records, with an account of everything read",
    "explain": "records on their way from the raw file to the tokens that the loss sees",
    "preflight": "what a run needs, and the reasons to refuse it, before it begins",
    "train": "a character from a recipe, on one process or under accelerate launch",
    "recall": "what of the settings the base model and the trained one recall",
    "sweep": "several values of a recipe's keys trained, measured and compared",
    "cast": "a model each for several characters, and what they know of each other",
    "chat": "talk to a trained character",
    "studio": "chat, reports, curves and exports as pages in a browser",
    "export": "a trained character in the form that another program takes",
    "serve": "a trained character as a server for any OpenAI client",
    "bench": "a training step's speed and memory beside trl's, on the same rows",
    "demo": "the complete pipeline on a sample character",
}
BY_NAME = "UNDERSTUDY_BY_NAME"  # in the environment, so that the stages that a stage starts know it too
COMMAND = re.compile(rf"(?<![\w/.-])(?:python -m pipeline\.|understudy )({'|'.join(STAGES)})\b")


def as_started(text: str) -> str:
    """The text with its commands as this program was started: `understudy chat`, or `python -m pipeline.chat`.

    Each fails where the other is right: a folder of the user's own has no package `pipeline`, and a source tree's
    environment need not be on the PATH.
    """
    program = "understudy " if os.environ.get(BY_NAME) else "python -m pipeline."
    return COMMAND.sub(rf"{program}\1", text)
