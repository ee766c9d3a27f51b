"""Where a recipe's model lies, and whether the network may be asked for it. Imports nothing heavy.

`prepare_environment` must run before `transformers` or `huggingface_hub` are imported: they read these variables then.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

from pipeline.errors import UnderstudyError

EMBEDDED = "embedded"
WEIGHT_FILES = ("*.safetensors", "*.bin", "*.gguf")


def prepare_environment(model: str) -> None:
    """Set the libraries' environment: no telemetry, and no network at all unless `model` is a hub id not cached yet."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    # Names that trl still uses on purpose, and DeepSpeed's guess at the hardware, are no news to the user.
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing.* is deprecated")
    logging.getLogger("DeepSpeed").addFilter(lambda record: "Setting accelerator to CPU" not in record.getMessage())
    if model == EMBEDDED or is_local(model) or is_cached(model):
        os.environ["HF_HUB_OFFLINE"] = "1"


def is_local(model: str) -> bool:
    """Whether a recipe means a folder: it exists, or is written as one."""
    return Path(model).expanduser().is_dir() or model.startswith((".", "/", "~")) or model.count("/") > 1


def is_cached(model: str) -> bool:
    """Whether some snapshot of a hub id lies in the hub's cache."""
    snapshots = hub_cache() / f"models--{model.replace('/', '--')}" / "snapshots"
    return any(snapshots.glob("*/config.json"))


def hub_cache() -> Path:
    """The hub's cache folder, by the hub's own rules."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"])
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
    return (Path(os.environ["HF_HOME"]) if "HF_HOME" in os.environ else cache / "huggingface").expanduser() / "hub"


def check_model_folder(folder: Path) -> Path:
    """The folder, once it is sure to hold a model or an adapter.

    Raises:
        UnderstudyError: the folder, its configuration or its weights are missing.
    """
    if not folder.is_dir():
        raise UnderstudyError(folder, "is no folder", fix="correct `model_name_or_path` in the recipe")
    if not any((folder / name).is_file() for name in ("config.json", "adapter_config.json")):
        raise UnderstudyError(
            folder, "has no config.json", fix="copy the whole model folder, config and tokenizer included"
        )
    if not any(file for pattern in WEIGHT_FILES for file in folder.glob(pattern)):
        raise UnderstudyError(
            folder, "has no weights", fix="copy its *.safetensors files too; git without LFS leaves them out"
        )
    return folder
