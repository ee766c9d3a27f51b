"""Gated MLPs and RMS norms of a LoRA run on a CPU, in fewer passes over memory and with fewer activations kept.

Both are recognised by what they compute, not by their names: a block's forward is replaced only if that gives the
model's own result on a few random tokens. So a norm that adds one to its weight or an MLP with another activation
stays as it was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch.autograd.function import once_differentiable
from torch.nn.functional import silu

from pipeline.kernels.lora import ADAPTER, is_adapter_active, is_vanilla_lora
from pipeline.kernels.products import matmul

Forward = Callable[[Any, torch.Tensor], torch.Tensor]
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 0.03}  # relative to the largest value: for another order of rounding


def fuse_blocks(model: torch.nn.Module) -> tuple[int, int]:
    """The model's gated MLPs and RMS norms compute fused from now on; returns how many of each.

    Parameters must not be sharded, as for `fuse_lora`.
    """
    modules: list[Any] = list(model.modules())
    mlps = [
        _fuse_if_equal(one, _fused_mlp, in_features=one.gate_proj.base_layer.in_features)
        for one in modules
        if _is_gated_mlp(one)
    ]
    norms = [_fuse_if_equal(one, _fused_norm, in_features=len(one.weight)) for one in modules if _is_rms_norm(one)]
    return sum(mlps), sum(norms)


def _fuse_if_equal(module: Any, forward: Forward, *, in_features: int) -> bool:
    """The module's forward is `forward` from now on if it computes the same; returns whether it does."""
    weight = next(module.parameters())
    x = torch.randn(3, in_features, dtype=weight.dtype, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        own, fused = module(x), forward(module, x)
    same = float((own - fused).abs().max()) <= TOLERANCE.get(own.dtype, 0.0) * float(own.abs().max())
    if same:
        module.forward = functools.partial(forward, module)
    return same


def _is_gated_mlp(module: Any) -> bool:
    names = {"gate_proj", "up_proj", "down_proj"}
    children = dict(module.named_children())
    return names <= children.keys() and all(
        type(children[name]) is LoraLinear
        and is_vanilla_lora(children[name])
        and children[name].base_layer.bias is None
        for name in names
    )


def _is_rms_norm(module: Any) -> bool:
    """Whether it looks like a frozen RMS norm in float32: one weight, `variance_epsilon`, nothing within."""
    return (
        "variance_epsilon" in vars(module)
        and [name for name, _ in module.named_parameters()] == ["weight"]
        and module.weight.dtype == torch.float32
        and not module.weight.requires_grad
    )


def _fused_norm(module: Any, x: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = _FusedRmsNorm.apply(x, module.weight, module.variance_epsilon)  # type: ignore[no-untyped-call]
    return result


class _FusedRmsNorm(torch.autograd.Function):
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


def _fused_mlp(module: Any, x: torch.Tensor) -> torch.Tensor:
    """The block's output, by its own forward where an adapter is not active or x has another dtype."""
    layers = (module.gate_proj, module.up_proj, module.down_proj)
    if not all(is_adapter_active(layer, x) for layer in layers):
        return type(module).forward(module, x)  # type: ignore[no-any-return]
    weights = [
        weight
        for layer in layers
        for weight in (layer.base_layer.weight, layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight)
    ]
    scaling = tuple(layer.scaling[ADAPTER] for layer in layers)
    result: torch.Tensor = _FusedGatedMlp.apply(x, scaling, *weights)  # type: ignore[no-untyped-call]
    return result


class _FusedGatedMlp(torch.autograd.Function):
    """`down(silu(gate(x)) * up(x))`, each a frozen W `[out, in]` with lora_A `[r, in]` and lora_B `[out, r]`.

    Gate and up are kept for the backward, their product is computed again: it is one pass over memory, and would be a
    third of what the block keeps. Gate's and up's A are one product, as they read the same x.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scaling: tuple[float, float, float], *weights: torch.Tensor) -> torch.Tensor:
        w_gate, A_gate, B_gate, w_up, A_up, B_up, w_down, A_down, B_down = weights
        flat = x.flatten(0, -2)
        low_rank = matmul(flat, torch.cat([A_gate, A_up]).t().to(x.dtype))
        low_rank_gate, low_rank_up = torch.split(low_rank, [len(A_gate), len(A_up)], dim=1)
        gate = _add_lora(matmul(flat, w_gate.t()), low_rank_gate, B_gate, scaling[0])
        up = _add_lora(matmul(flat, w_up.t()), low_rank_up, B_up, scaling[1])
        hidden = silu(gate).mul_(up)
        low_rank_down = matmul(hidden, A_down.t().to(x.dtype))
        result = _add_lora(matmul(hidden, w_down.t()), low_rank_down, B_down, scaling[2])
        ctx.save_for_backward(flat, low_rank, gate, up, low_rank_down, *weights)
        ctx.scaling = scaling
        return result.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, low_rank, gate, up, low_rank_down, *weights = ctx.saved_tensors
        w_gate, A_gate, B_gate, w_up, A_up, B_up, w_down, A_down, B_down = weights
        dtype = flat.dtype
        grad_result = grad_output.flatten(0, -2)
        active = silu(gate)
        hidden = active * up
        grad_low_rank_down = matmul(grad_result, B_down.to(dtype)).mul_(ctx.scaling[2])
        grad_A_down = matmul(grad_low_rank_down.t(), hidden)
        grad_B_down = (grad_result.t() @ low_rank_down).mul_(ctx.scaling[2])
        grad_hidden = matmul(grad_result, w_down).addmm_(grad_low_rank_down, A_down.to(dtype))
        grad_up = active.mul_(grad_hidden)
        grad_gate = torch.ops.aten.silu_backward(grad_hidden.mul_(up), gate)

        ranks = [len(A_gate), len(A_up)]
        low_rank_gate, low_rank_up = torch.split(low_rank, ranks, dim=1)
        grad_low_rank_gate = matmul(grad_gate, B_gate.to(dtype)).mul_(ctx.scaling[0])
        grad_low_rank_up = matmul(grad_up, B_up.to(dtype)).mul_(ctx.scaling[1])
        grad_low_rank = torch.cat([grad_low_rank_gate, grad_low_rank_up], dim=1)
        grad_A_gate, grad_A_up = torch.split(matmul(grad_low_rank.t(), flat), ranks)
        grad_B_gate = (grad_gate.t() @ low_rank_gate).mul_(ctx.scaling[0])
        grad_B_up = (grad_up.t() @ low_rank_up).mul_(ctx.scaling[1])
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = matmul(grad_gate, w_gate).add_(matmul(grad_up, w_up))
            grad_x = grad_x.addmm_(grad_low_rank, torch.cat([A_gate, A_up]).to(dtype)).view(*grad_output.shape[:-1], -1)
        trained = (A_gate, grad_A_gate, grad_B_gate), (A_up, grad_A_up, grad_B_up), (A_down, grad_A_down, grad_B_down)
        by_layer = [(None, grad_A.to(A.dtype), grad_B.to(A.dtype)) for A, grad_A, grad_B in trained]
        return grad_x, None, *(one for layer in by_layer for one in layer)


def _add_lora(result: torch.Tensor, low_rank: torch.Tensor, lora_B: torch.Tensor, scaling: float) -> torch.Tensor:
    """`result`, with `scaling low_rank lora_B^T` added in place."""
    return result.addmm_(low_rank, lora_B.t().to(result.dtype), alpha=scaling)
