"""Reports, comparisons and the bleed matrix as HTML pages that need nothing but themselves."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment

from pipeline.atomic_io import write_text
from pipeline.evaluation import labels
from pipeline.evaluation.bleed import Bleed
from pipeline.evaluation.comparison import Comparison
from pipeline.evaluation.labels import Label, kind_label
from pipeline.evaluation.metrics.statistics import Estimate
from pipeline.evaluation.report.charts import loss_chart, recall_chart
from pipeline.evaluation.report.run_report import RunReport
from pipeline.evaluation.report.words import Say, words_of
from pipeline.evaluation.results import Item, RecallResults
from pipeline.evaluation.scoring import QuestionForm
from pipeline.evaluation.summary import Metric
from pipeline.mixture.ledger import KindExposures
from pipeline.pages import page_templates
from pipeline.terminal import duration


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One metric before and after training."""

    label: str
    before: Estimate | None
    after: Estimate


@dataclass(frozen=True, slots=True)
class OutcomeGroup:
    """Metrics that belong together; `chance` is what blind guessing would reach, if that is known."""

    name: str
    explanation: str
    chance: float | None
    rows: tuple[OutcomeRow, ...]


@dataclass(frozen=True, slots=True)
class FactGroup:
    """The facts of one type, and how many of their questions the trained model answers word for word."""

    type: str
    facts: tuple[Item, ...]
    seen: str
    unseen: str


@dataclass(frozen=True, slots=True)
class LedgerTotal:
    """Records, planned and realised exposures summed over kinds; realised is None where a kind's is unknown."""

    records: int
    planned: int
    realised: int | None


def render_report(report: RunReport) -> str:
    """One HTML page with its own style and drawings: no script, nothing fetched from elsewhere."""
    found, history, say = report.findings, report.history, words_of(report.language)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            found=found,
            history=history,
            labels=labels,
            say=say,
            groups=outcome_groups(found, say),
            loss_chart=loss_chart(history.curve),
            recall_chart=recall_chart(history.recall_curve),
            ledger_total=ledger_total(history.ledger),
            fact_groups=fact_groups(found.items, say),
        )
    )


def write_report(report: RunReport, path: Path) -> None:
    """Write the report of one run to `path`."""
    write_text(path, render_report(report))


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write the comparison of several runs to `path`."""
    template = _environment().get_template("compare.html.jinja")
    write_text(path, template.render(comparison=comparison, labels=labels))


def write_bleed(bleed: Bleed, path: Path) -> None:
    """Write to `path` the matrix of what each character knows of the others' facts."""
    template = _environment().get_template("bleed.html.jinja")
    write_text(path, template.render(bleed=bleed, labels=labels))


def outcome_groups(found: RecallResults, say: Say) -> list[OutcomeGroup]:
    """The groups of metrics that the findings have outcomes of."""
    options, guessed = found.distractors + 1, len(found.guessed)
    left_out = say(" Left out: {count} facts whose answer wins without a question.", count=guessed) if guessed else ""
    explanation = labels.RANKED_FIRST.explanation
    ranked = say(explanation, distractors=found.distractors, options=options, guessed=left_out)
    answers = tuple(
        OutcomeRow(label.short, pick(found.answers.base), after)
        for pick, label in labels.ANSWERS
        if (after := pick(found.answers.trained))
    )
    return [
        _group(labels.WORD_FOR_WORD, say(labels.WORD_FOR_WORD.explanation), None, _recall_rows(found, "exact")),
        _group(labels.RANKED_FIRST, ranked, 1 / options, _recall_rows(found, "at_1")),
        _group(labels.OWN_WORDS, say(labels.OWN_WORDS.explanation), None, answers),
    ]


def _group(label: Label, explanation: str, chance: float | None, rows: tuple[OutcomeRow, ...]) -> OutcomeGroup:
    return OutcomeGroup(label.title, explanation, chance, rows)


def _recall_rows(found: RecallResults, metric: Metric) -> tuple[OutcomeRow, ...]:
    recall = found.recall
    return tuple(
        OutcomeRow(label.short, recall.base[key], recall.trained[key])
        for key, label in labels.RECALL.items()
        if key.metric == metric and key in recall.trained
    )


def fact_groups(items: Iterable[Item], say: Say) -> list[FactGroup]:
    """The facts by type, types in order of appearance."""
    by_type: dict[str, list[Item]] = {}
    for item in items:
        by_type.setdefault(item.type, []).append(item)
    return [
        FactGroup(type=kind, facts=tuple(group), seen=_hits(group, "seen", say), unseen=_hits(group, "unseen", say))
        for kind, group in by_type.items()
    ]


def ledger_total(rows: Sequence[KindExposures]) -> LedgerTotal:
    """The sums of the ledger's rows."""
    realised = [row["realised"] for row in rows if row["realised"] is not None]
    return LedgerTotal(
        records=sum(row["records"] for row in rows),
        planned=sum(row["planned"] for row in rows),
        realised=sum(realised) if len(realised) == len(rows) else None,
    )


def percent(share: float) -> str:
    """`share` as a whole percentage that says 0% or 100% only where it is exactly that."""
    if 0 < share < 1:
        return f"{min(99, max(1, round(100 * share)))}%"
    return f"{round(100 * share)}%"


def signed(value: float) -> str:
    """`value` with its sign and two decimals, a true minus."""
    return f"{value:+.2f}".replace("-", "\u2212")


def prose(text: str) -> str:
    """The words of a label as a page prints them: with a typographic apostrophe."""
    return text.replace("'", "\u2019")


def heading(text: str) -> str:
    """The same, beginning with a capital."""
    return prose(text[:1].upper() + text[1:])


def _hits(items: Sequence[Item], form: QuestionForm, say: Say) -> str:
    exact = [question.trained_exact for item in items for question in item.questions if question.asked == form]
    return say("{hits} of {questions}", hits=sum(exact), questions=len(exact)) if exact else "\u2013"


@functools.cache
def _environment() -> Environment:
    return page_templates(
        Path(__file__).parent,
        percent=percent,
        duration=duration,
        kind_label=kind_label,
        signed=signed,
        prose=prose,
        heading=heading,
    )
