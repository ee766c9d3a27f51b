"""Runs of the line that are started, hit and started again; for the tests and for `make soak`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import yaml

from pipeline.runs.checkpoints import complete_checkpoints, incomplete_checkpoints
from tests.conftest import ROOT

BIN = Path(sys.executable).parent
PATIENCE = 300.0  # seconds; what takes longer hangs


class Run:
    """A started run, its launcher and its processes, with what it has said so far in a file."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        variables = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
        with log.open("w", encoding="utf-8") as file:
            self.launcher = subprocess.Popen(
                command, cwd=ROOT, env=variables, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, happened: Callable[[], Any]) -> bool:
        """Whether it happened before the run ended."""
        began = time.monotonic()
        while not happened():
            if self.launcher.poll() is not None:
                return bool(happened())
            assert time.monotonic() - began < PATIENCE, self.said[-3000:]
        return True

    def process(self, rank: int) -> psutil.Process:
        """The process of that rank; the launcher itself where there is but one."""
        for child in psutil.Process(self.launcher.pid).children(recursive=True):
            if child.environ().get("RANK") == str(rank):
                return child
        return psutil.Process(self.launcher.pid)

    def kill(self) -> None:
        """As a machine that loses its power: launcher and processes at once, without a word."""
        everyone = []
        with contextlib.suppress(psutil.NoSuchProcess):  # it has come to its end
            launcher = psutil.Process(self.launcher.pid)
            everyone = [launcher, *launcher.children(recursive=True)]  # torchrun gives each a session of its own
        for process in everyone:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.launcher.wait(PATIENCE)
        psutil.wait_procs(everyone, PATIENCE)

    def end(self) -> int:
        """Its exit code, once it has ended."""
        return self.launcher.wait(PATIENCE)


def command(engine: str, recipe: Path, out: Path, *overrides: str) -> list[str]:
    """The command that trains the recipe under an engine: one, ddp, zero2 or zero3 (the latter on two processes)."""
    arguments = ["-m", "pipeline.train", "--config", str(recipe), "--output_dir", str(out), *overrides]
    if engine == "one":
        return [sys.executable, *arguments]
    if engine == "ddp":  # accelerate starts one process where a CPU configuration asks for two; torchrun starts two
        return [str(BIN / "torchrun"), "--standalone", "--nproc_per_node", "2", *arguments]
    config = yaml.safe_load((ROOT / "accelerate_configs" / f"{engine}.yaml").read_text(encoding="utf-8"))
    file = recipe.with_name(f"{engine}.yaml")
    file.write_text(yaml.safe_dump(config | {"num_processes": 2, "use_cpu": True}), encoding="utf-8")
    return [str(BIN / "accelerate"), "launch", "--config_file", str(file), *arguments]


def distance(one: Path, other: Path) -> float:
    """The largest relative difference between two adapters' tensors; 0 if they are the same, bit for bit."""
    from safetensors.torch import load_file

    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (one, other))
    assert first.keys() == second.keys()
    return max(float((second[name] - first[name]).norm() / first[name].norm().clamp(min=1e-12)) for name in first)


def checkpoints_of(folder: Path) -> tuple[list[str], list[str]]:
    """Names of a run's whole and of its broken checkpoints."""
    return [path.name for path in complete_checkpoints(folder)], [path.name for path in incomplete_checkpoints(folder)]
