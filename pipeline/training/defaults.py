"""What a recipe leaves to the model and the machine: learning rate, and the precision of training and of the base."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.utils.import_utils import is_torch_bf16_gpu_available

from pipeline.distributed.engines import from_main_process
from pipeline.errors import UnderstudyError
from pipeline.models.load import load_config
from pipeline.models.precision import is_bfloat16_faster
from pipeline.recipe import value_of

if TYPE_CHECKING:
    from pipeline.training.arguments import RunArguments

# LoRA's learning rate for a model: RATE (WIDTH / hidden_size) ** EXPONENT of its family, any but Llama's being OTHERS.
# The form and the exponents are those that Thinking Machines fitted (https://thinkingmachines.ai/blog/lora/), the rates
# were measured here at those widths (docs/decisions/0026-what-a-recipe-leaves-out.md).
LLAMAS = (1.5e-3, 576, 0.781)
OTHERS = (5e-4, 896, 0.0775)  # measured and fitted on Qwens
FULL_SHARE = 0.1  # of LoRA's rate, where all weights are trained


def trains_in_bfloat16(recipe: Path, overrides: Sequence[str]) -> bool:
    """Whether a run whose recipe does not say so trains in bfloat16: on a GPU that has it, unless in float16."""
    on_cpu, half = (str(value_of(recipe, overrides, key)).lower() == "true" for key in ("use_cpu", "fp16"))
    return not on_cpu and not half and is_torch_bf16_gpu_available()


def with_learning_rate(arguments: RunArguments, log: Callable[[str], None]) -> RunArguments:
    """The arguments with a learning rate that fits the model, unless recipe or command line have one.

    Raises:
        UnderstudyError: the model's configuration has no hidden size.
    """
    if "learning_rate" in arguments.given:
        return arguments
    model = arguments.model
    config = load_config(
        str(model.model_name_or_path),
        revision=model.model_revision,
        trust_remote_code=arguments.training.trust_remote_code,
    )
    rate = learning_rate_for(config, lora=model.use_peft)
    weights = "LoRA on" if model.use_peft else "all weights of"
    width = config.get_text_config().hidden_size
    log(f"learning rate {rate:g}, which the recipe leaves open: for {weights} a {config.model_type} {width} wide")
    arguments.training.learning_rate = rate
    return arguments


def learning_rate_for(config: Any, *, lora: bool) -> float:
    """AdamW's learning rate for a model of this configuration, of two digits.

    Raises:
        UnderstudyError: it has no hidden size.
    """
    width = getattr(config.get_text_config(), "hidden_size", None)
    if not width:
        raise UnderstudyError(
            "recipe key 'learning_rate'", "is missing, and the model's width is not known", fix="set `learning_rate`"
        )
    rate, measured_width, exponent = LLAMAS if config.model_type == "llama" else OTHERS
    rate *= (measured_width / width) ** exponent
    return float(f"{rate if lora else FULL_SHARE * rate:.1e}")


def with_fastest_dtype(
    arguments: RunArguments, log: Callable[[str], None], *, on_gpu: bool, bf16: bool
) -> RunArguments:
    """The arguments with what `bf16_if_faster` comes to, for a base model that LoRA leaves as it is.

    On a GPU it is bfloat16 if the run trains in it (`bf16`); on a CPU the main process measures, so that all agree.
    """
    if not (arguments.character.bf16_if_faster and arguments.model.use_peft):
        return arguments
    faster = bf16 if on_gpu else from_main_process(is_bfloat16_faster)
    model = replace(arguments.model, dtype="bfloat16") if faster else arguments.model
    log(f"base model in {model.dtype}, the faster on this machine")
    return replace(arguments, model=model)
