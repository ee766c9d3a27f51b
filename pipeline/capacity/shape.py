"""A model as it will be trained: widths, numbers of parameters, bytes of each, without loading a weight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from pipeline.distributed.engines import SINGLE, ZERO3
from pipeline.errors import UnderstudyError
from pipeline.tokens.attention import prefix_tree_obstacle

if TYPE_CHECKING:
    from transformers import PretrainedConfig

FOUR_BITS = 0.55  # bytes a weight in 4 bits takes, with its block's scale


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A model as it will be trained: widths, numbers of parameters, bytes of each.

    `query` and `key` are the widths of all heads together; `linear` are the parameters that 4 bits would hold;
    `largest_layer` is the number of parameters that ZeRO-3 and FSDP2 gather at once.
    """

    layers: int
    hidden: int
    inner: int
    query: int
    key: int
    vocabulary: int
    parameters: int
    linear: int
    trained: int
    largest_layer: int
    bytes_each: int
    trained_bytes: int
    rank: int
    four_bits: bool = False
    prefix_tree_obstacle: str | None = None

    @property
    def is_lora(self) -> bool:
        """Whether the base is frozen."""
        return self.rank > 0

    @property
    def frozen_bytes(self) -> int:
        """Bytes of the weights that are not trained."""
        if not self.is_lora:
            return 0
        base = self.parameters - self.trained
        in_four = self.linear if self.four_bits else 0
        return int(in_four * FOUR_BITS + (base - in_four) * self.bytes_each)


def model_shape(
    config: PretrainedConfig,
    *,
    dtype: torch.dtype,
    peft_config: Any,
    four_bits: bool,
    engine: str = SINGLE,
    **options: Any,
) -> ModelShape:
    """The shape of a model that is built without its weights, with its adapter if it gets one.

    The adapter is in float32, as peft makes it, but in the base's precision under ZeRO-3 and, of a base in 4 bits, in
    bfloat16, as trl makes it. `options` go to `from_config` as they are.

    Raises:
        UnderstudyError: the model has nothing that the adapter's configuration fits.
    """
    from transformers import AutoModelForCausalLM

    with torch.device("meta"), _unsharded():
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, **options)
        obstacle = prefix_tree_obstacle(model)
        linear = sum(one.weight.numel() for one in model.modules() if isinstance(one, torch.nn.Linear))
        head = model.get_output_embeddings().weight.numel()
        model = _with_adapter(model, peft_config) if peft_config is not None else model
    weights = list(model.parameters())
    trained = [weight for weight in weights if weight.requires_grad]
    widths = _widths(config)
    return ModelShape(
        **widths,
        parameters=sum(weight.numel() for weight in weights),
        linear=linear - head,
        trained=sum(weight.numel() for weight in trained),
        largest_layer=max(head, (linear - head) // widths["layers"]),
        bytes_each=dtype.itemsize,
        trained_bytes=2 if four_bits else dtype.itemsize if engine == ZERO3 else trained[0].element_size(),
        rank=peft_config.r if peft_config is not None else 0,
        four_bits=four_bits,
        prefix_tree_obstacle=obstacle,
    )


def _with_adapter(model: Any, peft_config: Any) -> Any:
    """The model with the adapter that peft makes of the configuration.

    Raises:
        UnderstudyError: peft refuses it, or the model lacks a module that it names.
    """
    from peft import get_peft_model
    from peft.utils.error import NoMatchingPeftModuleError

    head = model.get_output_embeddings()
    linear = {
        name.rpartition(".")[2]
        for name, one in model.named_modules()
        if isinstance(one, torch.nn.Linear) and one is not head
    }
    named = peft_config.target_modules
    fix = f"set `lora_target_modules: [all-linear]`, or name some of {', '.join(sorted(linear))}"
    try:
        adapted = get_peft_model(model, peft_config)
    except NoMatchingPeftModuleError as error:
        raise UnderstudyError("the recipe's lora keys", f"do not fit the model: {error}", fix=fix) from error
    except ValueError as error:
        raise UnderstudyError("the recipe's lora keys", f"are refused by peft: {error}", fix="correct them") from error
    if isinstance(named, list | set):  # of several names peft is content with one that fits
        fitting = adapted.targeted_module_names
        if missing := sorted(one for one in named if not any(f".{name}".endswith(f".{one}") for name in fitting)):
            raise UnderstudyError("the recipe's lora keys", f"name no module: {', '.join(missing)}", fix=fix)
    return adapted


def _widths(config: PretrainedConfig) -> dict[str, int]:
    """What a configuration says of a model's layers, by the names of `ModelShape`."""
    values = config.get_text_config().to_dict()
    heads = values["num_attention_heads"]
    head_dim = values.get("head_dim") or values["hidden_size"] // heads
    return {
        "layers": values["num_hidden_layers"],
        "hidden": values["hidden_size"],
        "inner": values.get("intermediate_size") or 4 * values["hidden_size"],
        "query": heads * head_dim,
        "key": (values.get("num_key_value_heads") or heads) * head_dim,
        "vocabulary": values["vocab_size"],
    }


@contextmanager
def _unsharded() -> Iterator[None]:
    """Under ZeRO-3 transformers shards parameters as they are made, over all processes; a shape has none."""
    from transformers.integrations import deepspeed

    armed = deepspeed._hf_deepspeed_config_weak_ref
    deepspeed.unset_hf_deepspeed_config()
    try:
        yield
    finally:
        deepspeed._hf_deepspeed_config_weak_ref = armed
