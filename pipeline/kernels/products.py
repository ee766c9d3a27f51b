"""Matrix products in float32 on a CPU, by oneDNN where it is the faster of the two libraries in torch.

torch hands them to MKL, which is the slower on some AMD CPUs and the faster on others (docs/log.md has figures). The
operator that asks for oneDNN is the one that torch.compile puts in place of a linear layer; it has no public name. So
it is used only where it exists, gives the same product and was measured to be faster; all else goes through torch's own
matmul.
"""

from __future__ import annotations

import contextlib
import functools
import platform
import time
from pathlib import Path
from typing import Any

import torch

from pipeline.atomic_io import read_json, write_json
from pipeline.home import understudy_home

CPU_INFO = Path("/proc/cpuinfo")
MEASURED_FILE = "products.json"  # whether oneDNN is the faster, by CPU, torch and threads
MIN_GAIN = 1.03  # below it, MKL's higher precision is worth more
TOKENS, ROUNDS = 384, 7
SHAPES = ((576, 576), (576, 1536), (1536, 576))  # of weights: the embedded model's


def matmul(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`x W` for x `[n, k]` and W `[k, m]`, which may be a transposed view."""
    if _is_cpu_float32(x) and _is_cpu_float32(weight) and _is_dense(weight) and uses_onednn():
        return _by_onednn(x, weight.t())
    return x @ weight


def speed_up_linears(model: torch.nn.Module) -> int:
    """The model's linear layers compute by `matmul` where no gradient is asked; returns how many they are.

    None of a model that is not in float32 on a CPU, and none where MKL is the faster.
    """
    linears: list[Any] = [one for one in model.modules() if type(one) is torch.nn.Linear]
    linears = [one for one in linears if _is_cpu_float32(one.weight)]
    if not linears or not uses_onednn():
        return 0
    for linear in linears:
        linear.forward = functools.partial(_forward, linear)
    return len(linears)


def _forward(linear: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """The layer's output, by its own forward where it has to be differentiated or cast."""
    differentiated = torch.is_grad_enabled() and (x.requires_grad or linear.weight.requires_grad)
    if differentiated or torch.is_autocast_enabled(x.device.type):
        return torch.nn.Linear.forward(linear, x)
    output = matmul(x.flatten(0, -2), linear.weight.t()).view(*x.shape[:-1], -1)
    return output if linear.bias is None else output.add_(linear.bias)


@functools.cache
def uses_onednn() -> bool:
    """Whether `matmul` uses oneDNN: measured once for a CPU, in half a second, and kept in the program's cache.

    It is kept because a resumed run must end in the same bits as an uninterrupted one.
    """
    if not _gives_the_same():
        return False
    file, machine = understudy_home() / MEASURED_FILE, _machine()
    known = read_json(file)
    if machine not in known:
        known[machine] = _is_onednn_faster()
        with contextlib.suppress(OSError):  # a cache that cannot be written is measured again
            write_json(file, known)
    return bool(known[machine])


def _gives_the_same() -> bool:
    """Whether this torch has both libraries, and the operator gives torch's product."""
    if not (torch.backends.mkldnn.is_available() and torch.backends.mkl.is_available()):  # type: ignore[no-untyped-call]
        return False
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(shape, generator=generator) for shape in ((5, 32), (32, 48)))
    try:
        found = [_by_onednn(x, one) for one in (weight.t(), weight.t().contiguous())]
    except (AttributeError, RuntimeError, TypeError):  # another torch, without it or with another signature
        return False
    return all(torch.allclose(one, x @ weight, rtol=1e-4, atol=1e-4) for one in found)


def _is_onednn_faster() -> bool:
    """Whether a layer's products, forward and backward, take oneDNN less time: the best of rounds taken by turns."""
    best = dict.fromkeys(("mkl", "onednn"), float("inf"))
    weights = [torch.ones(shape) for shape in SHAPES]
    forward_and_backward = [view for weight in weights for view in (weight, weight.t())]
    inputs = [torch.ones(TOKENS, weight.shape[0]) for weight in forward_and_backward]
    for _ in range(ROUNDS):
        for name, multiply in (("mkl", torch.matmul), ("onednn", lambda x, weight: _by_onednn(x, weight.t()))):
            began = time.perf_counter()
            for x, weight in zip(inputs, forward_and_backward, strict=True):
                multiply(x, weight)
            best[name] = min(best[name], time.perf_counter() - began)
    return best["mkl"] > MIN_GAIN * best["onednn"]


def _machine() -> str:
    """This CPU, torch and number of threads."""
    lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines() if CPU_INFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = f"{names[0] if names else platform.processor()}, {torch.backends.cpu.get_cpu_capability()}"
    return f"{cpu}, torch {torch.__version__}, threads: {torch.get_num_threads()}"


def _by_onednn(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`x W^T`, both without gaps in memory: with them oneDNN would take hundreds of times as long."""
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x.contiguous(), weight, None, "none", [], "")
    return result


def _is_cpu_float32(tensor: torch.Tensor) -> bool:
    return tensor.dtype == torch.float32 and tensor.device.type == "cpu"


def _is_dense(weight: torch.Tensor) -> bool:
    return weight.is_contiguous() or weight.t().is_contiguous()
