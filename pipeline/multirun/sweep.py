"""A sweep: a recipe trained and measured with every combination of some keys' values, and the runs compared."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.evaluation.session import compare_folders
from pipeline.runs.files import RECALL_FILE, RUN_FILE
from pipeline.terminal import print_line


def run_sweep(recipe: Path, words: Sequence[str], folder: Path, accelerate: Path | None) -> None:
    """Every combination's run lies below `folder`, measured, beside their comparison; what is there is not run again.

    `words` are `--key value [value ...]`, `accelerate` a configuration to launch each run by.

    Raises:
        UnderstudyError: see `combinations` and `run_one`.
    """
    wanted = {folder / run_name(values): values for values in combinations(words)}
    for number, (run, values) in enumerate(wanted.items(), 1):
        print_line(f"\n== {number} of {len(wanted)}: {run.name}")
        run_one(recipe, values, run, accelerate)
    compare_folders(list(wanted), folder / "comparison.html")


def combinations(words: Sequence[str]) -> list[dict[str, str]]:
    """Every combination of `--key value [value ...]`, the last key's values changing fastest.

    Raises:
        UnderstudyError: a word belongs to no key, or no key has two values.
    """
    keys: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            key, _, value = word[2:].partition("=")
            keys[key] = [value] if value else []
        elif keys:
            keys[next(reversed(keys))].append(word)
        else:
            raise UnderstudyError("command line", f"'{word}' belongs to no key", fix="write --key value value ...")
    if not any(len(values) > 1 for values in keys.values()) or not all(keys.values()):
        raise UnderstudyError(
            "command line", "gives no key two values to try", fix="write for example --settings_weight 1 3 5"
        )
    return [dict(zip(keys, values, strict=True)) for values in itertools.product(*keys.values())]


def run_name(values: dict[str, str]) -> str:
    """The name of a combination's run folder."""
    return ",".join(f"{key}={value}" for key, value in values.items()).replace("/", "_")


def run_one(recipe: Path, values: dict[str, str], folder: Path, accelerate: Path | None) -> None:
    """Train and measure one combination into `folder`; what is done already is skipped.

    Raises:
        UnderstudyError: training or measuring failed; what it printed stands above.
    """
    overrides = [word for key, value in values.items() for word in (f"--{key}", value)]
    launch = [sys.executable, "-m"]
    if accelerate:
        launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(accelerate), "-m"]
    train = [*launch, "pipeline.train", "--config", str(recipe), *overrides, "--output_dir", str(folder)]
    _run_checked(train)
    measured, trained = folder / RECALL_FILE, folder / RUN_FILE
    if not measured.is_file() or measured.stat().st_mtime < trained.stat().st_mtime:
        _run_checked([sys.executable, "-m", "pipeline.recall", "--config", str(recipe), "--adapter", str(folder)])


def _run_checked(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:  # noqa: S603
        raise UnderstudyError(" ".join(command[1:]), "failed", fix="see above, and run the same command again")
