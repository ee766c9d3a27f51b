"""What a run logs while it goes on: progress by kind, a log file, and what is recalled so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.conversations.persona import Persona
from pipeline.evaluation.metrics.summary import summarise
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.scoring import ProbeScore, Question, score_probes
from pipeline.runs.logs import append_log, drop_logs_after
from pipeline.training.metrics import FEW_CHARACTERS

TOLD = {
    "seen_exact": "word for word as trained",
    "unseen_exact": "in new words",
    "seen_at_1": "ranked first as trained",
    "unseen_at_1": "in new words",
}


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


class RecallCallback(TrainerCallback):  # type: ignore[misc]
    """Adds recall to the metrics of every evaluation, and measures it at the end, on all processes.

    The metrics are called `eval_recall_unseen_at_1` and so on, and `metric_for_best_model` may name them. Each probe is
    asked as trained and once in new words. Several characters (`asked` has each one's probes) get figures of all and,
    as long as they are few, of each: `eval_recall_unseen_at_1_of_NAME`.
    """

    def __init__(
        self, asked: Sequence[tuple[Persona, Sequence[Probe]]], log_file: LogFile, log: Callable[[str], None]
    ) -> None:
        self.asked = asked
        self.log_file = log_file
        self.log = log
        self._measured_at = -1

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Measure what is known by now."""
        recall = self._measure(state, kwargs["model"], kwargs["processing_class"])
        kwargs["metrics"].update({f"eval_recall_{name}": value for name, value in recall.items()})

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure what is known at the end."""
        if self._measured_at != state.global_step:
            self._measure(state, kwargs["model"], kwargs["processing_class"])

    def _measure(self, state: TrainerState, model: Any, tokenizer: Any) -> dict[str, float]:
        self._measured_at = state.global_step
        scores = {
            persona.name: score_probes(model, tokenizer, probes, persona, questions=_asked_twice)
            for persona, probes in self.asked
        }
        recall = _values([score for of_one in scores.values() for score in of_one])
        if state.is_world_process_zero:
            shown = ", ".join(f"{title} {recall[name]:.0%}" for name, title in TOLD.items() if name in recall)
            self.log(f"recall at step {state.global_step} ({sum(map(len, scores.values()))} facts): {shown}")
        if 1 < len(scores) <= FEW_CHARACTERS:
            for name, of_one in scores.items():
                recall |= {f"{metric}_of_{name}": value for metric, value in _values(of_one).items() if metric in TOLD}
        if state.is_world_process_zero:
            self.log_file.write({"step": state.global_step} | {f"recall_{name}": recall[name] for name in recall})
        return recall


def _values(scores: Sequence[ProbeScore]) -> dict[str, float]:
    return {name: outcome["value"] for name, outcome in summarise(scores).items()}


def _asked_twice(probe: Probe) -> list[Question]:
    """The probe's question as trained, and its first one in new words."""
    seen: list[Question] = [("seen", probe.seen, ())] if probe.seen else []
    return [*seen, ("unseen", probe.unseen[0], ())]
