"""How long processes wait for each other in a collective: one timeout within steps, and a longer one around them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from torch.distributed.distributed_c10d import _world
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

LONG_TIMEOUT = 1800  # seconds, torch's own default


def set_collective_timeout(seconds: float) -> None:
    """From now on a collective (a gather, a reduce ...) fails in which a process has waited for that many seconds."""
    for group in _world.pg_map:  # the engines make process groups of their own
        group.set_timeout(timedelta(seconds=seconds))


class StepDeadline(TrainerCallback):  # type: ignore[misc]
    """The collective timeout is `seconds` within steps, and LONG_TIMEOUT around them: for saving and evaluating."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """`seconds` apply from the first step's end on (it compiles and connects), unless a checkpoint follows."""
        follows = control.should_save or control.should_evaluate
        set_collective_timeout(max(LONG_TIMEOUT, self.seconds) if follows else self.seconds)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The longer timeout applies if a checkpoint or an evaluation follows."""
        self.on_step_end(args, state, control)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The longer timeout applies to the last save."""
        set_collective_timeout(max(LONG_TIMEOUT, self.seconds))
