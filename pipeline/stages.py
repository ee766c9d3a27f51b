"""The commands, each a module of its own, and what each is for."""

from __future__ import annotations

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
