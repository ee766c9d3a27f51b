"""Commands that are run to their end, and runs that are started, hit and started again; also for `make soak`.

`python -m` commands, launchers and the processes of these are forks of an interpreter with all imports done (see
`forkserver`), unless `fresh` is asked for.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import yaml

from pipeline.runs.checkpoints import list_complete_checkpoints, list_incomplete_checkpoints
from tests.conftest import ROOT
from tests.forkserver import ForkedProcess, forking_python

BIN = Path(sys.executable).parent
MODULE = [sys.executable, "-m"]
TORCHRUN = [str(BIN / "torchrun"), "--standalone", "--nproc_per_node", "2", "-m"]
LAUNCHERS = {TORCHRUN[0]: "torch.distributed.run", str(BIN / "accelerate"): "accelerate.commands.accelerate_cli"}
PATIENCE = 300.0  # seconds; what takes longer hangs
# Processes that compute beside each other leave each other a core; and sums in another order are other bits.
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
# Read by an interpreter once, so that a fork cannot differ.
IMPORTED = ("PYTHONPATH", "PYTHONHASHSEED", "OMP_NUM_THREADS", "HF_HUB_OFFLINE")

Process = subprocess.Popen[bytes] | ForkedProcess


def start(
    command: Sequence[str], stdout: Path, stderr: Path, *, fresh: bool = False, variables: dict[str, str] | None = None
) -> Process:
    """The command, started in the repository's root in a session of its own; it appends what it says to the files."""
    environment = os.environ | ENVIRONMENT | (variables or {})
    forks = not fresh and not set(variables or {}) & set(IMPORTED)
    if forks and command[0] in LAUNCHERS:
        command = [*MODULE, LAUNCHERS[command[0]], *command[1:]]
        environment["PYTHON_EXEC"] = forking_python()  # torchrun's, and so accelerate's
    if forks and list(command[:2]) == MODULE:
        return ForkedProcess(command[2:], environment=environment, folder=ROOT, stdout=stdout, stderr=stderr)
    with stdout.open("ab") as out, stderr.open("ab") as err:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )


def run(
    *command: str, fresh: bool = False, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What the command said and how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = Path(folder) / "stdout", Path(folder) / "stderr"
        process = start(command, stdout, stderr, fresh=fresh, variables=environment)
        try:
            code = process.wait(PATIENCE)
        finally:
            process.kill()
        said = [file.read_text(encoding="utf-8", errors="replace") for file in (stdout, stderr)]
    return subprocess.CompletedProcess(command, code, *said)


def succeeded(*command: str, **options: Any) -> str:
    """What a command printed that ended well."""
    done = run(*command, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def train(recipe: Path, *overrides: str, **options: Any) -> str:
    """What a training of the recipe printed, by one process and to its end."""
    return succeeded(*MODULE, "pipeline.train", "--config", str(recipe), *overrides, **options)


def adapter_of(folder: Path) -> dict[str, Any]:
    """The tensors that a run saved."""
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


class Run:
    """A started run, its launcher and its processes, with what it has said so far in a file."""

    def __init__(self, command: Sequence[str], log: Path, **options: Any) -> None:
        self.log = log
        self.launcher = start(command, log, log, **options)

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, happened: Callable[[], Any]) -> bool:
        """Whether it happened before the run ended."""
        began = time.monotonic()
        while not happened():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.launcher.wait(0.005)  # meanwhile the core is left to those who compute
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

    def end(self, within: float = PATIENCE) -> int:
        """Its exit code, once it has ended."""
        return self.launcher.wait(within)


def command(engine: str, recipe: Path, out: Path, *overrides: str) -> list[str]:
    """The command that trains the recipe under an engine: one, ddp, zero2 or zero3 (the latter on two processes)."""
    arguments = ["-m", "pipeline.train", "--config", str(recipe), "--output_dir", str(out), *overrides]
    if engine == "one":
        return [sys.executable, *arguments]
    if engine == "ddp":  # accelerate starts one process where a CPU configuration asks for two; torchrun starts two
        return [*TORCHRUN, *arguments[1:]]
    config = yaml.safe_load((ROOT / "accelerate_configs" / f"{engine}.yaml").read_text(encoding="utf-8"))
    file = recipe.with_name(f"{engine}.yaml")
    file.write_text(yaml.safe_dump(config | {"num_processes": 2, "use_cpu": True}), encoding="utf-8")
    return [str(BIN / "accelerate"), "launch", "--config_file", str(file), *arguments]


def distance(one: Path, other: Path) -> float:
    """The largest relative difference between two adapters' tensors; 0 if they are the same, bit for bit."""
    first, second = adapter_of(one), adapter_of(other)
    assert first.keys() == second.keys()
    return max(float((second[name] - first[name]).norm() / first[name].norm().clamp(min=1e-12)) for name in first)


def checkpoints_of(folder: Path) -> tuple[list[str], list[str]]:
    """Names of a run's complete and of its incomplete checkpoints."""
    return [path.name for path in list_complete_checkpoints(folder)], [
        path.name for path in list_incomplete_checkpoints(folder)
    ]
