"""LoRA's forward and backward without a pass over memory that is no matrix product.

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
    """How many LoRA layers of the model compute fused from now on: those that are nothing but W, A and B.

    The rest (dropout, DoRA, quantised weights) stays as it was. Parameters must be whole: not for ZeRO-3 or FSDP.
    """
    plain = [module for module in model.modules() if type(module) is LoraLinear and is_plain(module)]
    for module in plain:
        module.forward = functools.partial(_forward, module)
    return len(plain)


def is_plain(module: Any) -> bool:
    """Whether a LoRA layer is nothing but a frozen W, A and B."""
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


def is_alone(module: Any, x: torch.Tensor) -> bool:
    """Whether the layer computes W and its one adapter now, in the precision of W: nothing is switched off or mixed."""
    return (
        module.active_adapters == [ADAPTER]
        and not (module.disable_adapters or module.merged)
        and x.dtype == module.get_base_layer().weight.dtype
        and not torch.is_autocast_enabled(x.device.type)
    )


def _forward(module: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """The layer's output; peft's own where its adapter is switched off, merged, or mixed with others."""
    base = module.get_base_layer()
    if args or kwargs or not is_alone(module, x):
        return LoraLinear.forward(module, x, *args, **kwargs)  # type: ignore[no-any-return]
    down, up = module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight
    scaling = module.scaling[ADAPTER]
    result: torch.Tensor = _LoraProduct.apply(x, base.weight, base.bias, down, up, scaling)  # type: ignore[no-untyped-call]
    return result


class _LoraProduct(torch.autograd.Function):
    """`x W^T + bias + scaling x A^T B^T` for a frozen W `[out, in]` with A `[r, in]` and B `[out, r]`."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes them by position
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scaling: float,
    ) -> torch.Tensor:
        flat = x.flatten(0, -2)
        low = matmul(flat, down.t().to(x.dtype))
        result = matmul(flat, weight.t())
        if bias is not None:
            result += bias
        result.addmm_(low, up.t().to(x.dtype), alpha=scaling)
        ctx.save_for_backward(flat, low, weight, down, up)
        ctx.scaling = scaling
        return result.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, low, weight, down, up = ctx.saved_tensors
        grad_flat = grad_output.flatten(0, -2)
        grad_low = matmul(grad_flat, up.to(flat.dtype)).mul_(ctx.scaling)
        grad_down = matmul(grad_low.t(), flat).to(down.dtype)
        grad_up = (grad_flat.t() @ low).mul_(ctx.scaling).to(up.dtype)
        if not ctx.needs_input_grad[0]:
            return None, None, None, grad_down, grad_up, None
        grad_x = matmul(grad_flat, weight)
        grad_x.addmm_(grad_low, down.to(flat.dtype))
        return grad_x.view(*grad_output.shape[:-1], -1), None, None, grad_down, grad_up, None
