"""Jobs in processes of their own, one after another or several at once; one that fails stops no other."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import torch

from pipeline.errors import UnderstudyError
from pipeline.models.threads import usable_cores
from pipeline.terminal import duration

LOG_FOLDER = "logs"  # of what each job printed
TAIL_BYTES = 1 << 14  # of a log, in which the error is looked for


@dataclass(frozen=True, slots=True)
class Job:
    """Commands that are run one after another, while none fails; what they print goes into `log`.

    Each command is taken when those before it have ended.
    """

    name: str
    commands: Iterable[Sequence[str]]
    log: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job took, in seconds, and its error, if it failed."""

    name: str
    seconds: float
    error: str | None


def local_workers(jobs: int | None, *, on_gpus: bool = True) -> list[dict[str, str]]:
    """The environments of this machine's workers; not `on_gpus`, each job may use all GPUs.

    Raises:
        UnderstudyError: see `worker_environments`.
    """
    gpus = visible_gpus(os.environ, torch.cuda.device_count()) if on_gpus else []
    return worker_environments(jobs, gpus, usable_cores())


def worker_environments(jobs: int | None, gpus: Sequence[str], cores: int) -> list[dict[str, str]]:
    """The environment of each worker: a GPU of its own, one after another, or else its share of the cores.

    Raises:
        UnderstudyError: `jobs` is less than one.
    """
    if jobs is not None and jobs < 1:
        raise UnderstudyError("--jobs", f"is {jobs}", fix="give 1 or more")
    if gpus:
        return [{"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} for number in range(jobs or len(gpus))]
    count = jobs or 1
    return [{"OMP_NUM_THREADS": str(max(1, cores // count))} if count > 1 else {} for _ in range(count)]


def visible_gpus(environment: Mapping[str, str], count: int) -> list[str]:
    """The names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them."""
    named = [name.strip() for name in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return (named or [str(number) for number in range(count)])[:count]


def run_jobs(
    jobs: Sequence[Job], workers: Sequence[Mapping[str, str]], *, on_outcome: Callable[[Outcome, int], None]
) -> list[Outcome]:
    """Every job's outcome, in their order; each worker is the environment of one job at a time.

    `on_outcome` is called with each outcome as it comes, and how many there are by then. Where there is only one
    worker, what its jobs print is shown in the terminal too.
    """
    free: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
    for worker in workers:
        free.put(worker)

    def do(job: Job) -> Outcome:
        worker = free.get()
        began = time.monotonic()
        try:
            error = run_job(job, worker, show=len(workers) == 1)
        finally:
            free.put(worker)
        return Outcome(job.name, time.monotonic() - began, error)

    outcomes = []
    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            for future in as_completed([pool.submit(do, job) for job in jobs]):
                outcomes.append(future.result())
                on_outcome(outcomes[-1], len(outcomes))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C reaches the jobs by itself
            raise
    order = {job.name: number for number, job in enumerate(jobs)}
    return sorted(outcomes, key=lambda outcome: order[outcome.name])


def outcome_line(outcome: Outcome, place: int, total: int, began: float, done: str) -> str:
    """`[2 of 6, 8 min 4 s so far] NAME:`, and its error, or what was `done`; `began` is of `time.monotonic`."""
    so_far = f"[{place} of {total}, {duration(time.monotonic() - began)} so far]"
    return f"{so_far} {outcome.name}: {outcome.error or done}"


def run_job(job: Job, environment: Mapping[str, str], *, show: bool) -> str | None:
    """Run the job's commands; gives the error that one ended with, None if all did what they should.

    A training whose parent has exited stops at its next print, by a broken pipe: two never write into one folder.
    """
    job.log.parent.mkdir(parents=True, exist_ok=True)
    variables = os.environ | {"PYTHONUNBUFFERED": "1"} | dict(environment)
    with job.log.open("wb") as log:
        for command in job.commands:
            code = _run(command, variables, log, show=show)
            if code != 0:
                return last_error(job.log, code)
    return None


def last_error(log: Path, code: int) -> str:
    """The error that a job ended with, from its log, in one line."""
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


def _run(command: Sequence[str], variables: Mapping[str, str], log: IO[bytes], *, show: bool) -> int:
    """The exit code of a command, once all that it printed is in the log."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables) as process:  # noqa: S603
        for piece in iter(lambda: _read(process.stdout), b""):
            log.write(piece)
            log.flush()
            if show:
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
    return process.returncode


def _read(stream: IO[bytes] | None) -> bytes:
    return os.read(stream.fileno(), TAIL_BYTES) if stream else b""
