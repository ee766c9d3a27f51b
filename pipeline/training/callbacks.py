"""What a run tells while it goes on: progress by kind, a log file, and what is recalled so far."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.conversations.persona import Persona
from pipeline.recall.probes import Probe
from pipeline.recall.scoring import score_probes, summarise

LOG_FILE = "logs.jsonl"
Curve = list[dict[str, float]]


class ReadableProgress(ProgressCallback):  # type: ignore[misc]
    """trl's progress bar, with one readable line a log instead of a dictionary."""

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        """Write step, loss and the loss of each kind above the bar; of held-out lines too, where they were watched."""
        if not (state.is_world_process_zero and self.training_bar is not None and logs):
            return
        for name, title in (("loss", "loss"), ("eval_loss", "held out: loss")):
            if name in logs:
                kinds = {
                    key.removeprefix(f"{name}_"): value for key, value in logs.items() if key.startswith(f"{name}_")
                }
                told = ", ".join(f"{kind} {float(value):.3f}" for kind, value in kinds.items())
                self.training_bar.write(
                    f"step {state.global_step}/{state.max_steps}  {title} {float(logs[name]):.3f}  ({told})"
                )


class LogFile(TrainerCallback):  # type: ignore[misc]
    """Keeps every log of the run in `logs.jsonl`, one JSON object a line; a resumed run goes on where it was."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOG_FILE

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Drop what a run that was cut off logged after the checkpoint from which it goes on."""
        if state.is_world_process_zero:
            kept = (
                [log for log in read_logs(self.path) if log["step"] <= state.global_step] if state.global_step else []
            )
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text("".join(json.dumps(log) + "\n" for log in kept), encoding="utf-8")

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        """Append the log."""
        if state.is_world_process_zero and logs:
            self.write({"step": state.global_step, **{name: float(value) for name, value in logs.items()}})

    def write(self, log: dict[str, float]) -> None:
        """Append a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(log) + "\n")


def read_logs(path: Path) -> Curve:
    """The lines of a log file; a line that was cut off is left out."""
    logs = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                logs.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return logs


class RecallCallback(TrainerCallback):  # type: ignore[misc]
    """Measures recall before the first step, every `steps` steps (0: after each epoch) and at the end, on all ranks."""

    def __init__(
        self, probes: Sequence[Probe], persona: Persona, steps: int, log_file: LogFile, tell: Callable[[str], None]
    ) -> None:
        self.probes = probes
        self.steps = steps
        self.persona = persona
        self.log_file = log_file
        self.tell = tell
        self._measured_at = -1

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure what is known before."""
        self._measure(state, kwargs["model"], kwargs["processing_class"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Measure what is known by now, where it is a step's turn."""
        if self.steps and state.global_step % self.steps == 0:
            self._measure(state, kwargs["model"], kwargs["processing_class"])

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure what is known by now, unless steps are what counts."""
        if not self.steps:
            self._measure(state, kwargs["model"], kwargs["processing_class"])

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure what is known at the end."""
        self._measure(state, kwargs["model"], kwargs["processing_class"])

    def _measure(self, state: TrainerState, model: Any, tokenizer: Any) -> None:
        if self._measured_at == state.global_step:
            return
        self._measured_at = state.global_step
        summary = summarise(score_probes(model, tokenizer, self.probes, self.persona))
        if state.is_world_process_zero:
            values = {f"recall_{name}": asdict(share)["value"] for name, share in summary.items()}
            self.log_file.write({"step": state.global_step, **values})
            self.tell(
                f"recall at step {state.global_step} ({len(self.probes)} facts): word for word"
                f" {summary['seen_exact'].value:.0%} as trained, {summary['unseen_exact'].value:.0%} in new words;"
                f" ranked first {summary['seen_at_1'].value:.0%} and {summary['unseen_at_1'].value:.0%}"
            )
