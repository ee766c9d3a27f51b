"""What is recalled so far, measured while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.conversations.persona import Persona
from pipeline.evaluation.labels import RECALL, RECALL_WHILE_TRAINING
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.scoring import ProbeScore, Question, score_probes
from pipeline.evaluation.summary import summarise
from pipeline.training.callbacks.logs import LogFile
from pipeline.training.metrics import FEW_CHARACTERS


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
        self.seconds_a_question = 0.0  # as last measured
        self._measured_at = -1

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Measure recall, beside the other metrics."""
        recall = self._measure(state, kwargs["model"], kwargs["processing_class"])
        kwargs["metrics"].update({f"eval_recall_{name}": value for name, value in recall.items()})

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure recall at the end."""
        if self._measured_at != state.global_step:
            self._measure(state, kwargs["model"], kwargs["processing_class"])

    def _measure(self, state: TrainerState, model: Any, tokenizer: Any) -> dict[str, float]:
        self._measured_at = state.global_step
        began = time.monotonic()
        scores = {
            persona.name: score_probes(model, tokenizer, probes, persona, questions=_two_questions)
            for persona, probes in self.asked
        }
        of_all = [score for of_one in scores.values() for score in of_one]
        self.seconds_a_question = (time.monotonic() - began) / max(sum(len(score.questions) for score in of_all), 1)
        recall = _values(of_all)
        if state.is_world_process_zero:
            facts = sum(map(len, scores.values()))
            self.log(f"recall at step {state.global_step} ({facts} facts): {_in_words(recall)}")
        if 1 < len(scores) <= FEW_CHARACTERS:
            for name, of_one in scores.items():
                values = _values(of_one)
                recall |= {f"{key}_of_{name}": values[key] for key in _names() if key in values}
        if state.is_world_process_zero:
            self.log_file.write({"step": state.global_step} | {f"recall_{name}": recall[name] for name in recall})
        return recall


def _values(scores: Sequence[ProbeScore]) -> dict[str, float]:
    return {key.name: outcome.value for key, outcome in summarise(scores).items()}


def _names() -> list[str]:
    return [key.name for key in RECALL_WHILE_TRAINING]


def _in_words(recall: Mapping[str, float]) -> str:
    """The metrics as a log prints them: `word for word, trained 90%; word for word, new 40%`."""
    return "; ".join(
        f"{RECALL[key].brief} {recall[key.name]:.0%}" for key in RECALL_WHILE_TRAINING if key.name in recall
    )


def _two_questions(probe: Probe) -> list[Question]:
    """The probe's question as trained, and its first one in new words."""
    seen: list[Question] = [("seen", probe.seen, ())] if probe.seen else []
    return [*seen, ("unseen", probe.unseen[0], ())]
