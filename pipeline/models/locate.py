"""Where a recipe's model lies, and whether the network may be asked for it. Imports nothing heavy.

`prepare_environment` must run before `torch`, `transformers` or `huggingface_hub` are imported: they read these
variables then.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.runs.files import ADAPTER_FILE

EMBEDDED = "embedded"
MOVED = (
    "correct `model_name_or_path` in the recipe; where the base of a trained adapter has moved, name its folder "
    "(chat, recall, export, serve: --base DIR)"
)
NO_OLLAMA = (
    "give a folder in transformers' form (config.json, *.safetensors) or a hub id, OWNER/NAME, that is cached "
    "or can be fetched; models of Ollama's and GGUF files cannot be trained, only what they were made of"
)
WEIGHT_FILES = ("*.safetensors", "*.bin", "*.gguf")


def prepare_environment(*models: str) -> None:
    """Set the libraries' environment: no telemetry, and no network at all unless one is a hub id not cached yet.

    Threads that wait for one another spin for a moment only.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    # GNU OpenMP's threads wait for one another by spinning, 300,000 turns unless told otherwise: where another program
    # has a core, they spin most of the time (docs/log.md has what 100 and 1,000 turns gave on two cores).
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # Names that trl still uses on purpose, and DeepSpeed's guess at the hardware, are no news to the user.
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing.* is deprecated")
    logging.getLogger("DeepSpeed").addFilter(lambda record: "Setting accelerator to CPU" not in record.getMessage())
    if all(model == EMBEDDED or is_local(model) or is_cached(model) for model in models):
        os.environ["HF_HUB_OFFLINE"] = "1"


def is_local(model: str) -> bool:
    """Whether a recipe means a folder: it exists, is written as one, or would lie in one that is here."""
    path = Path(model).expanduser()
    is_in_one = path.parent != Path() and path.parent.is_dir()
    return path.is_dir() or is_in_one or model.startswith((".", "/", "~")) or model.count("/") > 1


def is_cached(model: str) -> bool:
    """Whether some snapshot of a hub id is complete in the hub's cache: an interrupted download is to be finished."""
    snapshots = hub_cache() / f"models--{model.replace('/', '--')}" / "snapshots"
    return any(_has_weights(config.parent) for config in snapshots.glob("*/config.json"))


def _has_weights(snapshot: Path) -> bool:
    for index in snapshot.glob("*.index.json"):
        shards = json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values()
        return all((snapshot / shard).exists() for shard in shards)
    return any(file for pattern in WEIGHT_FILES for file in snapshot.glob(pattern))


def hub_cache() -> Path:
    """The hub's cache folder, by the hub's own rules."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"])
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
    return (Path(os.environ["HF_HOME"]) if "HF_HOME" in os.environ else cache / "huggingface").expanduser() / "hub"


def check_is_no_adapter(model: str) -> None:
    """A recipe's model is none that has to be laid upon another: transformers would load both, and train a second one.

    Raises:
        UnderstudyError: it is the folder of an adapter.
    """
    folder = Path(model).expanduser()
    if model != EMBEDDED and (folder / ADAPTER_FILE).is_file() and not (folder / "config.json").is_file():
        raise UnderstudyError(
            f"model_name_or_path {model}",
            "is an adapter, not a model",
            fix="name its base model: every training begins with one",
        )


def check_model_folder(folder: Path) -> Path:
    """The folder, once it is sure to hold a model or an adapter.

    Raises:
        UnderstudyError: the folder, its configuration or its weights are missing.
    """
    if folder.suffix == ".gguf":
        raise UnderstudyError(folder, "is a GGUF", fix=NO_OLLAMA)
    if not folder.is_dir():
        raise UnderstudyError(folder, "is no folder", fix=MOVED)
    if not any((folder / name).is_file() for name in ("config.json", ADAPTER_FILE)):
        raise UnderstudyError(
            folder, "has no config.json", fix="copy the complete model folder, config and tokenizer included"
        )
    weights = [file for pattern in WEIGHT_FILES for file in folder.glob(pattern)]
    if not weights:
        raise UnderstudyError(folder, "has no weights", fix="copy its *.safetensors files too")
    for file in weights:
        if file.stat().st_size < 1000 and file.read_bytes().startswith(b"version https://git-lfs"):
            raise UnderstudyError(file, "is a Git LFS pointer, not weights", fix="run `git lfs pull` in that folder")
    return folder
