"""Several runs side by side: what each recalls, and by how much it differs from the first, fact by fact."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.evaluation.metrics.statistics import paired_difference
from pipeline.evaluation.metrics.summary import interval
from pipeline.evaluation.report.tables import format_change, format_outcome

# What is compared: how it is asked, which outcome of a question counts, and what that is called.
COMPARED = (
    ("seen", "trained_exact", "word for word, as trained"),
    ("unseen", "trained_exact", "word for word, in new words"),
    ("amid", "trained_exact", "the same, amid a conversation"),
    ("unseen", "trained_first", "ranked first, in new words"),
)
# Arguments that differ between any two runs and say nothing of what was tried.
NEVER_TRIED = frozenset({"output_dir", "logging_dir", "run_name"})


def read_report(folder: Path) -> dict[str, Any]:
    """The recall report of the run in `folder`, with the arguments of the run.

    Raises:
        UnderstudyError: the run was not measured.
    """
    try:
        report: dict[str, Any] = json.loads((folder / "recall.json").read_text(encoding="utf-8"))
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return report | {"arguments": run["arguments"]}
    except (OSError, ValueError, KeyError) as error:
        raise UnderstudyError(
            folder,
            "holds no recall.json of a finished run",
            fix="run `python -m pipeline.recall --adapter` on it first",
        ) from error


def together(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The reports of a run's characters as one, so that such runs can be compared with one another."""
    drift = [row for report in reports.values() for row in report["drift"]]
    return {
        "characters": list(reports),
        "items": [
            item | {"fact_id": f"{name}: {item['fact_id']}"}
            for name, report in reports.items()
            for item in report["items"]
        ],
        "drift": [
            {"name": name, "worse": any(row["worse"] for row in drift if row["name"] == name)}
            for name in dict.fromkeys(row["name"] for row in drift)
        ],
    }


def compare_runs(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Each run's outcomes on the facts that all were asked for, and its paired differences from the first run.

    Raises:
        UnderstudyError: fewer than two runs are given, or they have no fact in common.
    """
    if len(reports) < 2:
        raise UnderstudyError("command line", "names fewer than two runs", fix="name two or more folders")
    items = {name: {item["fact_id"]: item for item in report["items"]} for name, report in reports.items()}
    first, *_ = items
    common = [fact for fact in items[first] if all(fact in others for others in items.values())]
    if not common:
        raise UnderstudyError(", ".join(reports), "have no fact in common", fix="compare runs of one character")
    compared = [one for one in COMPARED if any(_values(items[first].values(), one[0], one[1]))]
    tried = _tried([report["arguments"] for report in reports.values()])
    rows = []
    for name, report in reports.items():
        outcomes = []
        for asked, outcome, title in compared:
            ours, theirs = (_values([items[run][fact] for fact in common], asked, outcome) for run in (name, first))
            change = None if name == first else asdict(paired_difference(theirs, ours))
            outcomes.append({"title": title, "value": interval(ours, share=True), "change": change})
        rows.append(
            {
                "name": name,
                "tried": {key: report["arguments"].get(key) for key in tried},
                "outcomes": outcomes,
                "worse": [row["name"] for row in report["drift"] if row["worse"]],
            }
        )
    return {"facts": len(common), "titles": [title for _, _, title in compared], "tried": tried, "runs": rows}


def format_comparison(comparison: Mapping[str, Any]) -> str:
    """The comparison as a plain table: each run's outcomes, and below them their differences from the first run's."""
    width = max(len(run["name"]) for run in comparison["runs"])
    lines = [f"{comparison['facts']} facts; in brackets: 95% intervals, of differences paired fact by fact"]
    for number, title in enumerate(comparison["titles"]):
        lines.append(f"\n{title}")
        for run in comparison["runs"]:
            outcome = run["outcomes"][number]
            change = f"   {format_change(outcome['change'])}" if outcome["change"] else ""
            lines.append(f"  {run['name']:<{width}}  {format_outcome(outcome['value'])}{change}")
    for run in comparison["runs"]:
        if run["worse"]:
            lines.append(f"\n{run['name']} is worse than the base model in: {', '.join(run['worse'])}")
    return "\n".join(lines)


def _values(items: Iterable[Mapping[str, Any]], asked: str, outcome: str) -> list[list[float]]:
    return [
        [float(question[outcome]) for question in item["questions"] if question["asked"] == asked] for item in items
    ]


def _tried(arguments: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys whose values differ between the runs."""
    keys = dict.fromkeys(key for one in arguments for key in one)
    return [key for key in keys if key not in NEVER_TRIED and len({json.dumps(one.get(key)) for one in arguments}) > 1]
