"""How many threads a process computes with. Imports nothing heavy by itself."""

from __future__ import annotations

import os
from collections.abc import Mapping

# accelerate and torchrun set OMP_NUM_THREADS to 1 where the user set nothing: right beside GPUs, a waste without.
LAUNCHERS = ("ACCELERATE_MIXED_PRECISION", "TORCHELASTIC_RUN_ID")


def threads_for(environment: Mapping[str, str], cores: int) -> int | None:
    """How many threads each of this machine's processes should use, or None to keep what the user or torch chose."""
    launched = any(name in environment for name in LAUNCHERS)
    if not launched or environment.get("OMP_NUM_THREADS", "1") != "1":
        return None
    return max(1, cores // int(environment.get("LOCAL_WORLD_SIZE", "1")))


def usable_cores() -> int:
    """How many physical cores of this machine the process may use."""
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, psutil.cpu_count(logical=False) or usable)


def use_all_cores() -> None:
    """This machine's physical cores are divided among its processes, where a launcher set each to a single thread."""
    import torch

    threads = threads_for(os.environ, usable_cores())
    if threads is not None:
        torch.set_num_threads(threads)
