"""How long whole commands take, each in a fresh process: what a user waits for. No torch here."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

import yaml

from pipeline.atomic_io import write_text
from pipeline.errors import UnderstudyError
from pipeline.recipe import read_recipe
from pipeline.runs.run_file import is_finished

ROUNDS = 3
ASKED = "Who are you?"


class CommandCost(TypedDict):
    """Seconds of a command: to its first output on stdout, and to its end; medians of `ROUNDS`."""

    command: str
    first_output: float
    seconds: float


def measure_commands(
    recipe: Path, adapter: Path, stages: Sequence[str], folder: Path, log: Callable[[str], None]
) -> list[CommandCost]:
    """What the commands around training take; those of a trained character where `adapter` holds one.

    `stages` are the commands whose help is asked for.

    Raises:
        UnderstudyError: a command failed.
    """
    converted, fresh = folder / "records", folder / "recipe.yaml"
    values = read_recipe(recipe) | {"records_dir": str(converted)}
    write_text(fresh, yaml.safe_dump(values, allow_unicode=True, sort_keys=False))
    commands: list[list[str]] = [
        ["convert", "--config", str(fresh)],
        ["explain", "--config", str(recipe)],
        ["preflight", "--config", str(recipe)],
    ]
    if is_finished(adapter):
        commands.append(["chat", "--adapter", str(adapter), "--once", ASKED])
    else:
        log(f"{adapter} holds no finished run: chat is left out")
    log("the --help of every command")
    helps = [_median([stage, "--help"]) for stage in stages]
    slowest = max(helps, key=lambda cost: cost["seconds"])
    costs = [CommandCost(**slowest | {"command": f"{slowest['command']} (the slowest help)"})]
    for words in commands:
        log(" ".join(words))
        costs.append(_median(words, before=lambda: shutil.rmtree(converted, ignore_errors=True)))
    return costs


def format_commands(costs: Sequence[CommandCost]) -> str:
    """The seconds as a table."""
    lines = [f"{'':<60}{'first output':>14}{'whole':>10}"]
    lines += [f"{one['command']:<60}{one['first_output']:>12.2f} s{one['seconds']:>8.2f} s" for one in costs]
    return "\n".join(lines)


def _median(words: Sequence[str], before: Callable[[], None] = lambda: None) -> CommandCost:
    runs = []
    for _ in range(ROUNDS):
        before()
        runs.append(_run(words))
    return CommandCost(
        command=" ".join(words),
        first_output=statistics.median(first for first, _ in runs),
        seconds=statistics.median(whole for _, whole in runs),
    )


def _run(words: Sequence[str]) -> tuple[float, float]:
    """Seconds to the first byte on stdout and to the end."""
    stage, *rest = words
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", f"pipeline.{stage}", *rest], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout  # noqa: S101 - it is a pipe
    process.stdout.read(1)
    first = time.perf_counter() - began
    process.stdout.read()
    if code := process.wait():
        raise UnderstudyError(" ".join(words), f"ended with exit code {code}", fix="run it by itself")
    return first, time.perf_counter() - began
