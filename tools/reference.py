"""The reference of recipe keys and commands, out of the program: `python -m tools.reference > docs/reference.md`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path

from pipeline.recipe import OWN_KEYS, CharacterArguments
from pipeline.stages import STAGES

ROOT = Path(__file__).parents[1]
# A group of keys begins with this one, in the order of `CharacterArguments`.
GROUPS = {
    "character": "The character and its files",
    "speaker_names": "Reading and cleaning",
    "system_background": "Prompts",
    "exposures": "What is taught how often",
    "batching": "The run",
    "probes": "Recall",
}
KEYS_BEGIN = "\n--key value overrides the recipe"  # in the help of `train`, which lists them again
WIDTH = "100"  # columns of a command's help


def reference() -> str:
    """The page, in Markdown."""
    return "\n".join([*_introduction(), *_keys(), *_commands()]) + "\n"


def _introduction() -> Iterator[str]:
    yield "# Reference"
    yield ""
    yield "Made by `python -m tools.reference > docs/reference.md`; a test compares it with the program."
    yield ""
    yield "## Recipe keys"
    yield ""
    yield (
        "A recipe also takes the keys of trl's `SFTConfig` and `ModelConfig`, except those that would contradict "
        "the mixture or the labels, which are refused by name. On the command line a key is "
        "`--key value`. Keys with a * may differ between the `characters` of a recipe."
    )


def _keys() -> Iterator[str]:
    for entry in fields(CharacterArguments):
        if entry.name in GROUPS:
            yield from ("", f"### {GROUPS[entry.name]}", "", "| key | default | |", "|---|---|---|")
        star = "*" if entry.name in OWN_KEYS else ""
        meaning = str(entry.metadata["help"]).replace("|", "\\|")
        yield f"| `{entry.name}`{star} | {_default(entry)} | {meaning} |"


def _default(entry: Field[object]) -> str:
    if entry.default is None:
        return ""
    return f"`{str(entry.default).lower() if isinstance(entry.default, bool) else entry.default}`"


def _commands() -> Iterator[str]:
    yield from ("", "## Commands", "", "Each is `understudy` with its name, or the module of that name in `pipeline`.")
    for stage, meaning in STAGES.items():
        yield from ("", f"### {stage}", "", f"{meaning[0].upper()}{meaning[1:]}.", "", "```", help_of(stage), "```")


def help_of(stage: str) -> str:
    """What `--help` of a command prints, but for its description."""
    environment = os.environ | {"COLUMNS": WIDTH, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", f"pipeline.{stage}", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)  # noqa: S603
    return done.stdout.partition(KEYS_BEGIN)[0].strip()


if __name__ == "__main__":
    sys.stdout.write(reference())
