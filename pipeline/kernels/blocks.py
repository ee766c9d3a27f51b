"""Gated MLPs and RMS norms of a LoRA run on a CPU, in fewer passes over memory and with fewer activations kept.

Both are told by what they compute, not by their names: a block is exchanged only if it gives the model's own result on
a few random tokens. So a norm that adds one to its weight, or an MLP with another activation, stays as it was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch.autograd.function import once_differentiable
from torch.nn.functional import silu

from pipeline.kernels.lora import ADAPTER, is_alone, is_plain
from pipeline.kernels.products import matmul

Forward = Callable[[Any, torch.Tensor], torch.Tensor]
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 0.03}  # of the largest value, between two orders of rounding


def fuse_blocks(model: torch.nn.Module) -> tuple[int, int]:
    """How many gated MLPs and how many RMS norms of the model compute fused from now on.

    Parameters must be whole, as for `fuse_lora`.
    """
    modules: list[Any] = list(model.modules())
    mlps = [_exchange(one, _mlp, into=one.gate_proj.base_layer.in_features) for one in modules if _is_gated(one)]
    norms = [_exchange(one, _norm, into=len(one.weight)) for one in modules if _is_norm(one)]
    return sum(mlps), sum(norms)


def _exchange(module: Any, forward: Forward, *, into: int) -> bool:
    """Whether `forward` computes what the module does, and is its forward from now on."""
    weight = next(module.parameters())
    x = torch.randn(3, into, dtype=weight.dtype, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        own, fused = module(x), forward(module, x)
    same = float((own - fused).abs().max()) <= TOLERANCE.get(own.dtype, 0.0) * float(own.abs().max())
    if same:
        module.forward = functools.partial(forward, module)
    return same


def _is_gated(module: Any) -> bool:
    names = {"gate_proj", "up_proj", "down_proj"}
    children = dict(module.named_children())
    return names <= children.keys() and all(
        type(children[name]) is LoraLinear and is_plain(children[name]) and children[name].base_layer.bias is None
        for name in names
    )


def _is_norm(module: Any) -> bool:
    """Whether it looks like a frozen RMS norm in float32: one weight, `variance_epsilon`, nothing within."""
    return (
        "variance_epsilon" in vars(module)
        and [name for name, _ in module.named_parameters()] == ["weight"]
        and module.weight.dtype == torch.float32
        and not module.weight.requires_grad
    )


def _norm(module: Any, x: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = _RmsNorm.apply(x, module.weight, module.variance_epsilon)  # type: ignore[no-untyped-call]
    return result


class _RmsNorm(torch.autograd.Function):
    """`x / sqrt(mean(x^2) + epsilon) * weight` over the last dimension, for a frozen weight."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        inverse = norm.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        result: torch.Tensor = (x * inverse).mul_(weight)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        # With u = grad_output * weight and s = 1 / rms: s u - s^3 x mean(u x)
        x, weight, inverse = ctx.saved_tensors
        scaled = grad_output * weight
        mean = torch.linalg.vecdot(scaled, x)[..., None].div_(x.shape[-1])
        return scaled.mul_(inverse).addcmul_(x, mean.mul_(inverse**3), value=-1), None, None


def _mlp(module: Any, x: torch.Tensor) -> torch.Tensor:
    """The block's output; its own parts' where an adapter is switched off or a precision is changed underway."""
    parts = (module.gate_proj, module.up_proj, module.down_proj)
    if not all(is_alone(part, x) for part in parts):
        return type(module).forward(module, x)  # type: ignore[no-any-return]
    weights = [
        weight
        for part in parts
        for weight in (part.base_layer.weight, part.lora_A[ADAPTER].weight, part.lora_B[ADAPTER].weight)
    ]
    scaling = tuple(part.scaling[ADAPTER] for part in parts)
    result: torch.Tensor = _GatedMlp.apply(x, scaling, *weights)  # type: ignore[no-untyped-call]
    return result


class _GatedMlp(torch.autograd.Function):
    """`down(silu(gate(x)) * up(x))`, each of the three a frozen W `[out, in]` with LoRA's A `[r, in]`, B `[out, r]`.

    Gate and up are kept for the backward, their product is computed again: it is one pass over memory, and would be a
    third of what the block keeps. A's of gate and up are one product, as they read the same x.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scaling: tuple[float, float, float], *weights: torch.Tensor) -> torch.Tensor:
        w_gate, a_gate, b_gate, w_up, a_up, b_up, w_down, a_down, b_down = weights
        flat = x.flatten(0, -2)
        low = matmul(flat, torch.cat([a_gate, a_up]).t().to(x.dtype))
        low_gate, low_up = torch.split(low, [len(a_gate), len(a_up)], dim=1)
        gate = _add_low(matmul(flat, w_gate.t()), low_gate, b_gate, scaling[0])
        up = _add_low(matmul(flat, w_up.t()), low_up, b_up, scaling[1])
        hidden = silu(gate).mul_(up)
        low_down = matmul(hidden, a_down.t().to(x.dtype))
        result = _add_low(matmul(hidden, w_down.t()), low_down, b_down, scaling[2])
        ctx.save_for_backward(flat, low, gate, up, low_down, *weights)
        ctx.scaling = scaling
        return result.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, low, gate, up, low_down, *weights = ctx.saved_tensors
        w_gate, a_gate, b_gate, w_up, a_up, b_up, w_down, a_down, b_down = weights
        kind = flat.dtype
        grad_result = grad_output.flatten(0, -2)
        active = silu(gate)
        hidden = active * up
        grad_low_down = matmul(grad_result, b_down.to(kind)).mul_(ctx.scaling[2])
        grad_a_down, grad_b_down = matmul(grad_low_down.t(), hidden), (grad_result.t() @ low_down).mul_(ctx.scaling[2])
        grad_hidden = matmul(grad_result, w_down).addmm_(grad_low_down, a_down.to(kind))
        grad_up = active.mul_(grad_hidden)
        grad_gate = torch.ops.aten.silu_backward(grad_hidden.mul_(up), gate)

        ranks = [len(a_gate), len(a_up)]
        low_gate, low_up = torch.split(low, ranks, dim=1)
        grad_low_gate = matmul(grad_gate, b_gate.to(kind)).mul_(ctx.scaling[0])
        grad_low_up = matmul(grad_up, b_up.to(kind)).mul_(ctx.scaling[1])
        grad_low = torch.cat([grad_low_gate, grad_low_up], dim=1)
        grad_a_gate, grad_a_up = torch.split(matmul(grad_low.t(), flat), ranks)
        grad_b_gate = (grad_gate.t() @ low_gate).mul_(ctx.scaling[0])
        grad_b_up = (grad_up.t() @ low_up).mul_(ctx.scaling[1])
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = matmul(grad_gate, w_gate).add_(matmul(grad_up, w_up))
            grad_x = grad_x.addmm_(grad_low, torch.cat([a_gate, a_up]).to(kind)).view(*grad_output.shape[:-1], -1)
        trained = (a_gate, grad_a_gate, grad_b_gate), (a_up, grad_a_up, grad_b_up), (a_down, grad_a_down, grad_b_down)
        by_part = [(None, to_a.to(a.dtype), to_b.to(a.dtype)) for a, to_a, to_b in trained]
        return grad_x, None, *(one for part in by_part for one in part)


def _add_low(result: torch.Tensor, low: torch.Tensor, up: torch.Tensor, scaling: float) -> torch.Tensor:
    """`result`, with `scaling low up^T` added in place."""
    return result.addmm_(low, up.t().to(result.dtype), alpha=scaling)
