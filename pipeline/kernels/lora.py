"""LoRA linear layers whose forward and backward pass over memory only in matrix products.

peft computes `W x + lora_B(lora_A(x)) * scaling` in five steps, three of which only read and write activations; with a
base in bfloat16 and an adapter in float32 it also converts each input and keeps the copy for the backward. On a CPU
that costs as much as a tenth of the products. Here the two small products are added into the large one's result.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch.autograd.function import once_differentiable

from pipeline.kernels.products import matmul

ADAPTER = "default"  # peft's name of the only adapter of a run


def fuse_lora(model: torch.nn.Module) -> int:
    """The model's vanilla LoRA layers compute fused from now on; returns how many they are.

    The rest (dropout, DoRA, quantised weights) stays as it was. Parameters must not be sharded: not for ZeRO-3 or FSDP.
    """
    vanilla = [module for module in model.modules() if type(module) is LoraLinear and is_vanilla_lora(module)]
    for module in vanilla:
        module.forward = functools.partial(_fused_forward, module)
    return len(vanilla)


def is_vanilla_lora(module: Any) -> bool:
    """Whether a LoRA layer is a frozen `Linear` with the one adapter, and has no variant, dropout or bias in it."""
    base = module.get_base_layer()
    return (
        type(base) is torch.nn.Linear
        and not base.weight.requires_grad
        and list(module.lora_A) == [ADAPTER]
        and not module.lora_variant
        and isinstance(module.lora_dropout[ADAPTER], torch.nn.Identity)
        and module.lora_A[ADAPTER].bias is None
        and module.lora_B[ADAPTER].bias is None
    )


def is_adapter_active(module: Any, x: torch.Tensor) -> bool:
    """Whether the default adapter alone is active, not merged or disabled, and x has the dtype of the base layer."""
    return (
        module.active_adapters == [ADAPTER]
        and not (module.disable_adapters or module.merged)
        and x.dtype == module.get_base_layer().weight.dtype
        and not torch.is_autocast_enabled(x.device.type)
    )


def _fused_forward(module: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """The layer's output, by peft's own forward where the adapter is disabled, merged, or one of several."""
    base = module.get_base_layer()
    if args or kwargs or not is_adapter_active(module, x):
        return LoraLinear.forward(module, x, *args, **kwargs)  # type: ignore[no-any-return]
    lora_A, lora_B = module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight
    scaling = module.scaling[ADAPTER]
    result: torch.Tensor = _FusedLoraLinear.apply(x, base.weight, base.bias, lora_A, lora_B, scaling)  # type: ignore[no-untyped-call]
    return result


class _FusedLoraLinear(torch.autograd.Function):
    """`x W^T + bias + scaling x A^T B^T` for a frozen W `[out, in]` with lora_A `[r, in]` and lora_B `[out, r]`."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes them by position
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        lora_A: torch.Tensor,
        lora_B: torch.Tensor,
        scaling: float,
    ) -> torch.Tensor:
        flat = x.flatten(0, -2)
        low_rank = matmul(flat, lora_A.t().to(x.dtype))
        result = matmul(flat, weight.t())
        if bias is not None:
            result += bias
        result.addmm_(low_rank, lora_B.t().to(x.dtype), alpha=scaling)
        ctx.save_for_backward(flat, low_rank, weight, lora_A, lora_B)
        ctx.scaling = scaling
        return result.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, low_rank, weight, lora_A, lora_B = ctx.saved_tensors
        grad_flat = grad_output.flatten(0, -2)
        grad_low_rank = matmul(grad_flat, lora_B.to(flat.dtype)).mul_(ctx.scaling)
        grad_lora_A = matmul(grad_low_rank.t(), flat).to(lora_A.dtype)
        grad_lora_B = (grad_flat.t() @ low_rank).mul_(ctx.scaling).to(lora_B.dtype)
        if not ctx.needs_input_grad[0]:
            return None, None, None, grad_lora_A, grad_lora_B, None
        grad_x = matmul(grad_flat, weight)
        grad_x.addmm_(grad_low_rank, lora_A.to(flat.dtype))
        return grad_x.view(*grad_output.shape[:-1], -1), None, None, grad_lora_A, grad_lora_B, None
