"""Heartbeats: each process says that it is alive, and ends with advice when it hears nothing of another one."""

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

BEAT = 2.0  # seconds between two heartbeats, at most
LEAVING = 20.0  # seconds that an exchange with the store may still take: Python must not end while a thread is in it
MISSED = 4  # so many beats not heard: the one to name, if one process is the reason
RESUME_ADVICE = (
    "then give the same command again: it goes on from the last checkpoint. If the pause was meant, "
    "set a longer `ddp_timeout` in the recipe"
)


class Heartbeat:
    """This process's heartbeat to the others, and theirs to it.

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
        """No more heartbeats: the run is over."""
        self._over.set()
        for thread in self._threads:
            thread.join(LEAVING)

    def silent(self, seconds: float) -> list[int]:
        """The ranks of which nothing has been heard for that long."""
        now = time.monotonic()
        return [other for other, heard in self._heard.items() if now - heard > seconds]

    def diagnose(self, error: Exception) -> tuple[str, str]:
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
                self._store.set(f"heartbeat/{self.rank}", str(number))
                known = [other for other in others if self._store.check([f"heartbeat/{other}"])]
                beats = self._store.multi_get([f"heartbeat/{other}" for other in known])
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
                        fix=f"look at what it printed last, and whether its machine can be reached; {RESUME_ADVICE}",
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


def is_connection_error(error: RuntimeError) -> bool:
    """Whether an error is about the processes' connections, not about what they compute."""
    return isinstance(error, DistError) or "gloo" in str(error)


def report_to_torchrun(error: UnderstudyError) -> None:
    """torchrun, which accelerate launches with, ends its own long report with this error and its advice.

    It is recorded by torchelastic's error handler, which does nothing where no torchrun asked for it. The handler takes
    the traceback of what is being handled, so the error is raised anew, without its cause.
    """
    where, what, fix = error.parts
    try:
        raise UnderstudyError(where, what, fix=fix) from None  # noqa: TRY301 - only to be handled
    except UnderstudyError as handled:
        get_error_handler().record_exception(handled)
