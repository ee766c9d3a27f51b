"""Which precision this machine computes fastest in, found by measuring."""

from __future__ import annotations

import time

import torch

# Below this, what bfloat16 loses elsewhere (elementwise work, conversions) outweighs what its matrix products gain.
MIN_SPEEDUP = 1.5
_SIZE, _REPEATS, _ROUNDS = 768, 3, 3


def is_bfloat16_faster() -> bool:
    """Whether this CPU multiplies bfloat16 matrices at least 1.5 times as fast as float32 ones (a tenth of a second).

    Processors with bfloat16 instructions do it two to three times as fast; others emulate it, and are slower.
    """
    single, half = _seconds(torch.float32), _seconds(torch.bfloat16)
    return single > MIN_SPEEDUP * half


def _seconds(dtype: torch.dtype) -> float:
    """The best time of a few rounds of matrix products."""
    left, right = torch.ones(_SIZE, _SIZE, dtype=dtype), torch.ones(_SIZE, _SIZE, dtype=dtype)
    times = []
    for _ in range(_ROUNDS + 1):  # the first one warms up
        began = time.perf_counter()
        for _ in range(_REPEATS):
            torch.mm(left, right)
        times.append(time.perf_counter() - began)
    return min(times[1:])
