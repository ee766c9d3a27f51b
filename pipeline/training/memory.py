"""How much memory a run needs on each device, from the model's shape and the run's largest micro-batches.

Weights, gradients and optimizer state are exact; the division among processes is that of the ZeRO paper
(arXiv:1910.02054, section 5). Activations are counted tensor by tensor for a Llama-like layer: what autograd keeps of
it for the backward, which `tests/integration/test_kept_for_backward.py` holds against autograd's own account, for LoRA
as GPUs compute it too. On a CPU the sum is held against the measured peak by `tests/integration/test_preflight.py`; on
a GPU it has not been.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pipeline.tokens.attention import why_no_tree
from pipeline.tokens.collate import padded_batch, prefix_tree_batch
from pipeline.tokens.prefix_tree import IGNORE_INDEX, branches
from pipeline.training.head import WORDS

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PretrainedConfig

    from pipeline.mixture.plan import Ints

GIB = 2**30
SINGLE, DDP, ZERO2, ZERO3, FSDP2 = "one process", "DDP", "ZeRO-2", "ZeRO-3", "FSDP2"
SHARED_WEIGHTS = frozenset({ZERO3, FSDP2})
SHARED_STATE = frozenset({ZERO2, ZERO3, FSDP2})
KEPT_BY_ALLOCATOR = 1.15  # of activations: freed pieces that fit no later tensor
FOUR_BITS = 0.55  # bytes a weight in 4 bits takes, with its block's scale
CUDA_CONTEXT = GIB // 2
BUCKET = 500_000_000  # gradients that DeepSpeed gathers before it reduces them, its default
LIBRARIES_LATER = 40 * 2**20  # of code that is first touched in a step
STATUS = Path("/proc/self/status")
HEAVIEST = 32  # micro-batches of an epoch of which the trees are built


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
    why_no_tree: str | None = None

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


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """What one forward and backward holds: tokens computed, targets, positions that reach the LM head, keys gathered.

    `mask` is the number of pairs of an attention mask that is kept.
    """

    tokens: int
    targets: int
    scored: int
    keys: int
    mask: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how it runs; `autocast` is torch's, which computes in bfloat16 whatever it is given."""

    engine: str
    processes: int
    on_gpu: bool
    tree: bool
    checkpointing: bool
    autocast: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one device, by what takes them; `libraries` is the process before any model is there."""

    libraries: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    head: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(int(getattr(self, entry.name)) for entry in fields(self))


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
    """
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    with torch.device("meta"), _not_shared_out():
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, **options)
        reason = why_no_tree(model)
        linear = sum(one.weight.numel() for one in model.modules() if isinstance(one, torch.nn.Linear))
        head = model.get_output_embeddings().weight.numel()
        if peft_config is not None:
            model = get_peft_model(model, peft_config)
    values = config.get_text_config().to_dict()
    heads = values["num_attention_heads"]
    head_dim = values.get("head_dim") or values["hidden_size"] // heads
    weights = list(model.parameters())
    trained = [weight for weight in weights if weight.requires_grad]
    return ModelShape(
        layers=values["num_hidden_layers"],
        hidden=values["hidden_size"],
        inner=values.get("intermediate_size") or 4 * values["hidden_size"],
        query=heads * head_dim,
        key=(values.get("num_key_value_heads") or heads) * head_dim,
        vocabulary=values["vocab_size"],
        parameters=sum(weight.numel() for weight in weights),
        linear=linear - head,
        trained=sum(weight.numel() for weight in trained),
        largest_layer=max(head, (linear - head) // values["num_hidden_layers"]),
        bytes_each=dtype.itemsize,
        trained_bytes=2 if four_bits else dtype.itemsize if engine == ZERO3 else trained[0].element_size(),
        rank=peft_config.r if peft_config is not None else 0,
        four_bits=four_bits,
        why_no_tree=reason,
    )


@contextmanager
def _not_shared_out() -> Iterator[None]:
    """Under ZeRO-3 transformers shares out parameters as they are made, over all processes; a shape has none."""
    from transformers.integrations import deepspeed

    armed = deepspeed._hf_deepspeed_config_weak_ref
    deepspeed.unset_hf_deepspeed_config()
    try:
        yield
    finally:
        deepspeed._hf_deepspeed_config_weak_ref = armed


def largest_batches(
    dataset: Dataset, lengths: Ints, orders: Sequence[Ints], *, rows: int, tree: bool
) -> list[MicroBatch]:
    """The heaviest micro-batches of `rows` rows: `orders` are each epoch's row numbers, `dataset` has the rows.

    `lengths` are the tokens of each row.
    """
    groups = [order[start : start + rows] for order in orders for start in _heaviest(lengths[order], rows, tree=tree)]
    measure = _tree if tree else _padded
    found = (dataset[group.tolist()] for group in groups)
    return [measure(one["input_ids"], one["labels"]) for one in found]


def _heaviest(lengths: Ints, rows: int, *, tree: bool) -> list[int]:
    """Where an epoch's heaviest micro-batches begin: by all of their tokens, or by those of their longest row."""
    starts = np.arange(0, len(lengths), rows)
    weights = (np.add if tree else np.maximum).reduceat(lengths, starts)
    return [int(start) for start in starts[np.argsort(-weights, kind="stable")[:HEAVIEST]]]


def _tree(input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> MicroBatch:
    batch = prefix_tree_batch(input_ids, labels)
    found = branches(batch["position_ids"][0].numpy())
    tokens, targets = batch["input_ids"].numel(), batch["labels"].numel()
    pairs = sum((branch.stop - branch.start) * len(branch.path) for branch in found)
    return MicroBatch(tokens, targets, targets, sum(len(branch.path) for branch in found), pairs)


def _padded(input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> MicroBatch:
    batch = padded_batch(input_ids, labels, pad_token_id=0)
    supervised = batch["labels"][:, 1:] != IGNORE_INDEX
    rows, length = batch["input_ids"].shape
    scored = rows * int(supervised.any(0).sum())
    return MicroBatch(rows * length, int(supervised.sum()), scored, rows * length, rows * length * length)


def estimate(shape: ModelShape, batches: Sequence[MicroBatch], placement: Placement, *, libraries: int) -> Memory:
    """The memory of one device at its peak, in the heaviest of the micro-batches."""
    state = _state(shape, placement)
    heaviest = max(batches, key=lambda batch: _activations(shape, batch, placement) + _head(shape, batch, placement))
    return replace(
        state,
        libraries=CUDA_CONTEXT if placement.on_gpu else libraries + LIBRARIES_LATER,
        activations=int(_activations(shape, heaviest, placement) * KEPT_BY_ALLOCATOR),
        head=_head(shape, heaviest, placement),
    )


def _state(shape: ModelShape, placement: Placement) -> Memory:
    """Weights, gradients and optimizer state: two numbers a trained weight; DeepSpeed keeps a float32 copy as well."""
    deepspeed = placement.engine in {ZERO2, ZERO3}
    trained = shape.trained * shape.trained_bytes
    weights, gradients = shape.frozen_bytes + trained, trained
    optimizer = shape.trained * (12 if deepspeed else 2 * shape.trained_bytes)
    if placement.engine in SHARED_STATE:
        gradients, optimizer = gradients // placement.processes, optimizer // placement.processes
    if placement.engine in SHARED_WEIGHTS:
        weights = weights // placement.processes + shape.largest_layer * shape.bytes_each
    if placement.engine == DDP:
        gradients *= 2  # DDP reduces in buckets of its own
    if deepspeed:
        gradients += min(BUCKET, shape.trained) * shape.trained_bytes
    return Memory(0, weights, gradients, optimizer, 0, 0)


def _activations(shape: ModelShape, batch: MicroBatch, placement: Placement) -> int:
    """What all layers keep for the backward, of which checkpointing leaves each layer's input and one whole layer."""
    layer = _layer(shape, batch, placement)
    if placement.checkpointing:
        return shape.layers * batch.tokens * shape.hidden * shape.bytes_each + layer
    return shape.layers * layer


def _layer(shape: ModelShape, batch: MicroBatch, placement: Placement) -> int:
    """Bytes that one layer keeps: its two norms, its attention, its gated MLP, and LoRA's low products."""
    each = shape.bytes_each
    fused = _is_fused(shape, placement)
    norms = 2 * _norm(shape, fused=fused)
    attention = 2 * shape.query * each  # query, and each branch's or row's output
    mlp = (2 if fused else 3) * shape.inner * each  # gate and up; unfused, gate's SiLU as well
    inputs = _inputs(shape, fused=fused, autocast=placement.autocast)
    low = 7 * shape.rank * each
    # a tree's branches gather the keys of their paths; padded rows repeat theirs for every head that shares them
    keys = 2 * (batch.keys * shape.key if placement.tree else batch.tokens * shape.query) * each
    mask_each = each if placement.tree and each < 4 else 0 if placement.tree else 4
    return batch.tokens * (norms + attention + mlp + inputs + low) + keys + batch.mask * mask_each


def _inputs(shape: ModelShape, *, fused: bool, autocast: bool) -> int:
    """Bytes a token that a layer's products keep of what they are given, to have their weights' gradients from it.

    A frozen product keeps nothing, so with LoRA these are the inputs of the A's. Where an adapter is wider than its
    base, peft converts each of the seven inputs, and keeps the copy, which autocast narrows again.
    """
    if fused:
        return (2 * shape.hidden + shape.query) * shape.bytes_each
    if shape.is_lora and shape.trained_bytes > shape.bytes_each:
        copied = shape.bytes_each if autocast else shape.trained_bytes
        return (5 * shape.hidden + shape.query + shape.inner) * copied
    return (2 * shape.hidden + shape.query + shape.inner) * shape.bytes_each


def _norm(shape: ModelShape, *, fused: bool) -> int:
    """Bytes a token that an RMS norm keeps beside its output: its input, in float32; with a trained weight, twice."""
    if fused and shape.bytes_each == 4:
        return shape.hidden * 4
    return shape.hidden * (4 if shape.is_lora else 4 + shape.bytes_each)


def _head(shape: ModelShape, batch: MicroBatch, placement: Placement) -> int:
    """Logits in float32, one copy, which becomes their gradient; lower precision has its own beside it."""
    if _is_fused(shape, placement):  # never more than the logits of some words, and their exponentials
        return batch.targets * (2 * min(WORDS, shape.vocabulary) + 2 * shape.hidden) * 4
    targets = batch.targets * shape.vocabulary
    own = 0 if shape.bytes_each == 4 else targets * shape.bytes_each
    if placement.tree or placement.on_gpu:
        return targets * 4 + own
    # padded, on a CPU: every row's logits wherever any row has a target, and the gradient of as many
    return targets * 4 + own + 2 * batch.scored * shape.vocabulary * shape.bytes_each


def _is_fused(shape: ModelShape, placement: Placement) -> bool:
    """Whether layers and head are computed by `lora`, `blocks` and `head`, as they are with most models."""
    return shape.is_lora and not placement.on_gpu and placement.engine in {SINGLE, DDP}


def peak_memory() -> int:
    """The most memory that this process has held: the GPU's, if there is one, else its resident set. In bytes."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    if STATUS.is_file():  # Linux, where getrusage would count in what the parent held when it started this process
        (line,) = (line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
