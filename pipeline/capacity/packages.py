"""Whether what a recipe asks of other packages is there: its optimizer, its attention, Liger's kernels."""

from __future__ import annotations

from collections.abc import Iterator

from transformers import Trainer
from transformers.training_args import OptimizerNames
from transformers.utils import is_flash_attn_2_available, is_liger_kernel_available
from trl import SFTConfig

from pipeline.capacity.findings import Finding

FLASH_ATTENTION_2 = "flash_attention_2"


def check_packages(training: SFTConfig, attention: str | None, *, here: bool) -> Iterator[Finding]:
    """What would end the run with an ImportError or ValueError at its start; `attention` is `attn_implementation`.

    `here`: it will run on this machine; a package that is missing here is no more than a doubt elsewhere.
    """
    if training.learning_rate <= 0:
        yield Finding("recipe key 'learning_rate'", f"is {training.learning_rate:g}", "make it more than 0")
    if problem := _optimizer_problem(training):
        yield Finding("recipe key 'optim'", problem, "install what it needs, or leave `optim` out", fatal=here)
    if training.use_liger_kernel and not is_liger_kernel_available():
        yield Finding(
            "recipe key 'use_liger_kernel'", "needs liger-kernel, which is not installed", "leave it out", fatal=here
        )
    if lacks_attention(attention):
        yield Finding(
            "recipe key 'attn_implementation'",
            f"is {FLASH_ATTENTION_2}, and flash-attn is not installed or finds no GPU",
            "leave it out",
            fatal=here,
        )


def lacks_attention(attention: str | None) -> bool:
    """Whether the attention that the recipe names cannot be computed here."""
    return attention == FLASH_ATTENTION_2 and not is_flash_attn_2_available()


def _optimizer_problem(training: SFTConfig) -> str:
    """Why the optimizer cannot be made; some are only known to be there once they have a model, and count as there."""
    named = OptimizerNames(training.optim).value
    try:
        Trainer.get_optimizer_cls_and_kwargs(training)
    except (ImportError, RuntimeError) as error:
        return f"is {named}: {str(error).strip().splitlines()[0].rstrip('.')}"
    except ValueError as error:
        text = str(error).strip().splitlines()[0].rstrip(".")
        return f"is {named}: {text}" if "model" not in text else ""
    return ""
