"""A trained character from its folder: model, tokenizer and persona, and the base model behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.conversations.persona import Persona, load_personas, persona_named
from pipeline.models.load import load_base_model, load_tokenizer
from pipeline.runs.files import ADAPTER_FILE
from pipeline.runs.run_file import read_run

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class TrainedCharacter:
    """What `pipeline.train` saved, loaded: all its `personas`, and `persona`, the one that replies."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    persona: Persona
    personas: tuple[Persona, ...]
    base_name: str
    is_adapter: bool
    options: Mapping[str, Any]

    @contextmanager
    def base(self) -> Iterator[PreTrainedModel]:
        """The untouched base model: the adapter switched off, or, after full training, the base loaded again."""
        if self.is_adapter:
            with self.model.disable_adapter():
                yield self.model
        else:
            yield load_base_model(self.base_name, **self.options).to(self.model.device).eval()


def load_trained(folder: Path, name: str | None = None) -> TrainedCharacter:
    """The character in a run's folder, on the GPU if there is one, in the precision that it was trained in.

    `name` says which one, where the run has several.

    Raises:
        UnderstudyError: the folder holds no finished run, its persona was changed, its base model cannot be had, or it
            has no character of that name, or several and no name is given.
    """
    return next(load_in_turn([(folder, name)]))


def load_in_turn(folders: Iterable[tuple[Path, str | None]]) -> Iterator[TrainedCharacter]:
    """One trained character after another, each from a run's folder and of the name that is given with it.

    Adapters of the same base model share it: it is loaded once, and each adapter replaces the one before. So only one
    is in memory at a time, and only the character last given may be used.

    Raises:
        UnderstudyError: see `load_trained`.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model: Any = None
    loaded: tuple[str, Mapping[str, Any]] | None = None  # the base of `model`, and what it was loaded with
    for number, (folder, name) in enumerate(folders):
        run = read_run(folder)
        tokenizer = load_tokenizer(str(folder))
        personas = load_personas(folder, template=tokenizer.chat_template)
        persona = persona_named(name, personas, folder)
        base, options = str(run["model"]), _load_options(run["arguments"])
        is_adapter = (folder / ADAPTER_FILE).is_file()
        if not is_adapter:
            model, loaded = load_base_model(str(folder), dtype=options["dtype"]), None
        elif loaded == (base, options):
            _replace_adapter(model, folder, f"turn-{number}")
        else:
            model, loaded = _with_adapter(load_base_model(base, **options), folder, f"turn-{number}"), (base, options)
        if "quantization_config" not in options:
            model = model.to(device)
        yield TrainedCharacter(model.eval(), tokenizer, persona, personas, base, is_adapter, options)


def _with_adapter(model: PreTrainedModel, folder: Path, name: str) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, folder, adapter_name=name)


def _replace_adapter(model: Any, folder: Path, name: str) -> None:
    """The adapter in `folder` is the model's only one."""
    before = list(model.peft_config)
    model.load_adapter(folder, adapter_name=name)
    model.set_adapter(name)
    for other in before:
        model.delete_adapter(other)


def _load_options(run: Mapping[str, Any]) -> dict[str, Any]:
    """What the base model was loaded with when it was trained on: precision, revision, and 4 or 8 bits."""
    options: dict[str, Any] = {
        "dtype": run["dtype"] or "auto",
        "revision": run["model_revision"],
        "trust_remote_code": run["trust_remote_code"],
    }
    if run["load_in_4bit"] or run["load_in_8bit"]:
        from trl import ModelConfig, get_quantization_config

        names = ("dtype", "load_in_4bit", "load_in_8bit", "bnb_4bit_quant_type", "use_bnb_nested_quant")
        options |= {
            "quantization_config": get_quantization_config(ModelConfig(**{name: run[name] for name in names})),
            "device_map": {"": 0},
        }
    return options
