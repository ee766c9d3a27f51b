"""A training step's time on many GPUs, estimated: matrix products, optimizer, communication.

A weight costs 2 operations a token forward, 2 backward for what went in, and 2 for its own gradient if it is trained
(Kaplan et al., arXiv:2001.08361, section 2.1); recomputing activations costs the 2 forward again. What is sent is that
of the ZeRO paper (arXiv:1910.02054, section 7). Nothing overlaps here: if products hid all communication, a step
would take half as long at best.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.capacity.shape import ModelShape
from pipeline.distributed.engines import SHARDED_STATE, SHARDED_WEIGHTS

ADAM_TRAFFIC = 30  # bytes read and written a trained weight: bf16 weight and gradient, float32 copy and two moments


@dataclass(frozen=True, slots=True)
class Work:
    """What one GPU computes in a step: tokens, tokens that reach the LM head, pairs of query and key."""

    tokens: float
    scored: float
    pairs: float


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU: operations a second in dense bf16; bytes of memory; bytes a second of it, and to the GPUs of its node."""

    name: str
    peak: float
    memory: float
    memory_bandwidth: float
    intra_node_bandwidth: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes of like GPUs. `inter_node_bandwidth`: a GPU's bytes a second to other nodes; `share`s are those reached."""

    gpu: Gpu
    share: float
    gpus_per_node: int
    inter_node_bandwidth: float
    link_share: float


@dataclass(frozen=True, slots=True)
class StepTime:
    """Seconds of one optimizer step, by what takes them."""

    products: float
    optimizer: float
    communication: float

    @property
    def total(self) -> float:
        """All of it, one after the other."""
        return self.products + self.optimizer + self.communication


def llama_shape(
    *,
    layers: int,
    hidden: int,
    inner: int,
    query: int,
    key: int,
    vocabulary: int,
    rank: int = 0,
    four_bits: bool = False,
) -> ModelShape:
    """A bf16 model of these widths whose embeddings are no part of its head; `rank` 0 trains all of it.

    Norms and biases are left out: less than a thousandth.
    """
    products = (
        (hidden, query),
        (hidden, key),
        (hidden, key),
        (query, hidden),
        *2 * ((hidden, inner),),
        (inner, hidden),
    )
    linear = layers * sum(into * out for into, out in products)
    adapter = layers * rank * sum(into + out for into, out in products)
    head = hidden * vocabulary
    parameters = linear + 2 * head + adapter
    return ModelShape(
        layers, hidden, inner, query, key, vocabulary, parameters, linear,
        trained=adapter or parameters, largest_layer=max(head, linear // layers),
        bytes_each=2, trained_bytes=4 if rank else 2, rank=rank, four_bits=four_bits,
    )  # fmt: skip


def operations(shape: ModelShape, work: Work, *, recompute: bool) -> float:
    """Floating-point operations of one step on one GPU.

    Attention is 4 operations a pair and unit of width forward and 8 backward, whatever is trained.
    """
    forwards_again = 1 if recompute else 0
    head = shape.hidden * shape.vocabulary
    weights = (4 if shape.is_lora else 6) * (shape.linear * work.tokens + head * work.scored)
    recomputed = 2 * forwards_again * shape.linear * work.tokens
    adapter = (6 + 2 * forwards_again) * (shape.trained if shape.is_lora else 0) * work.tokens
    attention = (12 + 4 * forwards_again) * shape.layers * shape.query * work.pairs
    return weights + recomputed + adapter + attention


def bytes_sent(shape: ModelShape, *, engine: str, gpus: int) -> float:
    """Bytes that each GPU sends in a step of one micro-batch; as many arrive.

    Gradients are reduce-scattered, then gathered as gradients (DDP) or new weights (ZeRO-2): 2 a trained weight.
    ZeRO-3 and FSDP2 gather every weight, frozen ones too, once forward and once backward, and reduce-scatter gradients.
    """
    gradients = shape.trained * shape.trained_bytes
    gathered = 2 * (shape.frozen_bytes + gradients) if engine in SHARDED_WEIGHTS else gradients
    return (gathered + gradients) * (gpus - 1) / gpus


def step_time(shape: ModelShape, work: Work, cluster: Cluster, *, recompute: bool, engine: str, gpus: int) -> StepTime:
    """Seconds of a step of one micro-batch of `work` on each of the GPUs."""
    link = cluster.gpu.intra_node_bandwidth if gpus <= cluster.gpus_per_node else cluster.inter_node_bandwidth
    own = shape.trained / (gpus if engine in SHARDED_STATE else 1)
    return StepTime(
        products=operations(shape, work, recompute=recompute) / (cluster.gpu.peak * cluster.share),
        optimizer=own * ADAM_TRAFFIC / cluster.gpu.memory_bandwidth,
        communication=bytes_sent(shape, engine=engine, gpus=gpus) / (link * cluster.link_share),
    )
