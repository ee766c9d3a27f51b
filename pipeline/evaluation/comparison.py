"""Several runs side by side: what each recalls, and by how much it differs from the first, fact by fact."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.evaluation.metrics.statistics import Difference, Estimate, estimate, paired_difference
from pipeline.evaluation.results import DriftName, Item, RecallResults
from pipeline.evaluation.scoring import QuestionForm
from pipeline.evaluation.summary import RecallKey
from pipeline.runs.files import RECALL_FILE
from pipeline.runs.run_file import read_run

COMPARED = (
    RecallKey("seen", "exact"),
    RecallKey("unseen", "exact"),
    RecallKey("amid", "exact"),
    RecallKey("unseen", "at_1"),
)
# Arguments that differ between any two runs and say nothing of what was tried.
NEVER_TRIED = frozenset({"output_dir", "logging_dir", "run_name"})


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """What the trained model makes of a question: the answer word for word, and the answer ranked first."""

    asked: QuestionForm
    exact: bool
    first: bool


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What a comparison takes of a run: its arguments, its questions by fact, what it is worse in than its base."""

    arguments: Mapping[str, Any]
    facts: Mapping[str, tuple[AnsweredQuestion, ...]]
    worse: tuple[DriftName, ...]


@dataclass(frozen=True, slots=True)
class ComparedOutcome:
    """One metric of one run; `change` is its paired difference from the first run's, None for the first run itself."""

    value: Estimate
    change: Difference | None


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run in a comparison: the arguments that were `tried`, its outcomes, and what it is worse in than its base."""

    name: str
    tried: Mapping[str, Any]
    outcomes: tuple[ComparedOutcome, ...]
    worse: tuple[DriftName, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs on the facts that all were asked for; `metrics` are those of each run's `outcomes`, in their order."""

    facts: int
    metrics: tuple[RecallKey, ...]
    tried: tuple[str, ...]
    runs: tuple[ComparedRun, ...]


@dataclass(frozen=True, slots=True)
class MergedReport:
    """The reports of a run's characters as one, so that such runs can be compared with one another."""

    characters: tuple[str, ...]
    items: tuple[Item, ...]
    worse: Mapping[DriftName, bool]

    def to_json(self) -> dict[str, Any]:
        """As the `recall.json` of a run of several characters has it."""
        return {
            "characters": list(self.characters),
            "items": [asdict(item) for item in self.items],
            "drift": [{"name": name, "worse": worse} for name, worse in self.worse.items()],
        }


def read_report(folder: Path) -> MeasuredRun:
    """The run in `folder`, as its recall report has it.

    Raises:
        UnderstudyError: the run was not measured, or is not finished.
    """
    try:
        report: dict[str, Any] = json.loads((folder / RECALL_FILE).read_text(encoding="utf-8"))
        return parse_report(report, read_run(folder)["arguments"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnderstudyError(
            folder,
            f"holds no {RECALL_FILE} of a finished run",
            fix="run `python -m pipeline.recall --adapter` on it first",
        ) from error


def parse_report(report: Mapping[str, Any], arguments: Mapping[str, Any]) -> MeasuredRun:
    """What a comparison takes of the content of a `recall.json`, whether of one character or of several."""
    facts = {
        item["fact_id"]: tuple(
            AnsweredQuestion(question["asked"], question["trained_exact"], question["trained_first"])
            for question in item["questions"]
        )
        for item in report["items"]
    }
    return MeasuredRun(arguments, facts, tuple(row["name"] for row in report["drift"] if row["worse"]))


def merge_reports(reports: Mapping[str, RecallResults]) -> MergedReport:
    """The findings of a run's characters, by name, as one report."""
    drift = [row for found in reports.values() for row in found.drift]
    return MergedReport(
        characters=tuple(reports),
        items=tuple(
            replace(item, fact_id=f"{name}: {item.fact_id}") for name, found in reports.items() for item in found.items
        ),
        worse={
            name: any(row.worse for row in drift if row.name == name)
            for name in dict.fromkeys(row.name for row in drift)
        },
    )


def compare_runs(runs: Mapping[str, MeasuredRun]) -> Comparison:
    """Each run's outcomes on the facts that all were asked for, and its paired differences from the first run.

    Raises:
        UnderstudyError: fewer than two runs are given, or they have no fact in common.
    """
    if len(runs) < 2:
        raise UnderstudyError("command line", "names fewer than two runs", fix="name two or more folders")
    first, *_ = runs.values()
    common = [fact for fact in first.facts if all(fact in other.facts for other in runs.values())]
    if not common:
        raise UnderstudyError(", ".join(runs), "have no fact in common", fix="compare runs of one character")
    metrics = tuple(key for key in COMPARED if all(any(_hits_by_fact(run, common, key)) for run in runs.values()))
    tried = _tried([run.arguments for run in runs.values()])
    rows = []
    for number, (name, run) in enumerate(runs.items()):
        outcomes = tuple(_outcome(run, first if number else None, common, key) for key in metrics)
        rows.append(ComparedRun(name, {key: run.arguments.get(key) for key in tried}, outcomes, run.worse))
    return Comparison(len(common), metrics, tried, tuple(rows))


def _outcome(run: MeasuredRun, first: MeasuredRun | None, facts: Sequence[str], key: RecallKey) -> ComparedOutcome:
    hits = _hits_by_fact(run, facts, key)
    change = paired_difference(_hits_by_fact(first, facts, key), hits) if first else None
    return ComparedOutcome(estimate(hits, share=True), change)


def _hits_by_fact(run: MeasuredRun, facts: Iterable[str], key: RecallKey) -> list[list[float]]:
    return [
        [
            float(question.exact if key.metric == "exact" else question.first)
            for question in run.facts[fact]
            if question.asked == key.form
        ]
        for fact in facts
    ]


def _tried(arguments: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The keys whose values differ between the runs."""
    keys = dict.fromkeys(key for one in arguments for key in one)
    return tuple(
        key for key in keys if key not in NEVER_TRIED and len({json.dumps(one.get(key)) for one in arguments}) > 1
    )
