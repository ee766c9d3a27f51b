"""A run that receives SIGTERM (its node is reclaimed) or Ctrl-C saves a checkpoint on all processes, and stops."""

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
REPEAT_WINDOW = 1.0  # seconds
LAUNCHER_GRACE_PERIOD = 30  # seconds from torchrun's and accelerate launch's SIGTERM to their SIGKILL


class StopOnSignalCallback(TrainerCallback):  # type: ignore[misc]
    """Saves at the end of the step in which any process received a signal, and raises `Stopped` once it is saved.

    A signal may reach one process alone, or others at another step: so all exchange what they received after each step.
    """

    def __init__(self, log: Callable[[str], None], *, is_main: bool) -> None:
        self.log = log
        self.is_main = is_main
        self.received = 0  # the signal that this process received; 0 is none
        self.received_by_any = 0  # the signal that any process had received by the end of the step
        self._received_at = 0.0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Remember the signal; a second Ctrl-C ends the process at once."""
        if not self.received:
            self.received, self._received_at = number, time.monotonic()
            if self.is_main:
                os.write(2, _announcement(number).encode())  # a handler may interrupt a print, and must not print
        elif number == signal.SIGINT and time.monotonic() - self._received_at > REPEAT_WINDOW:
            raise KeyboardInterrupt

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """All processes know of the signal, and save; at an epoch's end only after what else is due there."""
        if args.world_size == 1:
            self.received_by_any = self.received
        else:
            self.received_by_any = int(gather(torch.tensor([self.received], device=args.device)).max())
        if self.received_by_any and not _due_at_epoch_end(args, state):
            control.should_save = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Save, after the evaluation that was due."""
        if self.received_by_any:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Stop, if a signal is why it was saved."""
        if self.received_by_any:
            self.log(
                f"saved checkpoint-{state.global_step} and stopped, on {signal.Signals(self.received_by_any).name}; "
                "run the same command again to resume"
            )
            raise Stopped(self.received_by_any)


def _due_at_epoch_end(args: TrainingArguments, state: TrainerState) -> bool:
    """Whether the epoch ends here, and with it an evaluation or a checkpoint is due."""
    by_epoch = args.eval_strategy == IntervalStrategy.EPOCH or args.save_strategy == SaveStrategy.EPOCH
    return by_epoch and float(state.epoch or 0).is_integer()


def _announcement(number: int) -> str:
    name = signal.Signals(number).name
    notice = f"\n{name}: this step is finished and a checkpoint saved, then the run stops"
    if number == signal.SIGINT:
        return f"{notice}; press Ctrl-C again to stop at once\n"
    return (
        f"{notice}. A launcher that received it too waits {LAUNCHER_GRACE_PERIOD} s: if the step and its "
        "checkpoint take longer, the run resumes from the checkpoint before\n"
    )


@contextmanager
def handling_signals(callback: StopOnSignalCallback) -> Iterator[None]:
    """The signals reach the callback; afterwards the handlers of before are back."""
    before = {number: signal.signal(number, callback.receive) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
