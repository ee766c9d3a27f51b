"""Heartbeats: each process shows that it is alive, and exits with advice when another one's heartbeat stays away."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Sequence

from torch.distributed import DistError, Store  # type: ignore[attr-defined]
from torch.distributed.elastic.multiprocessing.errors import get_error_handler

from pipeline.errors import UnderstudyError

HEARTBEAT_INTERVAL = 2.0  # seconds between two heartbeats, at most
JOIN_TIMEOUT = 20.0  # seconds that a call of the store may still take: Python must not end while a thread is in it
MISSED_HEARTBEATS = 4  # after so many, a process is named as the reason of a failed collective
RESUME_ADVICE = (
    "then run the same command again: it resumes from the last checkpoint. If the pause was meant, "
    "set a longer `ddp_timeout` in the recipe"
)


class Heartbeat:
    """This process's heartbeat to the other ranks, and the time of their last one.

    After `seconds` without one from another rank the process exits, with advice: its main thread may then be deep in a
    collective that nothing interrupts. One thread exchanges heartbeats through the store, and may be stuck in that;
    another one monitors them.
    """

    def __init__(self, store: Store, rank: int, world: int, seconds: float) -> None:
        self.rank, self.world, self.seconds = rank, world, seconds
        self.interval = min(HEARTBEAT_INTERVAL, seconds / 10)
        self._store = store
        self._last_seen = dict.fromkeys((other for other in range(world) if other != rank), time.monotonic())
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in (self._exchange, self._monitor)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more heartbeats: the run is over."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(JOIN_TIMEOUT)

    def silent_ranks(self, seconds: float) -> list[int]:
        """The ranks whose last heartbeat is longer ago than that."""
        now = time.monotonic()
        return [other for other, seen in self._last_seen.items() if now - seen > seconds]

    def diagnose(self, error: Exception) -> tuple[str, str]:
        """An error's "where" and "what": which process is why a collective failed, as far as is known."""
        where, first = f"rank {self.rank} of {self.world}", str(error).strip().split("\n", 1)[0]
        cause = re.sub(r"^\[\S+\] ", "", first).split(". ", 1)[0]  # without the place in gloo's source
        if silent := self.silent_ranks(MISSED_HEARTBEATS * self.interval):
            what = _no_heartbeat_from(silent)
        elif "imed out" in cause:
            what = "timed out waiting for another process, which is alive but busy with something else"
        else:
            what = "lost the connection to another process: it has exited, or its machine is unreachable"
        return where, f"{what} ({cause})"

    def _exchange(self) -> None:
        number = 0
        last: dict[int, bytes] = {}
        others = list(self._last_seen)
        while not self._stopped.wait(self.interval):
            number += 1
            try:
                self._store.set(f"heartbeat/{self.rank}", str(number))
                known = [other for other in others if self._store.check([f"heartbeat/{other}"])]
                counts = self._store.multi_get([f"heartbeat/{other}" for other in known])
            except RuntimeError:  # nothing received, as if nobody had sent anything
                continue
            for other, count in zip(known, counts, strict=True):
                if last.get(other) != count:
                    last[other], self._last_seen[other] = count, time.monotonic()

    def _monitor(self) -> None:
        while not self._stopped.wait(self.interval):
            if silent := self.silent_ranks(self.seconds):
                _exit_with(
                    UnderstudyError(
                        f"rank {self.rank} of {self.world}",
                        f"{_no_heartbeat_from(silent)}, for {self.seconds:g} s",
                        fix=f"look at what it printed last, and whether its machine can be reached; {RESUME_ADVICE}",
                    )
                )


def _no_heartbeat_from(silent: Sequence[int]) -> str:
    return f"receives no heartbeat from rank {', '.join(map(str, silent))}: it hangs, is stopped or gone"


def _exit_with(error: UnderstudyError) -> None:
    """The error is printed and this process has exited with code 2, whatever its main thread is in."""
    report_to_torchrun(error)
    sys.stdout.flush()
    sys.stderr.write(f"error: {error}\n")
    sys.stderr.flush()
    os._exit(2)


def is_connection_error(error: RuntimeError) -> bool:
    """Whether an error is about the processes' connections, not about what they compute."""
    return isinstance(error, DistError) or "gloo" in str(error)


def report_to_torchrun(error: UnderstudyError) -> None:
    """The report of torchrun, by which accelerate launches, ends with this error and its advice.

    It is recorded by torchelastic's error handler, which does nothing where no torchrun asked for it. The handler takes
    the traceback of what is being handled, so the error is raised again, without its cause.
    """
    where, what, fix = error.parts
    try:
        raise UnderstudyError(where, what, fix=fix) from None  # noqa: TRY301 - only to be handled
    except UnderstudyError as handled:
        get_error_handler().record_exception(handled)
