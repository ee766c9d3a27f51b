"""Several runs side by side: what each recalls, and by how much it differs from the first, fact by fact."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.atomic_io import read_json
from pipeline.errors import UnderstudyError
from pipeline.evaluation.exam import Extent
from pipeline.evaluation.metrics.statistics import Difference, Estimate, estimate, paired_difference
from pipeline.evaluation.results import DriftName, DriftRow, Item, RecallResults
from pipeline.evaluation.summary import COMPARING, RecallKey
from pipeline.runs.files import RECALL_FILE, RUN_FILE
from pipeline.runs.run_file import read_run

SAYS_IT: Literal["says_it"] = "says_it"  # asked in new words, the reply says the fact's key words
ComparedKey = RecallKey | Literal["says_it"]
METRICS: tuple[ComparedKey, ...] = (
    RecallKey("seen", "exact"),
    RecallKey("unseen", "exact"),
    RecallKey("reverse", "exact"),
    RecallKey("amid", "exact"),
    RecallKey("unseen", "at_1"),
    SAYS_IT,
)
# Arguments that differ between any two runs and say nothing of what was tried.
NEVER_TRIED = frozenset({"output_dir", "logging_dir", "run_name"})
SEED = "seed"
HitsByFact = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Price:
    """What a run paid for its recall, of the base model's figure; `worse` is whether it is beyond its interval."""

    base: float
    value: float
    worse: bool


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What a comparison takes of a run: its arguments, its `facts`, of each metric the hits by fact, and its prices.

    A fact that the base model ranks first without a question has no hits where answers are ranked.
    """

    arguments: Mapping[str, Any]
    facts: tuple[str, ...]
    hits: Mapping[ComparedKey, HitsByFact]
    prices: Mapping[DriftName, Price]


@dataclass(frozen=True, slots=True)
class ComparedOutcome:
    """One metric of one row; `change` is its paired difference from the first row's, None for the first row itself.

    `each` is that of each run by itself, where the row is of several.
    """

    value: Estimate
    change: Difference | None
    each: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ComparedPrice:
    """The mean of a price over a row's runs, and of how many it is worse than the base model's."""

    base: float
    value: float
    worse: int


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A row of a comparison: a run, or the `seeds` of several that differ in nothing else, and what was `tried`."""

    name: str
    seeds: tuple[int, ...]
    tried: Mapping[str, Any]
    outcomes: tuple[ComparedOutcome, ...]
    prices: Mapping[DriftName, ComparedPrice]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs on the facts that all were asked for; `metrics` are those of each row's `outcomes`, in their order."""

    facts: int
    metrics: tuple[ComparedKey, ...]
    tried: tuple[str, ...]
    prices: tuple[DriftName, ...]
    rows: tuple[ComparedRun, ...]

    @property
    def over_seeds(self) -> bool:
        """Whether its rows are means over runs that differ in their seed."""
        return any(len(row.seeds) > 1 for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Its rows, each outcome under the name that `recall.json` has it under."""
        names = [SAYS_IT if key == SAYS_IT else key.name for key in self.metrics]
        return {
            "facts": self.facts,
            "rows": [
                {
                    "name": row.name,
                    "seeds": list(row.seeds),
                    "tried": dict(row.tried),
                    "outcomes": {name: asdict(outcome) for name, outcome in zip(names, row.outcomes, strict=True)},
                    "prices": {name: asdict(price) for name, price in row.prices.items()},
                }
                for row in self.rows
            ],
        }


@dataclass(frozen=True, slots=True)
class MergedReport:
    """The reports of a run's characters as one, so that such runs can be compared with one another."""

    extent: Extent
    characters: tuple[str, ...]
    items: tuple[Item, ...]
    prices: Mapping[DriftName, Price]

    def to_json(self) -> dict[str, Any]:
        """As the `recall.json` of a run of several characters has it."""
        return {
            "extent": self.extent,
            "characters": list(self.characters),
            "items": [asdict(item) for item in self.items],
            "drift": [
                {"name": name, "base": {"value": price.base}, "trained": {"value": price.value}, "worse": price.worse}
                for name, price in self.prices.items()
            ],
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
            fix=f"measure it first: `{_recall_command(folder)}`",
        ) from error


def _recall_command(folder: Path) -> str:
    """What measures the run in the folder, by the recipe that it remembers."""
    recipe = shlex.quote(str(read_json(folder / RUN_FILE).get("recipe") or "RECIPE"))
    return f"understudy recall --config {recipe} --adapter {shlex.quote(str(folder))}"


def parse_report(report: Mapping[str, Any], arguments: Mapping[str, Any]) -> MeasuredRun:
    """What a comparison takes of the content of a `recall.json`, whether of one character or of several."""
    prices = {
        row["name"]: Price(row["base"]["value"], row["trained"]["value"], row["worse"])
        for row in report["drift"]
        if "trained" in row  # once the report of several characters had no figures here
    }
    facts = tuple(item["fact_id"] for item in report["items"])
    hits = {key: {item["fact_id"]: _hits(item, key) for item in report["items"]} for key in METRICS}
    return MeasuredRun(arguments, facts, hits, prices)


def _hits(item: Mapping[str, Any], key: ComparedKey) -> list[float]:
    if key == SAYS_IT:
        said = item.get("trained_says")
        return [] if said is None else [float(said)]
    if key.metric in COMPARING and item.get("guessed"):
        return []
    outcome = "trained_exact" if key.metric == "exact" else "trained_first"
    return [float(question[outcome]) for question in item["questions"] if question["asked"] == key.form]


def merge_reports(reports: Mapping[str, RecallResults]) -> MergedReport:
    """The findings of a run's characters, by name, as one report; a price is the mean of theirs."""
    rows: dict[DriftName, list[DriftRow]] = {}
    for found in reports.values():
        for row in found.drift:
            rows.setdefault(row.name, []).append(row)
    return MergedReport(
        extent=next(iter(reports.values())).extent,
        characters=tuple(reports),
        items=tuple(
            replace(item, fact_id=f"{name}: {item.fact_id}") for name, found in reports.items() for item in found.items
        ),
        prices={
            name: Price(
                base=float(np.mean([row.base.value for row in own])),
                value=float(np.mean([row.trained.value for row in own])),
                worse=any(row.worse for row in own),
            )
            for name, own in rows.items()
        },
    )


def compare_runs(runs: Mapping[str, MeasuredRun]) -> Comparison:
    """Each run's outcomes on the facts that all were asked for, and its paired differences from the first run.

    Where several differ in their seed alone, and others in something else, each row is of all seeds: a fact's hits are
    those of every seed, and intervals are drawn by fact, as elsewhere.

    Raises:
        UnderstudyError: fewer than two runs are given, or they have no fact in common.
    """
    if len(runs) < 2:
        raise UnderstudyError("command line", "names fewer than two runs", fix="name two or more folders")
    first, *_ = runs.values()
    common = [fact for fact in first.facts if all(fact in other.facts for other in runs.values())]
    if not common:
        raise UnderstudyError(", ".join(runs), "have no fact in common", fix="compare runs of one character")
    tried = _tried([run.arguments for run in runs.values()])
    arms = _arms_over_seeds(runs, tried) or {name: [run] for name, run in runs.items()}
    of_seeds = any(len(arm) > 1 for arm in arms.values())
    tried = tuple(key for key in tried if not of_seeds or key != SEED)
    asked = {key: [fact for fact in common if all(run.hits[key][fact] for run in runs.values())] for key in METRICS}
    metrics = tuple(key for key in METRICS if asked[key])
    prices = tuple(name for name in first.prices if all(name in run.prices for run in runs.values()))
    before, *_ = arms.values()
    rows = tuple(
        ComparedRun(
            name=name,
            seeds=tuple(run.arguments[SEED] for run in arm) if of_seeds else (),
            tried={key: arm[0].arguments.get(key) for key in tried},
            outcomes=tuple(_outcome(arm, None if arm is before else before, asked[key], key) for key in metrics),
            prices={price: _mean_price([run.prices[price] for run in arm]) for price in prices},
        )
        for name, arm in arms.items()
    )
    return Comparison(len(common), metrics, tried, prices, rows)


def _arms_over_seeds(runs: Mapping[str, MeasuredRun], tried: Sequence[str]) -> dict[str, list[MeasuredRun]] | None:
    """The runs by what else was tried; None where they differ in their seed alone, or no two in that alone."""
    others = [key for key in tried if key != SEED]
    arms: dict[str, list[MeasuredRun]] = {}
    for run in runs.values():
        name = ",".join(f"{key}={run.arguments.get(key)}" for key in others)
        arms.setdefault(name, []).append(run)
    return arms if SEED in tried and 1 < len(arms) < len(runs) else None


def _outcome(
    arm: Sequence[MeasuredRun], first: Sequence[MeasuredRun] | None, facts: Sequence[str], key: ComparedKey
) -> ComparedOutcome:
    values = _by_fact(arm, facts, key)
    change = paired_difference(_by_fact(first, facts, key), values) if first else None
    each = tuple(estimate(_by_fact([run], facts, key), share=True).value for run in arm) if len(arm) > 1 else ()
    return ComparedOutcome(estimate(values, share=True), change, each)


def _by_fact(arm: Sequence[MeasuredRun], facts: Sequence[str], key: ComparedKey) -> list[list[float]]:
    """Of each fact the hits of all the arm's runs."""
    return [[hit for run in arm for hit in run.hits[key][fact]] for fact in facts]


def _mean_price(prices: Sequence[Price]) -> ComparedPrice:
    return ComparedPrice(
        base=float(np.mean([price.base for price in prices])),
        value=float(np.mean([price.value for price in prices])),
        worse=sum(price.worse for price in prices),
    )


def _tried(arguments: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The keys whose values differ between the runs."""
    keys = dict.fromkeys(key for one in arguments for key in one)
    return tuple(
        key for key in keys if key not in NEVER_TRIED and len({json.dumps(one.get(key)) for one in arguments}) > 1
    )
