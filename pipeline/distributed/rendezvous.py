"""Several processes as one run: they meet before anything is loaded, and end together, with advice.

torch by itself waits half an hour for a process that is gone, and then does not say which one it was. Here processes
meet in a store; each sends a heartbeat there (`heartbeat`), and whoever hears nothing of another one says so and ends.
A process that is alive but busy is given longer: within steps `ddp_timeout`, elsewhere (reading files, loading and
saving a model, the first step, which compiles) half an hour (`deadlines`).
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import PartialState
from torch.distributed import PrefixStore, Store  # type: ignore[attr-defined]

from pipeline.distributed.deadlines import LONG_WORK, set_collective_timeout
from pipeline.distributed.heartbeat import RESUME_ADVICE, Heartbeat, is_connection_error, report_to_torchrun
from pipeline.errors import UnderstudyError

DDP_TIMEOUT = 100  # seconds: how long a step may wait for a process that is alive
# How much of that a process may be silent, or late to come. torchrun takes 30 seconds more to end one that is stopped,
# so that either ends the run within two minutes.
SILENCE = 0.6
ONE_OF_SEVERAL = (
    "this is one process by itself: accelerate starts no more on a CPU with --cpu. "
    "For several, leave --cpu out, or use `torchrun --nproc_per_node N -m pipeline.train ...`"
)


@contextmanager
def process_group(timeout: float, *, use_cpu: bool) -> Iterator[bool]:
    """The processes that a launcher started are one run until the block is left; one process is a run by itself.

    `timeout` is the recipe's `ddp_timeout` in seconds.

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
        store = _meet(os.environ, SILENCE * timeout)
        heartbeat = Heartbeat(store, int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), SILENCE * timeout)
        try:
            PartialState(cpu=use_cpu, timeout=timedelta(seconds=timeout))
            set_collective_timeout(max(LONG_WORK, timeout))
            yield use_cpu
        except RuntimeError as error:
            if not is_connection_error(error):
                raise
            where, what = heartbeat.diagnose(error)
            raise UnderstudyError(where, what, fix=f"look at what it printed last; {RESUME_ADVICE}") from error
        finally:
            heartbeat.stop()
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


def parse_timeout(ddp_timeout: object) -> float:
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
