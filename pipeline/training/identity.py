"""What a run was: versions, commit, resolved recipe, data; and whether two runs are the same one."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.recipe import entries_of
from pipeline.training.arguments import RunArguments

RUN_FILE = "run.json"
PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "deepspeed")
# Where a run is written and what it reports to changes nothing of its result.
NOT_IDENTITY = {
    "output_dir", "logging_dir", "report_to", "run_name", "project", "disable_tqdm", "logging_steps",
    "logging_strategy", "save_steps", "save_strategy", "save_total_limit", "recall_items", "recall_steps",
    "recall_distractors", "probes", "eval_strategy", "eval_steps", "eval_on_start", "per_device_eval_batch_size",
    "max_exposures", "dataloader_num_workers", "dataloader_pin_memory", "local_rank", "ddp_timeout",
}  # fmt: skip


def resolved(arguments: RunArguments) -> dict[str, Any]:
    """Every argument of the run with its final value, as JSON takes it."""
    training = arguments.training.to_dict()
    secret = {name for name in training if name.endswith("_token")}
    both = asdict(arguments.character) | training | asdict(arguments.model)
    plain = json.loads(json.dumps({key: value for key, value in both.items() if key not in secret}, default=str))
    return dict(sorted(plain.items()))


def run_identity(arguments: RunArguments, data_fingerprint: str, world_size: int) -> dict[str, Any]:
    """What decides a run's course: the recipe, the data, the number of processes, the code's version."""
    decisive = {key: value for key, value in resolved(arguments).items() if key not in NOT_IDENTITY}
    decisive["characters"] = [_decisive(entry) for entry in entries_of(decisive["characters"])] or None
    return decisive | {"understudy": __version__, "data": data_fingerprint, "processes": world_size}


def _decisive(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in NOT_IDENTITY}


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


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file; empty if there is none or it is broken."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
