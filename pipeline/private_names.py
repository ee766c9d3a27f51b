"""Names of other packages that are private or undocumented, and used here all the same: which, where, and why.

Each may be gone with the next release, which is why pyproject.toml bounds these packages from above. Where a public way
exists it is taken instead; so a name that is not in this table has no business in the code, which
`tests/unit/test_private_names.py` holds it to. `preflight` names those that are gone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PrivateName:
    """`path` is the name within `module`; `used_in` are our modules that use it, and `reason` is what for.

    `by_init`: an instance has it, not its class, whose `__init__` sets it.
    """

    package: str
    module: str
    path: str
    used_in: tuple[str, ...]
    reason: str
    by_init: bool = False

    def __str__(self) -> str:
        """`module.path`, as one would look it up."""
        return f"{self.module}.{self.path}"


PRIVATE_NAMES: tuple[PrivateName, ...] = (
    PrivateName(
        "torch", "torch.distributed.distributed_c10d", "_world", ("pipeline.distributed.deadlines",),
        "lists all process groups: engines make groups of their own, whose timeout has to be set too",
    ),
    PrivateName(
        "torch", "torch", "ops.mkldnn._linear_pointwise", ("pipeline.kernels.products",),
        "asks for oneDNN's product; torch's public ones go to MKL, which is the slower on some CPUs",
    ),
    PrivateName(
        "transformers", "transformers", "Trainer._get_train_sampler", ("pipeline.training.trainer",),
        "gives the plan's order; the public get_train_dataloader would have to be rewritten whole",
    ),
    PrivateName(
        "transformers", "transformers", "Trainer._run_epoch", ("pipeline.training.trainer",),
        "ends a run that is resumed at its end; by every public way one more step would be taken",
    ),
    PrivateName(
        "transformers", "transformers", "PretrainedConfig._attn_implementation", ("pipeline.tokens.attention",),
        "says which attention a model computes; it can be set publicly, but not read",
    ),
    PrivateName(
        "transformers", "transformers", "PreTrainedModel._supports_attention_backend", ("pipeline.tokens.attention",),
        "says whether a registered attention function reaches the model",
    ),
    PrivateName(
        "transformers", "transformers.integrations.deepspeed", "_hf_deepspeed_config_weak_ref",
        ("pipeline.capacity.shape",),
        "is ZeRO-3's switch: it can be turned off publicly, but not read, so as to be turned on again",
    ),
    PrivateName(
        "transformers", "transformers.conversion_mapping", "get_model_conversion_mapping",
        ("pipeline.runs.read_back",), "says that a model's weights are saved under other names",
    ),
    PrivateName(
        "transformers", "transformers.core_model_loading", "revert_weight_conversion", ("pipeline.runs.read_back",),
        "gives the names and shapes under which they are saved, to be compared with the file's",
    ),
    PrivateName(
        "transformers", "transformers.integrations.sdpa_attention", "sdpa_attention_forward",
        ("pipeline.tokens.attention",), "computes what is no tree, as before",
    ),
    PrivateName(
        "transformers", "transformers.integrations.flex_attention", "flex_attention_forward",
        ("pipeline.tokens.attention",), "computes a tree's BlockMask on a GPU",
    ),
    PrivateName(
        "transformers", "transformers.masking_utils", "sdpa_mask", ("pipeline.tokens.attention",),
        "makes the mask of what is no tree, as before",
    ),
    PrivateName(
        "peft", "peft.tuners.lora", "LoraLayer.lora_variant", ("pipeline.kernels.lora",),
        "says that a LoRA layer is DoRA or another variant, and computes more than W, A and B", by_init=True,
    ),
)  # fmt: skip


def missing_names() -> Iterator[PrivateName]:
    """Those that the installed packages no longer have."""
    for name in PRIVATE_NAMES:
        try:
            _look_up(name)
        except (ImportError, AttributeError):
            yield name


def _look_up(name: PrivateName) -> None:
    """The name is there.

    Raises:
        ImportError: its module is gone.
        AttributeError: the name is.
    """
    found: Any = importlib.import_module(name.module)
    *above, last = name.path.split(".")
    for part in above:
        found = getattr(found, part)
    if not name.by_init:
        getattr(found, last)
    elif last not in found.__init__.__code__.co_names:
        raise AttributeError(f"{found.__name__}.__init__ sets no {last}")
