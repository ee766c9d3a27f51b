"""`run.json`: what a finished run was, read and described. Imports nothing heavy."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.runs.files import RUN_FILE

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "deepspeed")


def read_run(folder: Path) -> dict[str, Any]:
    """What `run.json` says of the finished run in `folder`.

    Raises:
        UnderstudyError: the folder holds no finished run.
    """
    try:
        run: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        run["model"], run["arguments"]["dtype"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnderstudyError(
            folder,
            f"holds no finished run (its {RUN_FILE} cannot be read)",
            fix="train first, or name the run's output_dir",
        ) from error
    return run


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Write `run.json`, which marks the run as finished: last."""
    write_json(folder / RUN_FILE, run)


def is_finished(folder: Path) -> bool:
    """Whether the folder holds a run that came to its end."""
    return (folder / RUN_FILE).is_file()


def base_name_of(folder: Path) -> str:
    """The `model_name_or_path` that the run in `folder` started from.

    Raises:
        UnderstudyError: the folder holds no finished run.
    """
    return str(read_run(folder)["model"])


def versions() -> dict[str, str]:
    """Versions of Python, of Understudy and of the packages that did the work."""
    found = {"python": platform.python_version(), "understudy": __version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit of the source tree that the run's code came from, if it came from one."""
    tree = Path(__file__).parents[2]
    git = ["git", "-C", str(tree), "rev-parse", "HEAD"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
