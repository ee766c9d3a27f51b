"""Several processes as one run: their rendezvous comes before anything is loaded, and they end together, with advice.

torch by itself waits half an hour for a process that has exited, and does not name it then. Here processes rendezvous
in a store; each sends heartbeats through it (`heartbeat`), and one that receives none from another names it and exits.
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

from pipeline.distributed.deadlines import LONG_TIMEOUT, set_collective_timeout
from pipeline.distributed.heartbeat import RESUME_ADVICE, Heartbeat, is_connection_error, report_to_torchrun
from pipeline.errors import UnderstudyError

DDP_TIMEOUT = 100  # seconds: how long a step may wait for a process that is alive
# The share of it that a process may send no heartbeat, or be late for the rendezvous. torchrun takes 30 seconds more to
# kill one that is stopped, so that either ends the run within two minutes.
HEARTBEAT_SHARE = 0.6
SINGLE_PROCESS_NOTE = (
    "this is one process by itself: accelerate starts no more on a CPU with --cpu. "
    "For several, leave --cpu out, or use `torchrun --nproc_per_node N -m pipeline.train ...`"
)


@contextmanager
def process_group(timeout: float, *, use_cpu: bool) -> Iterator[bool]:
    """The processes that a launcher started are one run until the block is left; one process is a run by itself.

    `timeout` is the recipe's `ddp_timeout` in seconds.

    Gives whether they compute on CPUs: by `use_cpu`, or because several processes found no other device.

    Raises:
        UnderstudyError: the rendezvous fails, or a connection is lost later: names the rank, and what to do.
    """
    try:
        if world_size_of(os.environ) == 1:
            if asked_for_several_cpu_processes(os.environ):
                sys.stderr.write(f"note: {SINGLE_PROCESS_NOTE}\n")
            yield use_cpu
            return
        use_cpu = use_cpu or _has_only_cpus()
        if not use_cpu:
            _check_gpus(int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.accelerator.device_count())
        store = _rendezvous(os.environ, HEARTBEAT_SHARE * timeout)
        heartbeat = Heartbeat(store, int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), HEARTBEAT_SHARE * timeout)
        try:
            PartialState(cpu=use_cpu, timeout=timedelta(seconds=timeout))
            set_collective_timeout(max(LONG_TIMEOUT, timeout))
            yield use_cpu
        except RuntimeError as error:
            if not is_connection_error(error):
                raise
            where, what = heartbeat.diagnose(error)
            raise UnderstudyError(where, what, fix=f"look at what it printed last; {RESUME_ADVICE}") from error
        else:
            torch.distributed.destroy_process_group()  # or its threads may still run as the interpreter ends, and abort
        finally:
            heartbeat.stop()
    except UnderstudyError as error:
        report_to_torchrun(error)
        raise


def world_size_of(environment: Mapping[str, str]) -> int:
    """The world size that the launcher announced; 1 without a launcher.

    Raises:
        UnderstudyError: its variables contradict each other.
    """
    world, rank = int(environment.get("WORLD_SIZE", 1)), int(environment.get("RANK", 0))
    if rank >= world or (world > 1 and not {"RANK", "MASTER_ADDR", "MASTER_PORT"} <= environment.keys()):
        given = {name: environment.get(name) for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")}
        raise UnderstudyError(
            "environment",
            f"has {', '.join(f'{name}={value}' for name, value in given.items())}",
            fix="start with `accelerate launch` or `torchrun`, which set them all; RANK is less than WORLD_SIZE",
        )
    return world


def asked_for_several_cpu_processes(environment: Mapping[str, str]) -> bool:
    """Whether accelerate was asked for several processes on CPUs: it then starts one, with a master address."""
    on_cpu = environment.get("ACCELERATE_USE_CPU", "").lower() == "true"
    return on_cpu and "MASTER_ADDR" in environment and "WORLD_SIZE" not in environment


def parse_timeout(ddp_timeout: object) -> float:
    """A recipe's `ddp_timeout`; the default where it says nothing, or what the check of the recipe will refuse."""
    try:
        return float(str(ddp_timeout))
    except ValueError:
        return DDP_TIMEOUT


def _has_only_cpus() -> bool:
    """Whether no accelerator here has collectives; accelerate would then let each process train for itself."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator is None or accelerator.type == "mps"


def _check_gpus(processes: int, gpus: int) -> None:
    """There are at most as many processes on this machine as GPUs.

    Raises:
        UnderstudyError: there are more processes on this machine than GPUs.
    """
    if processes > gpus:
        raise UnderstudyError(
            socket.gethostname(),
            f"has {gpus} GPUs, and {processes} processes were started on it",
            fix=f"launch with --num_processes {gpus} for each machine of this kind, which is one process a GPU",
        )


def _rendezvous(environment: Mapping[str, str], seconds: float) -> Store:
    """The store of the run, once every rank has joined it.

    Raises:
        UnderstudyError: ranks did not connect in time, or their world sizes differ.
    """
    rank, world = int(environment["RANK"]), int(environment["WORLD_SIZE"])
    address = f"{environment['MASTER_ADDR']}:{environment['MASTER_PORT']}"
    timeout = timedelta(seconds=seconds)
    connect_timeout = timeout if rank == 0 else timeout * 2 / 3  # torch tries to reach rank 0 twice
    try:
        common, _, _ = next(torch.distributed.rendezvous("env://", timeout=connect_timeout))  # type: ignore[attr-defined]
    except RuntimeError as error:
        raise _rendezvous_error(str(error), rank, world, address, seconds) from error
    store = PrefixStore(f"understudy/{environment.get('TORCHELASTIC_RESTART_COUNT', 0)}", common)
    if store.add(f"joined/{rank}", 1) > 1:
        raise UnderstudyError(
            f"rank {rank} of {world}", "was started twice", fix="give each machine its own --machine_rank"
        )
    store.set(f"world_size/{rank}", str(world))
    world_size_keys = [f"world_size/{other}" for other in range(world)]
    try:
        store.wait(world_size_keys, timeout)
    except RuntimeError as error:
        absent = [other for other in range(world) if not _has_key(store, f"world_size/{other}")]
        raise _absent_error([0] if rank in absent else absent, rank, world, address, seconds) from error
    world_sizes = sorted({int(number) for number in store.multi_get(world_size_keys)})
    if len(world_sizes) > 1:
        raise UnderstudyError(
            f"rank {rank} of {world}",
            f"and the others were launched with different world sizes: {' and '.join(map(str, world_sizes))}",
            fix="give every machine the same --num_processes (all processes of all machines) and --num_machines",
        )
    return store


def _has_key(store: Store, key: str) -> bool:
    try:
        return store.check([key])
    except RuntimeError:  # the store itself is gone
        return False


def _rendezvous_error(message: str, rank: int, world: int, address: str, seconds: float) -> UnderstudyError:
    if "EADDRINUSE" in message:
        return UnderstudyError(
            address,
            "is in use by another program",
            fix="choose a free port: --main_process_port 29501 on every machine",
        )
    if "clients joined" in message:
        return _absent_error((), rank, world, address, seconds)
    return UnderstudyError(
        f"rank {rank} of {world}",
        f"cannot reach rank 0 at {address} ({message.splitlines()[0]})",
        fix="start the machine of rank 0 too, and see that --main_process_ip and --main_process_port are the same "
        "everywhere and no firewall is between",
    )


def _absent_error(absent: Sequence[int], rank: int, world: int, address: str, seconds: float) -> UnderstudyError:
    who = f"rank {', '.join(map(str, absent))}" if absent else "the others"
    return UnderstudyError(
        f"rank {rank} of {world}",
        f"waited {seconds:g} s at {address}, and {who} did not connect",
        fix="start every machine within that time, with the same --num_machines, --num_processes, --main_process_ip "
        "and --main_process_port, and its own --machine_rank; or set a longer `ddp_timeout` in the recipe",
    )
