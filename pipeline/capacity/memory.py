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
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from pipeline.capacity.findings import GIB
from pipeline.capacity.micro_batches import MicroBatch
from pipeline.capacity.shape import ModelShape
from pipeline.distributed.engines import DDP, SHARDED_STATE, SHARDED_WEIGHTS, SINGLE, ZERO2, ZERO3
from pipeline.kernels.head import VOCAB_TILE

KEPT_BY_ALLOCATOR = 1.15  # of activations: freed pieces that fit no later tensor
CUDA_CONTEXT = GIB // 2
BUCKET = 500_000_000  # gradients that DeepSpeed gathers before it reduces them, its default
LIBRARIES_LATER = 40 * 2**20  # of code that is first touched in a step
STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class StepExecution:
    """How a step is executed; `autocast` is torch's, which computes in bfloat16 whatever it is given."""

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


def estimate(shape: ModelShape, batches: Sequence[MicroBatch], execution: StepExecution, *, libraries: int) -> Memory:
    """The memory of one device at its peak, in the heaviest of the micro-batches."""
    state = _state(shape, execution)
    heaviest = max(batches, key=lambda batch: _activations(shape, batch, execution) + _head(shape, batch, execution))
    return replace(
        state,
        libraries=CUDA_CONTEXT if execution.on_gpu else libraries + LIBRARIES_LATER,
        activations=int(_activations(shape, heaviest, execution) * KEPT_BY_ALLOCATOR),
        head=_head(shape, heaviest, execution),
    )


def _state(shape: ModelShape, execution: StepExecution) -> Memory:
    """Weights, gradients and optimizer state: two numbers a trained weight; DeepSpeed keeps a float32 copy as well."""
    deepspeed = execution.engine in {ZERO2, ZERO3}
    trained = shape.trained * shape.trained_bytes
    weights, gradients = shape.frozen_bytes + trained, trained
    optimizer = shape.trained * (12 if deepspeed else 2 * shape.trained_bytes)
    if execution.engine in SHARDED_STATE:
        gradients, optimizer = gradients // execution.processes, optimizer // execution.processes
    if execution.engine in SHARDED_WEIGHTS:
        weights = weights // execution.processes + shape.largest_layer * shape.bytes_each
    if execution.engine == DDP:
        gradients *= 2  # DDP reduces in buckets of its own
    if deepspeed:
        gradients += min(BUCKET, shape.trained) * shape.trained_bytes
    return Memory(0, weights, gradients, optimizer, 0, 0)


def _activations(shape: ModelShape, batch: MicroBatch, execution: StepExecution) -> int:
    """What all layers keep for the backward; with checkpointing, each layer's input and all of one layer."""
    layer = _layer(shape, batch, execution)
    if execution.checkpointing:
        return shape.layers * batch.tokens * shape.hidden * shape.bytes_each + layer
    return shape.layers * layer


def _layer(shape: ModelShape, batch: MicroBatch, execution: StepExecution) -> int:
    """Bytes that one layer keeps: its two norms, its attention, its gated MLP, and LoRA's low products."""
    each = shape.bytes_each
    fused = _is_fused(shape, execution)
    norms = 2 * _norm(shape, fused=fused)
    attended = 4 if execution.tree and not execution.on_gpu else each  # bytes a number: a CPU's trees in float32
    attention = 2 * shape.query * attended  # query, and each branch's or row's output
    mlp = (2 if fused else 3) * shape.inner * each  # gate and up; unfused, gate's SiLU as well
    inputs = _inputs(shape, fused=fused, autocast=execution.autocast)
    low = 7 * shape.rank * each
    # a tree's branches gather the keys of their paths; padded rows repeat theirs for every head that shares them
    keys = 2 * (batch.keys * shape.key if execution.tree else batch.tokens * shape.query) * attended
    mask_each = 4 if not execution.tree else attended if attended < 4 else 0
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
    """Bytes a token that an RMS norm keeps besides its output: its input, in float32; with a trained weight, twice."""
    if fused and shape.bytes_each == 4:
        return shape.hidden * 4
    return shape.hidden * (4 if shape.is_lora else 4 + shape.bytes_each)


def _head(shape: ModelShape, batch: MicroBatch, execution: StepExecution) -> int:
    """Logits in float32, one copy, which becomes their gradient; lower precision has its own as well."""
    if _is_fused(shape, execution):  # never more than the logits of some words, and their exponentials
        return batch.targets * (2 * min(VOCAB_TILE, shape.vocabulary) + 2 * shape.hidden) * 4
    targets = batch.targets * shape.vocabulary
    own = 0 if shape.bytes_each == 4 else targets * shape.bytes_each
    if execution.tree or execution.on_gpu:
        return targets * 4 + own
    # padded, on a CPU: every row's logits wherever any row has a target, and the gradient of as many
    return targets * 4 + own + 2 * batch.scored * shape.vocabulary * shape.bytes_each


def _is_fused(shape: ModelShape, execution: StepExecution) -> bool:
    """Whether layers and head are computed by `lora`, `blocks` and `head`, as they are with most models."""
    return shape.is_lora and not execution.on_gpu and execution.engine in {SINGLE, DDP}


def peak_memory() -> int:
    """The most memory that this process has held: the GPU's, if there is one, else its resident set. In bytes."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    if STATUS.is_file():  # Linux, where getrusage would count in what the parent held when it started this process
        (line,) = (line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
