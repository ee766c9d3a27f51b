"""What an installation has, and what is wrong with it, before any recipe."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from pipeline.capacity.checks import check_private_names, check_versions
from pipeline.capacity.findings import GIB, Finding, gib
from pipeline.home import understudy_home
from pipeline.models.embedded import is_embedded_ready
from pipeline.models.threads import usable_cores

OLDEST_PYTHON = (3, 11)
LITTLE_DISK, LITTLE_MEMORY = 2 * GIB, 4 * GIB  # the demo's checkpoints and model; its training with all libraries
PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "deepspeed")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the checks look at: `gpu_tool` is the driver's own program, where a driver is installed."""

    python: tuple[int, int]
    gpus: int
    gpu_tool: str | None
    cuda_build: bool
    free_disk: Mapping[Path, int]
    memory: int
    cores: int
    threads: str | None


def this_machine(folder: Path) -> Machine:
    """The machine that this runs on, `folder` being where runs would be written."""
    home = understudy_home()
    existing = next(path for path in (home, *home.parents) if path.exists())
    return Machine(
        python=(sys.version_info.major, sys.version_info.minor),
        gpus=torch.cuda.device_count(),
        gpu_tool=shutil.which("nvidia-smi"),
        cuda_build=torch.version.cuda is not None or torch.version.hip is not None,
        free_disk={path: shutil.disk_usage(path).free for path in (folder, existing)},
        memory=psutil.virtual_memory().total,
        cores=usable_cores(),
        threads=os.environ.get("OMP_NUM_THREADS"),
    )


def describe(machine: Machine) -> Iterator[str]:
    """The machine, line by line."""
    versions = (f"{name} {importlib.metadata.version(name)}" for name in PACKAGES if _is_installed(name))
    yield f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield f"packages: {', '.join(versions)}"
    yield f"{machine.cores} cores, {gib(machine.memory)} of memory, GPUs: {machine.gpus or 'none'}"
    yield from (f"{gib(free)} free at {path}" for path, free in machine.free_disk.items())
    ready = "is there" if is_embedded_ready() else "is fetched from PyPI when it is first used"
    yield f"embedded model: {ready} ({understudy_home()})"


def check_installation(machine: Machine) -> list[Finding]:
    """What is wrong with the installation."""
    return [*check_versions(()), *check_private_names(), *check_cache(understudy_home()), *check_machine(machine)]


def check_machine(machine: Machine) -> Iterator[Finding]:
    """What the machine lacks, or hides from torch."""
    if machine.python < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        yield Finding("Python", f"is older than {wanted}", f"install Python {wanted} or newer, and Understudy with it")
    if machine.gpu_tool and not machine.gpus:
        if machine.cuda_build:
            what, fix = "sees no GPU, though an NVIDIA driver is here", "run nvidia-smi, and see CUDA_VISIBLE_DEVICES"
        else:
            what, fix = "is a build for CPUs, though an NVIDIA driver is here", "install torch's build for your CUDA"
        yield Finding("torch", what, fix, fatal=False)
    for path, free in machine.free_disk.items():
        if free < LITTLE_DISK:
            yield Finding(str(path), f"has {gib(free)} left", "free some, or run in another folder", fatal=False)
    if machine.memory < LITTLE_MEMORY:
        yield Finding(
            "memory", f"is {gib(machine.memory)}", "expect `preflight` to advise smaller batches", fatal=False
        )
    if machine.threads == "1" and machine.cores > 1 and not machine.gpus:
        yield Finding(
            "OMP_NUM_THREADS", f"is 1 on {machine.cores} cores", "unset it: training on a CPU takes longer", fatal=False
        )


def check_cache(home: Path) -> Iterator[Finding]:
    """Whether the program's cache can be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        yield Finding(str(home), f"cannot be written ({error.strerror})", "set UNDERSTUDY_HOME to a folder that can be")


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
