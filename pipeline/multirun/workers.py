"""Members trained in processes of their own, one after another or several at once; a failure stops no other."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.multirun.members import Member

LOG_FOLDER = "logs"
TAIL_BYTES = 1 << 14  # of a log, in which the error is looked for


@dataclass(frozen=True, slots=True)
class Outcome:
    """A member's training: its seconds, 0 if it was trained before, and its error, if it failed."""

    member: Member
    seconds: float
    error: str | None


def worker_environments(jobs: int | None, gpus: Sequence[str], cores: int) -> list[dict[str, str]]:
    """The environment of each worker: a GPU of its own, one after another, or else its share of the cores."""
    if gpus:
        return [{"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} for number in range(jobs or len(gpus))]
    count = jobs or 1
    return [{"OMP_NUM_THREADS": str(max(1, cores // count))} if count > 1 else {} for _ in range(count)]


def visible_gpus(environment: Mapping[str, str], count: int) -> list[str]:
    """The names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them."""
    named = [name.strip() for name in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return (named or [str(number) for number in range(count)])[:count]


def train_all(
    members: Sequence[Member],
    workers: Sequence[Mapping[str, str]],
    overrides: Sequence[str],
    folder: Path,
    *,
    is_done: Callable[[Member], bool],
    on_outcome: Callable[[Outcome, int], None],
) -> list[Outcome]:
    """Every member's outcome, in their order. One for which `is_done` holds is left as it is.

    `on_outcome` is called with each outcome as it comes, and how many there are by then. What a training prints goes
    into a log of its own below `folder`, and to the terminal too where there is only one worker.
    """
    free: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
    for worker in workers:
        free.put(worker)

    def train(member: Member) -> Outcome:
        began = time.monotonic()
        if is_done(member):
            return Outcome(member, 0.0, None)
        worker = free.get()
        try:
            error = run_training(member, worker, overrides, folder / LOG_FOLDER, show=len(workers) == 1)
        finally:
            free.put(worker)
        return Outcome(member, time.monotonic() - began, error)

    outcomes = []
    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            for future in as_completed([pool.submit(train, member) for member in members]):
                outcomes.append(future.result())
                on_outcome(outcomes[-1], len(outcomes))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C reaches the trainings by itself
            raise
    order = {member.name: number for number, member in enumerate(members)}
    return sorted(outcomes, key=lambda outcome: order[outcome.member.name])


def run_training(
    member: Member, environment: Mapping[str, str], overrides: Sequence[str], logs: Path, *, show: bool
) -> str | None:
    """Train the member in a process of its own; gives the error that it ended with, None if it is trained.

    A training whose parent has exited stops at its next print, by a broken pipe: two never write into one folder.
    """
    logs.mkdir(parents=True, exist_ok=True)
    path = logs / f"{member.folder.name}.log"
    command = [sys.executable, "-m", "pipeline.train", "--config", str(member.recipe), *overrides]
    variables = os.environ | {"PYTHONUNBUFFERED": "1"} | dict(environment)
    with (
        path.open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables) as process,  # noqa: S603
    ):
        for piece in iter(lambda: _read(process.stdout), b""):
            log.write(piece)
            log.flush()
            if show:
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
    return None if process.returncode == 0 else last_error(path, process.returncode)


def last_error(log: Path, code: int) -> str:
    """The error that a training ended with, from its log, in one line."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        tail = file.read().decode("utf-8", errors="replace")
    lines = [line.strip() for line in tail.replace("\r", "\n").split("\n") if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if errors:
        return errors[-1]
    if code < 0:
        return f"ended by signal {-code} ({log})"
    return f"{lines[-1] if lines else f'exit code {code}'} ({log})"


def _read(stream: IO[bytes] | None) -> bytes:
    return os.read(stream.fileno(), TAIL_BYTES) if stream else b""
