"""A clean peft folder: the trained adapter's weights, bit for bit, under names that hold on any machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.exports.merged import export_tokenizer
from pipeline.exports.origin import Origin
from pipeline.runs.files import ADAPTER_FILE

WEIGHTS = "adapter_model.safetensors"


def save_adapter(origin: Origin, folder: Path) -> None:
    """The folder holds the run's adapter, its base by name, and a tokenizer whose template holds the persona.

    Raises:
        UnderstudyError: the run trained a complete model, which has no adapter.
    """
    if not origin.is_adapter:
        raise UnderstudyError(origin.folder, "holds a complete model and no adapter", fix="export it with --to merged")
    config = json.loads((origin.folder / ADAPTER_FILE).read_text(encoding="utf-8"))
    write_json(folder / ADAPTER_FILE, config | {"base_model_name_or_path": origin.base})
    shutil.copyfile(origin.folder / WEIGHTS, folder / WEIGHTS)
    export_tokenizer(origin.tokenizer, origin.persona).save_pretrained(folder)
