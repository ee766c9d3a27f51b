"""Whether two runs are the same one: what decides a run's course, and in what two runs differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import __version__
from pipeline.distributed.engines import DDP, SINGLE
from pipeline.recipe import parse_character_entries

# Where a run is written and what it reports to changes nothing of its result.
NOT_IDENTITY = {
    "output_dir", "logging_dir", "report_to", "run_name", "project", "disable_tqdm", "logging_steps",
    "logging_strategy", "save_steps", "save_strategy", "save_total_limit", "recall_items", "recall_steps",
    "recall_distractors", "probes", "eval_strategy", "eval_steps", "eval_on_start", "per_device_eval_batch_size",
    "max_exposures", "dataloader_num_workers", "dataloader_pin_memory", "local_rank", "ddp_timeout", "resume",
}  # fmt: skip
# By what machines and in what pieces a step is computed: the same rows a step, and the same result but for rounding.
LAUNCH_KEYS = {
    "processes", "engine", "per_device_train_batch_size", "gradient_accumulation_steps", "understudy", "use_cpu",
    "batching", "gradient_checkpointing", "gradient_checkpointing_kwargs", "activation_checkpointing",
    "activation_checkpointing_kwargs", "attn_implementation", "torch_compile", "torch_compile_backend",
    "torch_compile_mode", "deepspeed", "fsdp", "fsdp_config", "ddp_backend", "ddp_timeout",
}  # fmt: skip
REPLICATED_STATE = frozenset({SINGLE, DDP})  # each process holds all of the optimizer's state: any number can go on


def run_identity(arguments: Mapping[str, Any], *, data_fingerprint: str, processes: int, engine: str) -> dict[str, Any]:
    """What decides a run's course: the recipe, the data, the processes and their engine, the code's version.

    `arguments` are all of the run's, as `run.json` has them.
    """
    decisive = _decisive(arguments)
    decisive["characters"] = [_decisive(entry) for entry in parse_character_entries(decisive["characters"])] or None
    launched = {"processes": processes, "engine": engine}
    return decisive | {"understudy": __version__, "data": data_fingerprint} | launched


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys in which two runs differ, each with what it was and is, in words."""
    found = []
    for key in sorted(before.keys() | now.keys()):
        was, is_now = before.get(key), now.get(key)
        if was != is_now:
            found.append(f"{key} ({'other content' if key == 'data' else f'{was}, now {is_now}'})")
    return found


def reason_not_to_resume(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why a run cannot resume from another one's checkpoints, even by force, and the fix; None if it can.

    They can where only the spreading of the same steps over processes differs, and no optimizer state is sharded.
    Changed data or weights would need a plan whose exposures begin with the old plan's: there is none, so it is a new
    run. So is a changed rate or optimizer, whose state in the checkpoint would overrule the recipe, silently.
    """
    course = [key for key in before.keys() | now.keys() if key not in LAUNCH_KEYS and before.get(key) != now.get(key)]
    if course:
        only = {key: before.get(key) for key in course}, {key: now.get(key) for key in course}
        return (
            f"holds another run, which differs in {', '.join(changes(*only)[:8])}",
            "change it back, or name another output_dir",
        )
    was, would = _rows_per_step(before), _rows_per_step(now)
    if was != would:
        return (
            f"holds a run of {was} rows a step, and this one would take {would}",
            "set per_device_train_batch_size or gradient_accumulation_steps so that their product with the number of "
            f"processes is {was} again",
        )
    if not {before.get("engine"), now.get("engine")} <= REPLICATED_STATE and any(
        before.get(key) != now.get(key) for key in ("engine", "processes")
    ):
        return (
            f"holds checkpoints of {_launched(before)}, whose optimizer state is sharded over just those, and this "
            f"run is {_launched(now)}",
            f"launch it again as {_launched(before)}, or name another output_dir",
        )
    return None


def _rows_per_step(identity: Mapping[str, Any]) -> int:
    factors = ("per_device_train_batch_size", "gradient_accumulation_steps", "processes")
    first, second, third = (int(identity.get(key) or 0) for key in factors)
    return first * second * third


def _launched(identity: Mapping[str, Any]) -> str:
    engine, processes = identity.get("engine"), identity.get("processes")
    return str(engine) if engine == SINGLE else f"{engine} on {processes} processes"


def _decisive(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in NOT_IDENTITY}
