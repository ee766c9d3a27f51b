"""The report of a run: its findings beside its logs, its ledger and its identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Persona
from pipeline.evaluation.results import RecallResults
from pipeline.mixture.ledger import KindExposures, ledger_of
from pipeline.runs.logs import Logs, read_logs
from pipeline.runs.run_file import read_run

IDENTITY = ("versions", "commit", "seconds", "world_size", "device", "steps", "rows", "data")


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What a run saved of its training, as far as it concerns one character.

    `curve` are the logs with a loss, `recall_curve` those with recall, its names as in `recall.json`; `run` is
    what identifies it.
    """

    model: str
    recipe: str
    curve: Logs
    recall_curve: Logs
    ledger: list[KindExposures]
    run: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunReport:
    """All that the page of one character shows; `left_out` counts facts and questions not asked for, by reason."""

    character: str
    language: str
    findings: RecallResults
    left_out: Mapping[str, int]
    history: RunHistory

    def to_json(self) -> dict[str, Any]:
        """As `recall.json` has it."""
        return {
            "character": self.character,
            "language": self.language,
            "model": self.history.model,
            "recipe": self.history.recipe,
            **self.findings.to_json(),
            "left_out": dict(self.left_out),
            "curve": self.history.curve,
            "recall_curve": self.history.recall_curve,
            "ledger": self.history.ledger,
            "run": dict(self.history.run),
        }


def report_of_run(found: RecallResults, left_out: Mapping[str, int], folder: Path, persona: Persona) -> RunReport:
    """The report of a character of the run in `folder`.

    Raises:
        UnderstudyError: the folder holds no finished run.
    """
    return RunReport(persona.name, persona.language, found, left_out, read_history(folder, persona.name))


def read_history(folder: Path, name: str) -> RunHistory:
    """What the run in `folder` saved, as it concerns the character of that name.

    Raises:
        UnderstudyError: the folder holds no finished run.
    """
    run = read_run(folder)
    logs = [_log_of(log, name) for log in read_logs(folder)]
    return RunHistory(
        model=run["model"],
        recipe=run["recipe"],
        curve=[log for log in logs if "loss" in log or "eval_loss" in log],
        recall_curve=[
            {key.removeprefix("recall_"): value for key, value in log.items()}
            for log in logs
            if "recall_unseen_exact" in log
        ],
        ledger=ledger_of(run["ledger"], name),
        run={key: run[key] for key in IDENTITY},
    )


def _log_of(log: Mapping[str, float], name: str) -> dict[str, float]:
    """A log as it concerns one character of several: its own recall in place of everybody's, no other's figures."""
    own = {key.removesuffix(f"_of_{name}"): value for key, value in log.items() if key.endswith(f"_of_{name}")}
    recall = {key: value for key, value in own.items() if key.startswith("recall_")}
    return {key: value for key, value in log.items() if "_of_" not in key} | recall
