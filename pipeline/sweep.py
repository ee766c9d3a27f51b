"""Train and measure a recipe with several values of its keys, and compare: `python -m pipeline.sweep --config RECIPE`.

    python -m pipeline.sweep --config recipes/demo.yaml --settings_weight 1 3 5 10 --learning_rate 5e-4 1e-3

trains every combination, one after another, each into a folder of its own; the same command again goes on where it was.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UnderstudyError, entry_point
from pipeline.recall.__main__ import compare_folders
from pipeline.recipe import output_folder


@entry_point
def main() -> None:
    """Read the command line, run what is missing, and compare."""
    parser = argparse.ArgumentParser(
        prog="understudy sweep", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe to vary")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to put the runs (the recipe's output_dir + _sweep)"
    )
    parser.add_argument("--accelerate", type=Path, metavar="FILE", help="launch each run by this accelerate config")
    arguments, words = parser.parse_known_args()
    folder = arguments.out or output_folder(arguments.config).with_name(f"{output_folder(arguments.config).name}_sweep")
    runs = [folder / name_of(values) for values in combinations(words)]
    for number, (values, run) in enumerate(zip(combinations(words), runs, strict=True), 1):
        sys.stdout.write(f"\n== {number} of {len(runs)}: {run.name}\n")
        sys.stdout.flush()
        run_one(arguments.config, values, run, arguments.accelerate)
    compare_folders(runs, folder / "comparison.html")


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


def name_of(values: dict[str, str]) -> str:
    """A combination as the name of its folder."""
    return ",".join(f"{key}={value}" for key, value in values.items()).replace("/", "_")


def run_one(recipe: Path, values: dict[str, str], folder: Path, accelerate: Path | None) -> None:
    """`folder` holds the run and its recall; a run that is done is left as it is.

    Raises:
        UnderstudyError: training or measuring failed; what it printed stands above.
    """
    overrides = [word for key, value in values.items() for word in (f"--{key}", value)]
    launch = [sys.executable, "-m"]
    if accelerate:
        launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(accelerate), "-m"]
    train = [*launch, "pipeline.train", "--config", str(recipe), *overrides, "--output_dir", str(folder)]
    _succeed(train)
    measured, trained = folder / "recall.json", folder / "run.json"
    if not measured.is_file() or measured.stat().st_mtime < trained.stat().st_mtime:
        _succeed([sys.executable, "-m", "pipeline.recall", "--config", str(recipe), "--adapter", str(folder)])


def _succeed(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:  # noqa: S603
        raise UnderstudyError(" ".join(command[1:]), "failed", fix="see above, and give the same command again")


if __name__ == "__main__":
    main()
