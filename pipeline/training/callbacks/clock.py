"""What of a run's time goes where, and how long it will take on this machine, told from its first steps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import IntervalStrategy

from pipeline.terminal import duration
from pipeline.training.callbacks.recall import RecallCallback

WARM_UP_STEPS, MEASURED_STEPS = 1, 8  # the first step prepares what all others use
# The parts of a run, in the order in which they are told.
PARTS = {
    "preparing": "records, rows and model",
    "steps": "steps",
    "watching": "recall and held-out lines",
    "saving": "saving and reading back",
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run will take, in seconds: the rest of its training, and a question of its recall (0: none was asked)."""

    training: float
    question: float


class RunClock(TrainerCallback):  # type: ignore[misc]
    """Adds up the seconds of each of `PARTS`, and says after the first steps how long the rest will take.

    The last of the trainer's callbacks, so that what the others do counts where it belongs. `began` is by
    `time.monotonic`. `tell` is called once; `recall` says what a question costs.
    """

    def __init__(self, began: float, tell: Callable[[Outlook], None], recall: RecallCallback | None) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self.tell = tell
        self.recall = recall
        self._since = began
        self._first_step = self._evaluations = 0
        self._steps_began = 0.0

    def mark(self, part: str) -> None:
        """What has passed since the last mark was spent on `part`."""
        now = time.monotonic()
        self.seconds[part] += now - self._since
        self._since = now

    def rounded(self) -> dict[str, float]:
        """The parts' seconds, to a tenth."""
        return {part: round(seconds, 1) for part, seconds in self.seconds.items()}

    def in_words(self) -> str:
        """The parts with their seconds: `5 min 2 s: 4 min 31 s steps, ...`."""
        parts = [f"{duration(self.seconds[part])} {name}" for part, name in PARTS.items()]
        return f"{duration(sum(self.seconds.values()))}: {', '.join(parts)}"

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """All before the first step was preparation."""
        self.mark("preparing")
        self._first_step = state.global_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The batch, its step and the logs; once enough steps are measured, the outlook."""
        self.mark("steps")
        done = state.global_step - self._first_step
        if done == WARM_UP_STEPS:
            self._steps_began = self.seconds["steps"]
        elif done == WARM_UP_STEPS + MEASURED_STEPS and state.global_step < state.max_steps:
            question = self.recall.seconds_a_question if self.recall else 0.0
            self.tell(Outlook(self._rest(args, state), question))

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The evaluation, and the recall that came with it."""
        self.mark("watching")
        self._evaluations += 1

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The checkpoint."""
        self.mark("saving")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The last recall."""
        self.mark("watching")

    def _rest(self, args: TrainingArguments, state: TrainerState) -> float:
        """Seconds of the steps that are left, and of the evaluations among them, as long as those so far."""
        left = state.max_steps - state.global_step
        a_step = (self.seconds["steps"] - self._steps_began) / MEASURED_STEPS
        an_evaluation = self.seconds["watching"] / max(self._evaluations, 1)
        return float(left * a_step + _evaluations_left(args, left, state) * an_evaluation)


def _evaluations_left(args: TrainingArguments, left: int, state: TrainerState) -> int:
    """How many evaluations are to come; whatever their interval is, recall is measured at the end."""
    if args.eval_strategy == IntervalStrategy.STEPS:
        return math.ceil(int(left) / int(state.eval_steps))
    if args.eval_strategy == IntervalStrategy.EPOCH:
        return math.ceil(left * float(args.num_train_epochs) / int(state.max_steps))
    return 0


def until(seconds: float) -> str:
    """`about 5 min, until 14:32`."""
    return f"about {duration(_rounded(seconds))}, until {datetime.now() + timedelta(seconds=seconds):%H:%M}"


def _rounded(seconds: float) -> float:
    """To what an estimate can say: ten seconds."""
    return max(10, round(seconds, -1))
