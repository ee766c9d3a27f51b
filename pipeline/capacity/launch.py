"""How a run is launched: its engine and its processes, as an accelerate configuration says or as this process was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from transformers import TrainingArguments

from pipeline.distributed.engines import DDP, FSDP2, SINGLE, ZERO2, ZERO3, engine_of
from pipeline.errors import UnderstudyError


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


def launch_of(training: TrainingArguments) -> Launch:
    """How this process was launched."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", training.world_size))
    return Launch(engine_of(training), training.world_size, here, training.device.type == "cuda")
