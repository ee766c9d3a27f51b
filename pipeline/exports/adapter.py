"""A clean peft folder: the trained adapter's weights, bit for bit, under names that hold on any machine."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.exports.merged import export_tokenizer
from pipeline.exports.origin import Origin
from pipeline.runs.files import ADAPTER_FILE, ADAPTER_WEIGHTS


def make_plain_lora(folder: Path) -> None:
    """The adapter's config says its scale as llama.cpp reads it, `lora_alpha` / `r`; rsLoRA's is over sqrt(r).

    Raises:
        UnderstudyError: it is more than A and B matrices that are scaled alike.
    """
    file = folder / ADAPTER_FILE
    config = json.loads(file.read_text(encoding="utf-8"))
    unlike = [key for key in ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save") if config.get(key)]
    if unlike:
        raise UnderstudyError(
            file, f"has {', '.join(unlike)}, which no GGUF of an adapter can say", fix="export --to gguf"
        )
    if config.get("use_rslora"):
        alpha = config["lora_alpha"] * math.sqrt(config["r"])
        write_json(file, config | {"lora_alpha": alpha, "use_rslora": False})


def save_adapter(origin: Origin, folder: Path) -> None:
    """The folder holds the run's adapter, its base by name, and a tokenizer whose template holds the persona.

    Raises:
        UnderstudyError: the run trained a complete model, which has no adapter.
    """
    if not origin.is_adapter:
        raise UnderstudyError(origin.folder, "holds a complete model and no adapter", fix="export it with --to merged")
    config = json.loads((origin.folder / ADAPTER_FILE).read_text(encoding="utf-8"))
    write_json(folder / ADAPTER_FILE, config | {"base_model_name_or_path": origin.base})
    shutil.copyfile(origin.folder / ADAPTER_WEIGHTS, folder / ADAPTER_WEIGHTS)
    export_tokenizer(origin.tokenizer, origin.persona).save_pretrained(folder)
