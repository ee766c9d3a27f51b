"""A run that is asked to leave (SIGTERM of a node that is taken away, Ctrl-C) saves first, on all processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from accelerate.utils import gather
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from pipeline.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# A terminal sends Ctrl-C to the launcher and to its processes, and the launcher sends it on: that is one Ctrl-C.
SAME_SECONDS = 1.0
LAUNCHER_PATIENCE = 30  # seconds until torchrun and accelerate launch kill what they asked to leave


class LeaveCallback(TrainerCallback):  # type: ignore[misc]
    """Saves at the end of the step in which any process was asked to leave, and raises `Stopped` once it is saved.

    A signal may reach one process alone, and others at another step: so all ask one another at the end of each step.
    """

    def __init__(self, log: Callable[[str], None], *, is_main: bool) -> None:
        self.log = log
        self.is_main = is_main
        self.asked = 0  # the signal that this process got
        self.agreed = 0  # the signal that any process got by the end of the step
        self._since = 0.0

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Remember the signal; a second Ctrl-C is not waited for."""
        if not self.asked:
            self.asked, self._since = number, time.monotonic()
            if self.is_main:
                os.write(2, _announcement(number).encode())  # a handler may interrupt a print, and must not print
        elif number == signal.SIGINT and time.monotonic() - self._since > SAME_SECONDS:
            raise KeyboardInterrupt

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Agree, and have it saved; at an epoch's end not before what is due there."""
        if args.world_size == 1:
            self.agreed = self.asked
        else:
            self.agreed = int(gather(torch.tensor([self.asked], device=args.device)).max())
        if self.agreed and not _more_is_due(args, state):
            control.should_save = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Have it saved with what was due."""
        if self.agreed:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Leave, if that is why it was saved."""
        if self.agreed:
            self.log(
                f"saved checkpoint-{state.global_step} and left, as {signal.Signals(self.agreed).name} asked; "
                "run the same command again to go on"
            )
            raise Stopped(self.agreed)


def _more_is_due(args: TrainingArguments, state: TrainerState) -> bool:
    """Whether the epoch ends here, and with it an evaluation or a checkpoint is due."""
    by_epoch = args.eval_strategy == IntervalStrategy.EPOCH or args.save_strategy == SaveStrategy.EPOCH
    return by_epoch and float(state.epoch or 0).is_integer()


def _announcement(number: int) -> str:
    name = signal.Signals(number).name
    words = f"\n{name}: this step is finished and saved, then the run leaves"
    if number == signal.SIGINT:
        return f"{words}; press Ctrl-C again to leave at once\n"
    return (
        f"{words}. A launcher that was itself asked to leave waits {LAUNCHER_PATIENCE} s for it: if a step and its "
        "saving take longer, the run goes on from the checkpoint before\n"
    )


@contextmanager
def leaving_on_signals(callback: LeaveCallback) -> Iterator[None]:
    """The signals ask the callback, and afterwards do what they did before."""
    before = {number: signal.signal(number, callback.ask) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
