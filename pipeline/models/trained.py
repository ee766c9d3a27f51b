"""A trained character from its folder: model, tokenizer and persona, and the base model behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.conversations.persona import Persona, load_persona
from pipeline.errors import UnderstudyError
from pipeline.models.load import load_base_model, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RUN_FILE = "run.json"
ADAPTER_FILE = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class TrainedCharacter:
    """What `pipeline.train` saved, loaded."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    persona: Persona
    base_name: str
    is_adapter: bool

    @contextmanager
    def base(self) -> Iterator[PreTrainedModel]:
        """The untouched base model: the adapter switched off, or, after full training, the base loaded anew."""
        if self.is_adapter:
            with self.model.disable_adapter():
                yield self.model
        else:
            yield load_base_model(self.base_name, dtype=self.model.dtype).to(self.model.device).eval()


def base_name_of(folder: Path) -> str:
    """The `model_name_or_path` that the run in `folder` started from. Imports nothing heavy.

    Raises:
        UnderstudyError: the folder holds no finished run.
    """
    return str(_run_of(folder)["model"])


def _run_of(folder: Path) -> dict[str, Any]:
    try:
        run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        return {"model": run["model"], "dtype": run["arguments"]["dtype"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnderstudyError(
            folder,
            f"holds no finished run (its {RUN_FILE} cannot be read)",
            fix="train first, or name the run's output_dir",
        ) from error


def load_trained(folder: Path) -> TrainedCharacter:
    """The character in a run's folder, on the GPU if there is one, in the precision that it was trained in.

    Raises:
        UnderstudyError: the folder holds no finished run, its persona was changed, or its base model cannot be had.
    """
    import torch

    run, persona = _run_of(folder), load_persona(folder)
    base_name = str(run["model"])
    is_adapter = (folder / ADAPTER_FILE).is_file()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_base_model(base_name if is_adapter else str(folder), dtype=run["dtype"] or "auto")
    if is_adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, folder)
    return TrainedCharacter(model.to(device).eval(), load_tokenizer(str(folder)), persona, base_name, is_adapter)
