"""Several processes as one run: they meet, wait for each other as long as makes sense, and end together, with advice.

torch by itself waits half an hour for a process that is gone, and then does not say which one it was. Here each process
gives a sign of life in the store through which the processes met; whoever hears nothing of another one says so and
ends. A process that is alive but busy is given longer: within steps `ddp_timeout`, elsewhere (reading files, loading
and saving a model, the first step, which compiles) half an hour.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from torch.distributed import DistError, PrefixStore, Store  # type: ignore[attr-defined]
from torch.distributed.distributed_c10d import _set_pg_timeout, _world
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.errors import UnderstudyError

DDP_TIMEOUT = 100  # seconds: how long a step may wait for a process that is alive
# How much of that a process may be silent, or late to come. torchrun takes 30 seconds more to end one that is stopped,
# so that either ends the run within two minutes.
SILENCE = 0.6
LONG_WORK = 1800  # seconds, torch's own default
BEAT = 2.0  # seconds between two signs of life, at most
LEAVING = 20.0  # seconds that an exchange with the store may still take: Python must not end while a thread is in it
MISSED = 4  # so many beats not heard: the one to name, if somebody is to blame
AGAIN = (
    "then give the same command again: it goes on from the last checkpoint. If the pause was meant, "
    "set a longer `ddp_timeout` in the recipe"
)

ONE_OF_SEVERAL = (
    "this is one process by itself: accelerate starts no more on a CPU with --cpu. "
    "For several, leave --cpu out, or use `torchrun --nproc_per_node N -m pipeline.train ...`"
)


@contextmanager
def joined(seconds: float, *, use_cpu: bool) -> Iterator[bool]:
    """The processes that a launcher started are one run until the block is left; one process is a run by itself.

    Gives whether they compute on CPUs: because `use_cpu` says so, or because several processes found nothing else.

    Raises:
        UnderstudyError: they cannot meet, or something parted them: who is gone, and what to do.
    """
    try:
        if processes_of(os.environ) == 1:
            if started_one_of_several(os.environ):
                sys.stderr.write(f"note: {ONE_OF_SEVERAL}\n")
            yield use_cpu
            return
        use_cpu = use_cpu or _nothing_but_cpus()
        if not use_cpu:
            _check_gpus(int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.accelerator.device_count())
        store = _meet(os.environ, SILENCE * seconds)
        pulse = Pulse(store, int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), SILENCE * seconds)
        try:
            PartialState(cpu=use_cpu, timeout=timedelta(seconds=seconds))
            wait_up_to(max(LONG_WORK, seconds))
            yield use_cpu
        except RuntimeError as error:
            if not parted(error):
                raise
            where, what = pulse.blame(error)
            raise UnderstudyError(where, what, fix=f"look at what it printed last; {AGAIN}") from error
        finally:
            pulse.stop()
    except UnderstudyError as error:
        report_to_torchrun(error)
        raise


def processes_of(environment: Mapping[str, str]) -> int:
    """How many processes the launcher says there are.

    Raises:
        UnderstudyError: its variables contradict each other.
    """
    world, rank = int(environment.get("WORLD_SIZE", 1)), int(environment.get("RANK", 0))
    if rank >= world or (world > 1 and not {"RANK", "MASTER_ADDR", "MASTER_PORT"} <= environment.keys()):
        told = {name: environment.get(name) for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")}
        raise UnderstudyError(
            "environment",
            f"has {', '.join(f'{name}={value}' for name, value in told.items())}",
            fix="start with `accelerate launch` or `torchrun`, which set them all; RANK is less than WORLD_SIZE",
        )
    return world


def started_one_of_several(environment: Mapping[str, str]) -> bool:
    """Whether accelerate was asked for several processes on CPUs: then it names a meeting place, and starts one."""
    on_cpu = environment.get("ACCELERATE_USE_CPU", "").lower() == "true"
    return on_cpu and "MASTER_ADDR" in environment and "WORLD_SIZE" not in environment


def seconds_of(ddp_timeout: object) -> float:
    """A recipe's `ddp_timeout`; the default where it says nothing, or what the check of the recipe will refuse."""
    try:
        return float(str(ddp_timeout))
    except ValueError:
        return DDP_TIMEOUT


def _nothing_but_cpus() -> bool:
    """Whether no device here can exchange with others; then accelerate would have each process train for itself."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator is None or accelerator.type == "mps"


def _check_gpus(processes: int, gpus: int) -> None:
    """One process a GPU.

    Raises:
        UnderstudyError: there are more processes on this machine than GPUs.
    """
    if processes > gpus:
        raise UnderstudyError(
            socket.gethostname(),
            f"has {gpus} GPUs, and {processes} processes were started on it",
            fix=f"launch with --num_processes {gpus} for each machine of this kind, which is one process a GPU",
        )


def _meet(environment: Mapping[str, str], seconds: float) -> Store:
    """The store through which all processes have met.

    Raises:
        UnderstudyError: some did not come, or they do not agree on how many they are.
    """
    rank, world = int(environment["RANK"]), int(environment["WORLD_SIZE"])
    place = f"{environment['MASTER_ADDR']}:{environment['MASTER_PORT']}"
    patience = timedelta(seconds=seconds)
    looking = patience if rank == 0 else patience * 2 / 3  # torch looks for rank 0 twice
    try:
        common, _, _ = next(torch.distributed.rendezvous("env://", timeout=looking))  # type: ignore[attr-defined]
    except RuntimeError as error:
        raise _no_meeting(str(error), rank, world, place, seconds) from error
    store = PrefixStore(f"understudy/{environment.get('TORCHELASTIC_RESTART_COUNT', 0)}", common)
    if store.add(f"came/{rank}", 1) > 1:
        raise UnderstudyError(
            f"rank {rank} of {world}", "is there twice", fix="give each machine its own --machine_rank"
        )
    store.set(f"says/{rank}", str(world))
    others = [f"says/{other}" for other in range(world)]
    try:
        store.wait(others, patience)
    except RuntimeError as error:
        absent = [other for other in range(world) if not _is_there(store, f"says/{other}")]
        raise _missing([0] if rank in absent else absent, rank, world, place, seconds) from error
    said = sorted({int(number) for number in store.multi_get(others)})
    if len(said) > 1:
        raise UnderstudyError(
            f"rank {rank} of {world}",
            f"and the others were started for different numbers of processes: {' and '.join(map(str, said))}",
            fix="give every machine the same --num_processes (all processes of all machines) and --num_machines",
        )
    return store


def _is_there(store: Store, key: str) -> bool:
    try:
        return store.check([key])
    except RuntimeError:  # the store itself is gone
        return False


def _no_meeting(complaint: str, rank: int, world: int, place: str, seconds: float) -> UnderstudyError:
    if "EADDRINUSE" in complaint:
        return UnderstudyError(
            place, "is in use by another program", fix="choose a free port: --main_process_port 29501 on every machine"
        )
    if "clients joined" in complaint:
        return _missing((), rank, world, place, seconds)
    return UnderstudyError(
        f"rank {rank} of {world}",
        f"cannot reach rank 0 at {place} ({complaint.splitlines()[0]})",
        fix="start the machine of rank 0 too, and see that --main_process_ip and --main_process_port are the same "
        "everywhere and no firewall is between",
    )


def _missing(absent: Sequence[int], rank: int, world: int, place: str, seconds: float) -> UnderstudyError:
    who = f"rank {', '.join(map(str, absent))}" if absent else "the others"
    return UnderstudyError(
        f"rank {rank} of {world}",
        f"waited {seconds:g} s at {place}, and {who} did not come",
        fix="start every machine within that time, with the same --num_machines, --num_processes, --main_process_ip "
        "and --main_process_port, and its own --machine_rank; or set a longer `ddp_timeout` in the recipe",
    )


def wait_up_to(seconds: float) -> None:
    """From now on, an exchange between processes fails if a process has been waiting in it for that long."""
    for group in _world.pg_map:  # the engines make groups of their own
        _set_pg_timeout(timedelta(seconds=seconds), group)


class StepDeadline(TrainerCallback):  # type: ignore[misc]
    """Within steps a process waits for another up to `seconds`; around them, and for what follows a step, LONG_WORK."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The first step, in which everything is compiled and connected, has ended."""
        follows = control.should_save or control.should_evaluate
        wait_up_to(max(LONG_WORK, self.seconds) if follows else self.seconds)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """An epoch's end may be the time to save or to evaluate."""
        self.on_step_end(args, state, control)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The last save follows."""
        wait_up_to(max(LONG_WORK, self.seconds))


class Pulse:
    """This process's sign of life to the others, and theirs to it.

    If nothing is heard of another one for `seconds`, the process ends, with advice: the main thread may then be deep in
    an exchange that nothing interrupts. One thread talks to the store and may be stuck in that, another one watches.
    """

    def __init__(self, store: Store, rank: int, world: int, seconds: float) -> None:
        self.rank, self.world, self.seconds = rank, world, seconds
        self.beat = min(BEAT, seconds / 10)
        self._store = store
        self._heard = dict.fromkeys((other for other in range(world) if other != rank), time.monotonic())
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._talk, self._watch)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more signs of life: the run is over."""
        self._over.set()
        for thread in self._threads:
            thread.join(LEAVING)

    def silent(self, seconds: float) -> list[int]:
        """The ranks of which nothing has been heard for that long."""
        now = time.monotonic()
        return [other for other, heard in self._heard.items() if now - heard > seconds]

    def blame(self, error: Exception) -> tuple[str, str]:
        """Where and what: which process is the reason why an exchange failed, as far as can be told."""
        where, first = f"rank {self.rank} of {self.world}", str(error).strip().split("\n", 1)[0]
        said = re.sub(r"^\[\S+\] ", "", first).split(". ", 1)[0]  # without the place in gloo's source
        if silent := self.silent(MISSED * self.beat):
            return where, f"{_is_gone(silent)} ({said})"
        if "imed out" in said:
            return where, f"waited for another process, which is alive but does something else ({said})"
        return where, f"lost another process: it has ended, or its machine cannot be reached ({said})"

    def _talk(self) -> None:
        number = 0
        last: dict[int, bytes] = {}
        others = list(self._heard)
        while not self._over.wait(self.beat):
            number += 1
            try:
                self._store.set(f"pulse/{self.rank}", str(number))
                known = [other for other in others if self._store.check([f"pulse/{other}"])]
                beats = self._store.multi_get([f"pulse/{other}" for other in known])
            except RuntimeError:  # no news, as if nobody had spoken
                continue
            for other, heard in zip(known, beats, strict=True):
                if last.get(other) != heard:
                    last[other], self._heard[other] = heard, time.monotonic()

    def _watch(self) -> None:
        while not self._over.wait(self.beat):
            if silent := self.silent(self.seconds):
                _end(
                    UnderstudyError(
                        f"rank {self.rank} of {self.world}",
                        f"{_is_gone(silent)}, for {self.seconds:g} s",
                        fix=f"look at what it printed last, and whether its machine can be reached; {AGAIN}",
                    )
                )


def _is_gone(silent: Sequence[int]) -> str:
    return f"hears nothing of rank {', '.join(map(str, silent))}: it hangs, is stopped or gone"


def _end(error: UnderstudyError) -> None:
    """Say it, and end this process, whatever its main thread is in."""
    report_to_torchrun(error)
    sys.stdout.flush()
    sys.stderr.write(f"error: {error}\n")
    sys.stderr.flush()
    os._exit(2)


def parted(error: RuntimeError) -> bool:
    """Whether an error is about the processes' connections, not about what they compute."""
    return isinstance(error, DistError) or "gloo" in str(error)


def report_to_torchrun(error: UnderstudyError) -> None:
    """torchrun, which accelerate launches with, ends its own long report with the paragraph that matters."""
    if path := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        text, now = f"error: {error}", str(int(time.time()))
        content = {"message": {"message": text, "extraInfo": {"py_callstack": text, "timestamp": now}}}
        Path(path).write_text(json.dumps(content), encoding="utf-8")
