"""The single checks of a preflight: versions, devices, precision, model files, disk, memory."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch
import yaml
from packaging.requirements import Requirement
from trl import ModelConfig

from pipeline.errors import UnderstudyError
from pipeline.training.memory import (
    DDP,
    FSDP2,
    GIB,
    SHARED_WEIGHTS,
    SINGLE,
    ZERO2,
    ZERO3,
    Memory,
)

DISTRIBUTION = "understudy"
CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against the run; `fatal` if it surely ends it, else it may go well."""

    where: str
    what: str
    fix: str
    fatal: bool = True

    def __str__(self) -> str:
        """One paragraph, as errors are written."""
        return f"{'error' if self.fatal else 'warning'}: {self.where}: {self.what}. To fix it: {self.fix}."


@dataclass(frozen=True, slots=True)
class Launch:
    """How a run is started: its engine, processes over all machines, processes on each, and whether on GPUs."""

    engine: str = SINGLE
    processes: int = 1
    on_each_machine: int = 1
    on_gpu: bool = False


def read_launch(path: Path, *, gpus: int) -> Launch:
    """What an accelerate configuration starts; where it says `gpu`, or nothing, one process for each of `gpus`.

    Raises:
        UnderstudyError: it cannot be read, or starts something that this does not know.
    """
    try:
        content: dict[str, Any] = dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError, yaml.YAMLError) as error:
        raise UnderstudyError(
            path, "is no accelerate configuration", fix="name a file of accelerate_configs"
        ) from error
    said = content.get("num_processes")
    processes = said if isinstance(said, int) else max(gpus, 1)
    kind = str(content.get("distributed_type", "NO"))
    stage = int(dict(content.get("deepspeed_config") or {}).get("zero_stage", 0))
    engines = {
        "NO": SINGLE,
        "MULTI_GPU": DDP,
        "MULTI_CPU": DDP,
        "FSDP": FSDP2,
        "DEEPSPEED": {2: ZERO2, 3: ZERO3}.get(stage),
    }
    engine = engines.get(kind)
    if engine is None:
        raise UnderstudyError(
            path, f"has distributed_type {kind} with ZeRO stage {stage}", fix="use DDP, ZeRO-2, ZeRO-3 or FSDP2"
        )
    machines = int(content.get("num_machines") or 1)
    return Launch(engine, processes, -(-processes // machines), not content.get("use_cpu", False))


def versions(needs: Sequence[str]) -> Iterator[Finding]:
    """Packages that are missing or too old, `needs` being the extras that the run uses."""
    for text in importlib.metadata.requires(DISTRIBUTION) or ():
        wanted = Requirement(text)
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *needs)):
            continue
        try:
            installed = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(wanted.name, "is not installed", f"`pip install '{wanted.name}{wanted.specifier}'`")
            continue
        if not wanted.specifier.contains(installed, prereleases=True):
            yield Finding(
                wanted.name,
                f"is {installed}, and {wanted.specifier} is needed",
                f"`pip install '{wanted.name}{wanted.specifier}'`",
            )


def extras(launch: Launch, model: ModelConfig) -> list[str]:
    """The optional packages that a run needs."""
    quantized = model.load_in_4bit or model.load_in_8bit
    return ["deepspeed"] * (launch.engine in {ZERO2, ZERO3}) + ["quantized"] * bool(quantized)


def devices(launch: Launch, *, gpus: int, bf16: bool, bf16_works: bool) -> Iterator[Finding]:
    """More processes than GPUs, GPUs that are not there, and a precision that they do not compute in."""
    if not launch.on_gpu:
        return
    if gpus == 0:
        yield Finding(
            "accelerate configuration",
            "is for GPUs, and torch sees none on this machine, so its devices are not checked",
            "run this on the machine that will train, or give --device_memory GIB to have the memory compared",
            fatal=False,
        )
        return
    if launch.on_each_machine > gpus:
        yield Finding(
            "num_processes",
            f"is {launch.on_each_machine} on a machine with {gpus} GPUs",
            f"launch with --num_processes {gpus}",
        )
    if bf16 and not bf16_works:
        yield Finding(
            "bf16",
            "is true, and this GPU does not compute in bfloat16",
            "set `bf16: false`, `fp16: true` and `dtype: float16`",
        )


def weight_files(folder: Path) -> Iterator[Finding]:
    """Shards that the model's index names and the folder lacks, and safetensors files that are cut off."""
    shards: set[str] = set()
    for index in folder.glob("*.safetensors.index.json"):
        try:
            shards |= set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError):
            yield Finding(str(index), "cannot be read", "copy it anew")
    for name in sorted(shards):
        if not (folder / name).is_file():
            yield Finding(str(folder / name), "is missing: the index names it", "copy the model folder whole")
    for file in sorted(folder.glob("*.safetensors")):
        wanted = _safetensors_size(file)
        if wanted != file.stat().st_size:
            yield Finding(
                str(file),
                f"has {file.stat().st_size} bytes, and its header says {wanted}: it is cut off",
                "copy it anew",
            )


def _safetensors_size(file: Path) -> int:
    """The size that a file's own header gives it: 8 bytes of length, the header, and the tensors up to the last end."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(min(length, 100_000_000)))
            ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return 8 + length
    return int(8 + length + max(ends, default=0))


def disk(folder: Path, *, checkpoint: int, kept: int, final: int) -> Iterator[Finding]:
    """Whether the checkpoints that are kept, the one that is being written, and the result have room."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    free, needed = shutil.disk_usage(there).free, checkpoint * (kept + 1) + final
    if needed > free:
        yield Finding(
            str(folder),
            f"needs {gib(needed)} for {kept + 1} checkpoints and the result, and {there} has {gib(free)} free",
            "free some space, lower save_total_limit, or name another output_dir",
        )


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of a device that one process can have: what is free now, and what there is in all."""

    free: int
    total: int


def room_of(launch: Launch, *, given: float | None, gpus: int) -> Room | None:
    """What one process can have: `given` GiB, its GPU's, or its share of this machine's; None if that is not known."""
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
    """What of a recipe decides its memory and may be turned."""

    rows: int
    accumulation: int
    checkpointing: bool
    engine: str
    lora: bool
    four_bits: bool


Need = Callable[[Setting], Memory]


def memory(need: Need, setting: Setting, room: Room | None, *, launch: Launch) -> Iterator[Finding]:
    """Whether the run fits, and if not, the nearest setting that does."""
    if room is None:
        return
    wanted = need(setting).total
    if wanted <= room.free:
        return
    least = f"about {gib(wanted)} a process, of {gib(room.free)} free and {gib(room.total)} in all"
    # An estimate that may be off by a fifth forbids nothing; twice what there is, it is no matter of a fifth.
    yield Finding(
        "memory", f"the run needs {least}", nearest(need, setting, room.free, launch), fatal=wanted > 2 * room.total
    )


def nearest(need: Need, setting: Setting, room: int, launch: Launch) -> str:
    """In words, the first setting on the way down that fits into the room."""
    for changed in _ladder(setting, launch):
        found = need(changed).total
        if found <= room:
            return f"{_change(setting, changed)} ({gib(found)})"
    return "take a smaller model, or devices with more memory"


def _ladder(setting: Setting, launch: Launch) -> Iterator[Setting]:
    """Ever smaller settings: fewer rows at once, checkpointing, weights shared out, LoRA, 4 bits."""
    steps: list[Setting] = [setting]
    if not setting.checkpointing:
        steps.append(replace(setting, checkpointing=True))
    if launch.processes > 1 and setting.engine not in SHARED_WEIGHTS and not setting.four_bits:
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


def gib(count: int) -> str:
    """Bytes, readably: `1.5 GiB`, `620 MiB`."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.0f} MiB"
