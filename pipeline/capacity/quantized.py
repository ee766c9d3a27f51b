"""Where a base model in 4 or 8 bits can be trained on, checked before anything is loaded."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import torch
from transformers.integrations import is_deepspeed_zero3_enabled
from trl import ModelConfig

from pipeline.errors import UnderstudyError
from pipeline.recipe import line_of


def check_quantized(recipe: Path, model: ModelConfig) -> None:
    """Refuse a quantised base where it cannot be trained on, or would cost each process what it should save.

    Raises:
        UnderstudyError: what is missing, or which engine to take instead.
    """
    key = "load_in_4bit" if model.load_in_4bit else "load_in_8bit"
    if not (model.load_in_4bit or model.load_in_8bit):
        return
    for wrong, what, fix in (
        (not model.use_peft, "is for LoRA: quantised weights themselves cannot be trained", "set `use_peft: true`"),
        (not torch.cuda.is_available(), "needs a CUDA GPU", f"delete {key}, or train on a machine with one"),
        (
            importlib.util.find_spec("bitsandbytes") is None,
            "needs bitsandbytes, which is not installed",
            "`pip install bitsandbytes`",
        ),
        (
            is_deepspeed_zero3_enabled(),
            "does not go with ZeRO-3: each process would load the full quantised model, and shard nothing of it",
            "launch with accelerate_configs/ddp.yaml or zero2.yaml",
        ),
        (
            os.environ.get("ACCELERATE_USE_FSDP") == "true" and not _shards(model),
            f"goes with FSDP only in 4 bits that are stored in the model's dtype, {model.dtype}: it cannot shard bytes",
            f"set `bnb_4bit_quant_storage: {model.dtype}`, or launch with accelerate_configs/ddp.yaml",
        ),
    ):
        if wrong:
            raise UnderstudyError(line_of(recipe, key), f"'{key}' {what}", fix=fix)


def _shards(model: ModelConfig) -> bool:
    return bool(model.load_in_4bit) and model.bnb_4bit_quant_storage == model.dtype
