"""A trained character from its folder: model, tokenizer and persona, and the base model behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.conversations.persona import Persona, load_personas, persona_named
from pipeline.models.digest import check_base
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
    folder: Path = Path()
    adapter_name: str | None = None  # its own in the model, which others may share
    kept: dict[str, PreTrainedModel] = field(default_factory=dict)  # the base that was loaded again, once it was

    @contextmanager
    def own(self) -> Iterator[PreTrainedModel]:
        """The model that this character was trained to be: its adapter is the active one."""
        if self.adapter_name is not None and self.model.active_adapters != [self.adapter_name]:
            self.model.set_adapter(self.adapter_name)
        yield self.model

    @contextmanager
    def base(self, *, keep: bool = False) -> Iterator[PreTrainedModel]:
        """The untouched base model: the adapter switched off, or, after full training, the base loaded again.

        With `keep` it is loaded once, and stays in memory.
        """
        if self.is_adapter:
            with self.model.disable_adapter():
                yield self.model
        else:
            kept = self.kept if keep else {}
            if not kept:
                kept[self.base_name] = load_base_model(self.base_name, **self.options).to(self.model.device).eval()
            yield kept[self.base_name]


def load_trained(
    folder: Path, name: str | None = None, *, base: str | None = None, dtype: str | None = None
) -> TrainedCharacter:
    """The character in a run's folder, on the GPU if there is one, in the precision that it was trained in.

    `name` says which one, where the run has several; `base` where its base model lies now, if it has moved. `dtype`
    loads it unquantised in that precision instead, `auto` being the one that its base was saved in.

    Raises:
        UnderstudyError: the folder holds no finished run, its persona was changed, its base model cannot be had or is
            another, or it has no character of that name, or several and no name is given.
    """
    return next(load_in_turn([(folder, name)], base=base, dtype=dtype))


def load_in_turn(
    folders: Iterable[tuple[Path, str | None]], *, base: str | None = None, dtype: str | None = None
) -> Iterator[TrainedCharacter]:
    """One trained character after another, each from a run's folder and of the name that is given with it.

    Adapters of the same base model share it: it is loaded once, and each adapter replaces the one before. So only one
    is in memory at a time, and only the character last given may be used. `base` and `dtype`: see `load_trained`.

    Raises:
        UnderstudyError: see `load_trained`.
    """
    return _load_each(folders, base=base, dtype=dtype, together=False)


def load_together(folders: Iterable[Path], *, base: str | None = None) -> list[TrainedCharacter]:
    """The characters of several runs, all in memory; the adapters of the same base model share it.

    Of a run with several characters, the first one. A character's model is to be had from `own`, and from nothing else,
    one at a time.

    Raises:
        UnderstudyError: see `load_trained`.
    """
    return list(_load_each(((folder, load_personas(folder)[0].name) for folder in folders), base=base, together=True))


def _load_each(
    folders: Iterable[tuple[Path, str | None]], *, base: str | None = None, dtype: str | None = None, together: bool
) -> Iterator[TrainedCharacter]:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    bases: dict[str, Any] = {}  # models with adapters, by their base and what it was loaded with
    for number, (folder, name) in enumerate(folders):
        run = read_run(folder)
        tokenizer = load_tokenizer(str(folder))
        personas = load_personas(folder, template=tokenizer.chat_template)
        persona = persona_named(name, personas, folder)
        base_name, options = base or str(run["model"]), _load_options(run["arguments"], dtype)
        is_adapter = (folder / ADAPTER_FILE).is_file()
        if is_adapter:
            check_base(base_name, revision=options["revision"], expected=run.get("base_digest"), adapter=folder)
        key, adapter = f"{base_name} {options}", f"adapter-{number}" if is_adapter else None
        if not together and (adapter is None or key not in bases):
            bases.clear()
        if adapter is None:
            model = load_base_model(str(folder), dtype=options["dtype"])
        elif key in bases:
            model = bases[key]
            model.load_adapter(folder, adapter_name=adapter)
            if not together:
                _keep_only(model, adapter)
        else:
            model = bases[key] = _with_adapter(load_base_model(base_name, **options), folder, adapter)
        if "quantization_config" not in options:
            model = model.to(device)
        yield TrainedCharacter(
            model.eval(), tokenizer, persona, personas, base_name, is_adapter, options, folder, adapter
        )


def _with_adapter(model: PreTrainedModel, folder: Path, name: str) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, folder, adapter_name=name)


def _keep_only(model: Any, adapter: str) -> None:
    """The adapter is the model's only one."""
    model.set_adapter(adapter)
    for other in set(model.peft_config) - {adapter}:
        model.delete_adapter(other)


def _load_options(run: Mapping[str, Any], dtype: str | None) -> dict[str, Any]:
    """What the base model was loaded with when it was trained on: precision, revision, and 4 or 8 bits.

    A `dtype` takes the place of both precision and bits.
    """
    options: dict[str, Any] = {
        "dtype": dtype or run["dtype"] or "auto",
        "revision": run["model_revision"],
        "trust_remote_code": run["trust_remote_code"],
    }
    if dtype is None and (run["load_in_4bit"] or run["load_in_8bit"]):
        from trl import ModelConfig, get_quantization_config

        names = ("dtype", "load_in_4bit", "load_in_8bit", "bnb_4bit_quant_type", "use_bnb_nested_quant")
        options |= {
            "quantization_config": get_quantization_config(ModelConfig(**{name: run[name] for name in names})),
            "device_map": {"": 0},
        }
    return options
