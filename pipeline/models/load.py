"""Tokenizers, base models and adapters, from wherever the recipe says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from pipeline.errors import UnderstudyError
from pipeline.models.embedded import embedded_model
from pipeline.models.locate import EMBEDDED, NO_OLLAMA, check_model_folder, is_local
from pipeline.tokens.template import normalise_template

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


def resolve_model(model: str) -> str:
    """What `from_pretrained` takes for a recipe's `model_name_or_path`: a checked folder, or a hub id as it is."""
    if model == EMBEDDED:
        return str(embedded_model())
    if is_local(model):
        return str(check_model_folder(Path(model).expanduser()))
    return model


def load_tokenizer(
    model: str,
    *,
    revision: str = "main",
    trust_remote_code: bool = False,
    log: Callable[[str], None] = lambda _: None,
) -> PreTrainedTokenizerBase:
    """The tokenizer of a recipe's model, with a padding token and a normalised chat template.

    `log` gets what was changed in the template, a sentence each.
    """
    from transformers import AutoTokenizer

    tokenizer = _from_pretrained(AutoTokenizer, model, revision=revision, trust_remote_code=trust_remote_code)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    template = normalise_template(tokenizer)
    tokenizer.chat_template = template.text
    for note in template.notes:
        log(note)
    return tokenizer


def load_config(model: str, **options: Any) -> PretrainedConfig:
    """The configuration of a recipe's model."""
    from transformers import AutoConfig

    return _from_pretrained(AutoConfig, model, **options)


def load_base_model(model: str, **options: Any) -> PreTrainedModel:
    """A recipe's base model; `options` go to `from_pretrained` as they are.

    Without a GPU its products in float32 are computed by the faster library wherever no gradient is asked.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from pipeline.kernels.products import speed_up_linears

    loaded = _from_pretrained(AutoModelForCausalLM, model, **options)
    if not torch.cuda.is_available():
        speed_up_linears(loaded)
    return loaded


def _from_pretrained(auto: Any, model: str, **options: Any) -> Any:
    try:
        return auto.from_pretrained(resolve_model(model), **options)
    except (OSError, ValueError, SafetensorError) as error:
        if is_local(model) or model == EMBEDDED:
            raise UnderstudyError(
                model, f"cannot be loaded ({_first_line(error)})", fix="copy the model folder again"
            ) from error
        if "/" not in model:  # hardly any hub id is without an owner
            raise UnderstudyError(
                f"model {model}",
                f"is no folder here, and no hub id that is cached or can be fetched ({_first_line(error)})",
                fix=NO_OLLAMA,
            ) from error
        raise UnderstudyError(
            f"model {model}",
            f"is no folder here, not in the hub cache, and could not be fetched ({_first_line(error)})",
            fix="(1) give a local model folder as model_name_or_path, or (2) fill the hub cache on a machine with "
            "network (`hf download`) and set HF_HOME to it, or (3) set HF_ENDPOINT to a mirror that you can reach",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
