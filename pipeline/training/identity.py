"""What a run was: versions, commit, resolved recipe, data; and whether two runs are the same one."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate import PartialState
from accelerate.utils import DistributedType
from trl import SFTConfig

from pipeline import __version__
from pipeline.recipe import entries_of
from pipeline.training.arguments import RunArguments
from pipeline.training.memory import DDP, FSDP2, SINGLE

RUN_FILE = "run.json"
PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "deepspeed")
# Where a run is written and what it reports to changes nothing of its result.
NOT_IDENTITY = {
    "output_dir", "logging_dir", "report_to", "run_name", "project", "disable_tqdm", "logging_steps",
    "logging_strategy", "save_steps", "save_strategy", "save_total_limit", "recall_items", "recall_steps",
    "recall_distractors", "probes", "eval_strategy", "eval_steps", "eval_on_start", "per_device_eval_batch_size",
    "max_exposures", "dataloader_num_workers", "dataloader_pin_memory", "local_rank", "ddp_timeout", "resume",
}  # fmt: skip
# By what machines and in what pieces a step is computed: the same rows a step, and the same result but for rounding.
SPREAD = {
    "processes", "engine", "per_device_train_batch_size", "gradient_accumulation_steps", "understudy", "use_cpu",
    "batching", "gradient_checkpointing", "gradient_checkpointing_kwargs", "activation_checkpointing",
    "activation_checkpointing_kwargs", "attn_implementation", "torch_compile", "torch_compile_backend",
    "torch_compile_mode", "deepspeed", "fsdp", "fsdp_config", "ddp_backend", "ddp_timeout",
}  # fmt: skip
WHOLE_STATE = frozenset({SINGLE, DDP})  # each process holds the optimizer's state whole: any number can go on


def resolved(arguments: RunArguments) -> dict[str, Any]:
    """Every argument of the run with its final value, as JSON takes it."""
    training = arguments.training.to_dict()
    secret = {name for name in training if name.endswith("_token")}
    both = asdict(arguments.character) | training | asdict(arguments.model)
    plain = json.loads(json.dumps({key: value for key, value in both.items() if key not in secret}, default=str))
    return dict(sorted(plain.items()))


def run_identity(arguments: RunArguments, data_fingerprint: str, world_size: int) -> dict[str, Any]:
    """What decides a run's course: the recipe, the data, the processes and their engine, the code's version."""
    decisive = {key: value for key, value in resolved(arguments).items() if key not in NOT_IDENTITY}
    decisive["characters"] = [_decisive(entry) for entry in entries_of(decisive["characters"])] or None
    launched = {"processes": world_size, "engine": engine_of(arguments.training)}
    return decisive | {"understudy": __version__, "data": data_fingerprint} | launched


def engine_of(training: SFTConfig) -> str:
    """How the processes share the work out, which decides how a checkpoint is written; known before the model is."""
    if training.deepspeed_plugin is not None:
        return f"ZeRO-{training.deepspeed_plugin.zero_stage}"
    kind = PartialState().distributed_type
    if kind not in (DistributedType.NO, DistributedType.MULTI_CPU) and os.environ.get("ACCELERATE_USE_FSDP") == "true":
        return FSDP2
    return SINGLE if training.world_size == 1 else DDP


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys in which two runs differ, each with what it was and is, in words."""
    told = []
    for key in sorted(before.keys() | now.keys()):
        was, is_now = before.get(key), now.get(key)
        if was != is_now:
            told.append(f"{key} ({'other content' if key == 'data' else f'{was}, now {is_now}'})")
    return told


def why_not_go_on(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why the checkpoints of one run cannot be gone on from as another, even by force, and the fix; None if they can.

    They can where only the spreading of the same steps over processes differs, and no optimizer state is shared out.
    Changed data or weights would need a plan whose exposures begin with the old plan's: there is none, so it is a new
    run. So is a changed rate or optimizer, whose state in the checkpoint would overrule the recipe, silently.
    """
    course = [key for key in before.keys() | now.keys() if key not in SPREAD and before.get(key) != now.get(key)]
    if course:
        only = {key: before.get(key) for key in course}, {key: now.get(key) for key in course}
        return (
            f"holds another run, which differs in {', '.join(changes(*only)[:8])}",
            "change it back, or name another output_dir",
        )
    was, would = _rows_a_step(before), _rows_a_step(now)
    if was != would:
        return (
            f"holds a run of {was} rows a step, and this one would take {would}",
            "set per_device_train_batch_size or gradient_accumulation_steps so that their product with the number of "
            f"processes is {was} again",
        )
    if not {before.get("engine"), now.get("engine")} <= WHOLE_STATE and any(
        before.get(key) != now.get(key) for key in ("engine", "processes")
    ):
        return (
            f"holds checkpoints of {_launched(before)}, whose optimizer state is shared out over just those, and this "
            f"run is {_launched(now)}",
            f"launch it again as {_launched(before)}, or name another output_dir",
        )
    return None


def _rows_a_step(identity: Mapping[str, Any]) -> int:
    factors = ("per_device_train_batch_size", "gradient_accumulation_steps", "processes")
    first, second, third = (int(identity.get(key) or 0) for key in factors)
    return first * second * third


def _launched(identity: Mapping[str, Any]) -> str:
    engine, processes = identity.get("engine"), identity.get("processes")
    return str(engine) if engine == SINGLE else f"{engine} on {processes} processes"


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
