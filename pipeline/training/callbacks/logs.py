"""What a run logs while it goes on: progress by kind, and a log file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.runs.logs import append_log, drop_logs_after


class ReadableProgress(ProgressCallback):  # type: ignore[misc]
    """trl's progress bar, with one readable line a log instead of a dictionary."""

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        """Write step, loss and the loss of each kind above the bar; of what is watched too."""
        if not (state.is_world_process_zero and self.training_bar is not None and logs):
            return
        for name, title in (("loss", "loss"), ("eval_loss", "watched: loss")):
            if name in logs:
                kinds = {
                    re.sub("^of_", "of ", key.removeprefix(f"{name}_")): value
                    for key, value in logs.items()
                    if key.startswith(f"{name}_")
                }
                values = ", ".join(f"{kind} {float(value):.3f}" for kind, value in kinds.items())
                self.training_bar.write(
                    f"step {state.global_step}/{state.max_steps}  {title} {float(logs[name]):.3f}  ({values})"
                )


class LogFile(TrainerCallback):  # type: ignore[misc]
    """Keeps every log of the run in its folder; a resumed run goes on where it was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Drop what a run that was cut off logged after the checkpoint from which it goes on."""
        if state.is_world_process_zero:
            drop_logs_after(self.folder, state.global_step)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        """Append the log."""
        if state.is_world_process_zero and logs:
            self.write({"step": state.global_step, **{name: float(value) for name, value in logs.items()}})

    def write(self, log: dict[str, float]) -> None:
        """Append a line."""
        append_log(self.folder, log)
