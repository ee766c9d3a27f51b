"""The engines that several processes train with, by name, and how all processes get what only the main one can see."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from accelerate import PartialState
from accelerate.utils import DistributedType, broadcast_object_list
from transformers import TrainingArguments

SINGLE, DDP, ZERO2, ZERO3, FSDP2 = "one process", "DDP", "ZeRO-2", "ZeRO-3", "FSDP2"
SHARDED_WEIGHTS = frozenset({ZERO3, FSDP2})
SHARDED_STATE = frozenset({ZERO2, ZERO3, FSDP2})
Found = TypeVar("Found")


def engine_of(training: TrainingArguments) -> str:
    """The engine that this process was launched under, known before the model is loaded."""
    if training.deepspeed_plugin is not None:
        return f"ZeRO-{training.deepspeed_plugin.zero_stage}"
    kind = PartialState().distributed_type
    if kind not in (DistributedType.NO, DistributedType.MULTI_CPU) and os.environ.get("ACCELERATE_USE_FSDP") == "true":
        return FSDP2
    return SINGLE if training.world_size == 1 else DDP


def from_main_process(find: Callable[..., Found], *arguments: Any) -> Found:
    """What `find(*arguments)` returns on the main process, on every process: the others may not see the folder."""
    found: list[Any] = [find(*arguments) if PartialState().is_main_process else None]
    result: Found = broadcast_object_list(found)[0]
    return result
