"""How long processes wait for each other: a step's own deadline, and a longer one around steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from torch.distributed.distributed_c10d import _world
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

LONG_WORK = 1800  # seconds, torch's own default


def set_collective_timeout(seconds: float) -> None:
    """From now on, an exchange between processes fails if a process has been waiting in it for that long."""
    for group in _world.pg_map:  # the engines make groups of their own
        group.set_timeout(timedelta(seconds=seconds))


class StepDeadline(TrainerCallback):  # type: ignore[misc]
    """Within steps a process waits for another up to `seconds`; around them, and for what follows a step, LONG_WORK."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The first step, in which everything is compiled and connected, has ended."""
        follows = control.should_save or control.should_evaluate
        set_collective_timeout(max(LONG_WORK, self.seconds) if follows else self.seconds)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """An epoch's end may be the time to save or to evaluate."""
        self.on_step_end(args, state, control)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The last save follows."""
        set_collective_timeout(max(LONG_WORK, self.seconds))
