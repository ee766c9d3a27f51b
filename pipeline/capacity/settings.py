"""Whether a setting of a run fits into memory, and if not, the nearest one that does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import torch

from pipeline.capacity.findings import GIB, Finding, gib
from pipeline.capacity.launch import Launch
from pipeline.capacity.memory import Memory
from pipeline.distributed.engines import SHARDED_WEIGHTS, ZERO3

CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of a device that one process can have: what is free now, and what there is in all."""

    free: int
    total: int


def room_of(launch: Launch, *, given: float | None, gpus: int) -> Room | None:
    """The memory that one process can use: `given` GiB, its GPU's, or its share of the machine's; None if unknown."""
    if given is not None:
        return Room(int(given * GIB), int(given * GIB))
    if launch.on_gpu:
        return Room(*torch.cuda.mem_get_info()) if gpus else None
    here, own = psutil.virtual_memory(), psutil.Process().memory_info().rss
    limit = min([here.total, *(limit for limit in map(_cgroup_limit, CGROUPS) if limit)])
    free = min(here.available + own, limit)
    return Room(free // launch.on_each_machine, limit // launch.on_each_machine)


def _cgroup_limit(file: Path) -> int | None:
    """The limit of a container; None where there is none."""
    text = file.read_text(encoding="utf-8").strip() if file.is_file() else "max"
    return None if text == "max" else int(text)


@dataclass(frozen=True, slots=True)
class Setting:
    """The keys of a recipe that decide how much memory a run needs, and that advice may change."""

    rows: int
    accumulation: int
    checkpointing: bool
    engine: str
    lora: bool
    four_bits: bool


Need = Callable[[Setting], Memory]


def check_memory(need: Need, setting: Setting, room: Room | None, *, launch: Launch) -> Iterator[Finding]:
    """Whether the run fits, and if not, the nearest setting that does."""
    if room is None:
        return
    wanted = need(setting).total
    if wanted <= room.free:
        return
    least = f"about {gib(wanted)} a process, of {gib(room.free)} free and {gib(room.total)} in all"
    # An estimate that may be off by a fifth forbids nothing; twice what there is, it is no matter of a fifth.
    fix = nearest_fitting(need, setting, room.free, launch)
    yield Finding("memory", f"the run needs {least}", fix, fatal=wanted > 2 * room.total)


def nearest_fitting(need: Need, setting: Setting, room: int, launch: Launch) -> str:
    """In words, the first setting on the way down that fits into the room."""
    for changed in _ladder(setting, launch):
        found = need(changed).total
        if found <= room:
            return f"{_change(setting, changed)} ({gib(found)})"
    return "take a smaller model, or devices with more memory"


def _ladder(setting: Setting, launch: Launch) -> Iterator[Setting]:
    """Ever smaller settings: fewer rows at once, checkpointing, sharded weights, LoRA, 4 bits."""
    steps: list[Setting] = [setting]
    if not setting.checkpointing:
        steps.append(replace(setting, checkpointing=True))
    if launch.processes > 1 and setting.engine not in SHARDED_WEIGHTS and not setting.four_bits:
        steps.append(replace(steps[-1], engine=ZERO3))
    if not setting.lora:
        steps.append(replace(steps[-1], lora=True))
    if launch.on_gpu and not setting.four_bits:
        steps.append(replace(steps[-1], lora=True, engine=setting.engine, four_bits=True))
    for step in steps:
        yield from (smaller for smaller in _by_fewer_rows(step) if smaller != setting)


def _by_fewer_rows(setting: Setting) -> Iterator[Setting]:
    """The setting, and the same optimizer step in ever smaller micro-batches, while they can be halved."""
    yield setting
    while setting.rows % 2 == 0:
        setting = replace(setting, rows=setting.rows // 2, accumulation=setting.accumulation * 2)
        yield setting


def _change(old: Setting, new: Setting) -> str:
    words = []
    if new.rows != old.rows:
        words.append(f"per_device_train_batch_size: {new.rows} and gradient_accumulation_steps: {new.accumulation}")
    if new.checkpointing != old.checkpointing:
        words.append("activation_checkpointing: true")
    if new.lora != old.lora:
        words.append("use_peft: true")
    if new.four_bits != old.four_bits:
        words.append("load_in_4bit: true")
    if new.engine != old.engine:
        words.append("accelerate_configs/zero3.yaml")
    return "set " + ", ".join(words)
