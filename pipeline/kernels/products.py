"""Matrix products in float32 on a CPU, by oneDNN where it is the faster of the two libraries in torch.

torch hands them to MKL, which is the slower on CPUs that are not Intel's (docs/log.md has figures). The operator that
asks for oneDNN is the one that torch.compile puts in place of a linear layer; it has no public name. So it is used only
where it exists and gives the same product; all else goes through torch's own matmul.
"""

from __future__ import annotations

import functools
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")


def matmul(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`x W` for x `[n, k]` and W `[k, m]`, which may be a transposed view."""
    if x.dtype == weight.dtype == torch.float32 and x.device.type == "cpu" and _is_dense(weight) and uses_onednn():
        return _by_onednn(x, weight.t())
    return x @ weight


@functools.cache
def uses_onednn() -> bool:
    """Whether `matmul` uses oneDNN. Nothing is timed for it: a resumed run must end in the same bits."""
    has_both = torch.backends.mkldnn.is_available() and torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    if not (has_both and _is_amd()):
        return False
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(shape, generator=generator) for shape in ((5, 32), (32, 48)))
    try:
        found = [_by_onednn(x, one) for one in (weight.t(), weight.t().contiguous())]
    except (AttributeError, RuntimeError, TypeError):  # another torch, without it or with another signature
        return False
    return all(torch.allclose(one, x @ weight, rtol=1e-4, atol=1e-4) for one in found)


def _by_onednn(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`x W^T`, both without gaps in memory: with them oneDNN would take hundreds of times as long."""
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x.contiguous(), weight, None, "none", [], "")
    return result


def _is_dense(weight: torch.Tensor) -> bool:
    return weight.is_contiguous() or weight.t().is_contiguous()


def _is_amd() -> bool:
    return CPU_INFO.exists() and "AuthenticAMD" in CPU_INFO.read_text(encoding="utf-8", errors="replace")
