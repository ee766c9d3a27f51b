"""The report: one HTML page that says what the character recalls, and needs nothing but itself."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pipeline.atomic_io import write_text
from pipeline.pages import page_templates

# A chart is PLOT_WIDTH units wide and stretched to the page; upwards a unit is a pixel, so that text never stretches.
PLOT_WIDTH = 1000
PLOT_HEIGHT = 220
LABEL_GAP = 17  # pixels between the baselines of two labels at the right of a chart
MARKED_POINTS = 12  # lines of at most so many points show each of them

# (group, its explanation, where its outcomes stand in the report, its metrics with their names)
GROUPS: tuple[tuple[str, str, str, Mapping[str, str]], ...] = (
    (
        "Word for word",
        "The model, always saying its likeliest next word, would give exactly the fact\u2019s answer and stop there.",
        "recall",
        {
            "seen_exact": "asked as in training",
            "unseen_exact": "asked in new words",
            "amid_exact": "in new words, amid a conversation",
        },
    ),
    (
        "Ranked first",
        "The model finds the right answer likelier than each of {distractors} other true answers of this character. "
        "Blind guessing would manage 1 in {options}.{guessed}",
        "recall",
        {"seen_at_1": "asked as in training", "unseen_at_1": "asked in new words"},
    ),
    (
        "In its own words",
        "What the model says when asked in new words: whether the fact\u2019s key words are there, and whether another "
        "fact\u2019s stand there instead.",
        "answers",
        {
            "alias_hit": "says it",
            "sampled_alias_hit": "says it, sampled as in chat",
            "contradiction": "says another fact instead",
        },
    ),
)
DRIFT = {
    "control": ("Control questions", "general knowledge, ranked right under the character\u2019s own prompt", "more"),
    "general_bits": ("General text", "bits a character", "less"),
    "line_bits": ("Held-out lines", "bits a character, of lines that were not trained on", "less"),
    "elsewhere": ("Told as somebody else", "facts ranked first when another character is asked", "less"),
}
BLEED = {
    "first": (
        "Ranked first",
        "The share of a character\u2019s facts whose answer the model finds likelier than each of {distractors} other "
        "true answers of that character. Blind guessing would manage 1 in {options}.",
    ),
    "exact": (
        "Word for word",
        "The share of a character\u2019s facts that would be answered exactly so, greedily. Nobody guesses this: where "
        "it is above zero off the diagonal, a fact has really gone over.",
    ),
}
WHOSE = {
    "own": "a character\u2019s own facts",
    "others": "other characters\u2019 facts",
    "base": "the untouched model, all facts",
}
ASKED = {"seen": "asked as in training", "unseen": "asked in new words", "amid": "amid a conversation"}
RECALL_LINES = {
    "seen_exact": "as trained, exact",
    "unseen_exact": "new words, exact",
    "seen_at_1": "as trained, first",
    "unseen_at_1": "new words, first",
}
WATCHED = {"eval_loss_dialogue": "lines held out", "eval_loss_setting_qa": "facts in new words"}
KIND_NAMES = {"setting_qa": "settings", "dialogue": "dialogue", "background": "background", "replay": "replay"}

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis: `at` is a share of a chart's width, or pixels from its top."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: `points` is an SVG polyline's, `marks` are (share of width, pixels) of points worth a dot."""

    label: str
    last: str
    points: str
    marks: tuple[Point, ...]
    end: Point
    label_y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over training steps, ready to be drawn."""

    height: int
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One metric before and after training."""

    label: str
    before: Mapping[str, float]
    after: Mapping[str, float]


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
    items: tuple[Mapping[str, Any], ...]
    seen: str
    unseen: str


def render_report(report: Mapping[str, Any]) -> str:
    """One HTML page with its own style and drawings: no script, nothing fetched from elsewhere.

    Raises:
        KeyError: `report` lacks what the page needs.
        jinja2.UndefinedError: the same, met while rendering.
    """
    template = _environment().get_template("report.html.jinja")
    return template.render(
        report=report,
        groups=outcome_groups(report),
        asked=ASKED,
        drift=DRIFT,
        loss_chart=loss_chart(report["curve"]),
        recall_chart=recall_chart(report["recall_curve"]),
        ledger_total=ledger_total(report["ledger"]),
        fact_groups=fact_groups(report["items"]),
    )


def write_report(report: Mapping[str, Any], path: Path) -> None:
    """`path` holds the report of one run."""
    write_text(path, render_report(report))


def write_comparison(comparison: Mapping[str, Any], path: Path) -> None:
    """`path` holds the comparison of several runs, as `compare_runs` gives it."""
    template = _environment().get_template("compare.html.jinja")
    write_text(path, template.render(comparison=comparison, drift=DRIFT))


def write_bleed(bleed: Mapping[str, Any], path: Path) -> None:
    """`path` holds the matrix of what each character knows of the others' facts, as `bleed_of` gives it."""
    template = _environment().get_template("bleed.html.jinja")
    write_text(path, template.render(bleed=bleed, outcomes=BLEED, whose=WHOSE))


def outcome_groups(report: Mapping[str, Any]) -> list[OutcomeGroup]:
    """The groups of metrics that the report has outcomes of."""
    distractors, guessed = report["distractors"], len(report["guessed"])
    told = f" Left out: {guessed} facts whose answer wins without a question." if guessed else ""
    made = []
    for name, explanation, where, metrics in GROUPS:
        base, trained = report[where]["base"], report[where]["trained"]
        rows = [OutcomeRow(label, base[key], trained[key]) for key, label in metrics.items() if key in trained]
        text = explanation.format(distractors=distractors, options=distractors + 1, guessed=told)
        chance = 1 / (distractors + 1) if name == "Ranked first" else None
        made.append(OutcomeGroup(name, text, chance, tuple(rows)))
    return made


def loss_chart(curve: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Loss over steps, a line for all records, for each kind and for held-out lines; none without a finite value."""
    kinds = dict.fromkeys(key for point in curve for key in point if key.startswith("loss_"))
    names = {key: kind_name(key.removeprefix("loss_")) for key in kinds}
    series = _series(curve, {"loss": "all records"} | names | WATCHED)
    top = max((value for points in series.values() for _, value in points), default=0.0)
    return draw(series, y_ticks=ticks(top), decimals=2)


def recall_chart(curve: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Recall over steps, in percent, a line for each metric; none without a value."""
    series = _series(curve, RECALL_LINES, scale=100)
    return draw(series, y_ticks=(0, 25, 50, 75, 100), decimals=0, unit="%")


def draw(
    series: Mapping[str, Sequence[Point]], *, y_ticks: Sequence[float], decimals: int, unit: str = ""
) -> Chart | None:
    """The chart of `series`, each a label and its (step, value) points; none where there is no series.

    Both axes start at 0; the y axis ends at its last tick.
    """
    if not series:
        return None
    right = max(step for points in series.values() for step, _ in points) or 1
    top = y_ticks[-1]
    ends = [to_pixels(points[-1], right, top) for points in series.values()]
    labels = spread([y for _, y in ends], gap=LABEL_GAP, height=PLOT_HEIGHT)
    lines = tuple(
        Line(
            label=label,
            last=f"{points[-1][1]:.{decimals}f}{unit}",
            points=polyline(points, right, top),
            marks=tuple(to_pixels(point, right, top) for point in points) if len(points) <= MARKED_POINTS else (),
            end=end,
            label_y=label_y,
        )
        for (label, points), end, label_y in zip(series.items(), ends, labels, strict=True)
    )
    return Chart(
        height=PLOT_HEIGHT,
        lines=lines,
        x_ticks=tuple(Tick(step / right, f"{step:g}") for step in ticks(right, about=5) if step <= right),
        y_ticks=tuple(Tick(to_pixels((0, value), right, top)[1], f"{value:g}{unit}") for value in y_ticks),
    )


def ticks(top: float, about: int = 4) -> tuple[float, ...]:
    """Round values from 0 to the first one at or above `top`, `about` steps apart by 1, 2 or 5 times a power of ten."""
    rough = max(top, 1e-9) / about
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * (1 - 1e-9))
    return tuple(round(step * index, 12) for index in range(math.ceil(top / step - 1e-9) + 1)) if top > 0 else (0, 1)


def to_pixels(point: Point, right: float, top: float) -> Point:
    """A (step, value) point as a share of the plot's width from its left and pixels from its top."""
    step, value = point
    return round(step / right, 4), round(PLOT_HEIGHT * (1 - value / top), 2)


def polyline(points: Sequence[Point], right: float, top: float) -> str:
    """The `points` attribute of an SVG polyline, in units of PLOT_WIDTH by PLOT_HEIGHT."""
    placed = (to_pixels(point, right, top) for point in points)
    return " ".join(f"{PLOT_WIDTH * x:g},{y:g}" for x, y in placed)


def spread(wanted: Sequence[float], *, gap: float, height: float) -> list[float]:
    """Label positions near `wanted`, in the same order from top to bottom, `gap` apart and none below `height`."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = list(wanted)
    for before, after in itertools.pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    limit = height
    for index in reversed(order):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - gap
    return placed


def fact_groups(items: Iterable[Mapping[str, Any]]) -> list[FactGroup]:
    """The facts by type, types in order of appearance."""
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        by_type.setdefault(item["type"], []).append(item)
    return [
        FactGroup(type=kind, items=tuple(group), seen=_hits(group, "seen"), unseen=_hits(group, "unseen"))
        for kind, group in by_type.items()
    ]


def ledger_total(rows: Sequence[Mapping[str, Any]]) -> dict[str, int | None]:
    """Records, planned and realised exposures summed over kinds; realised is none where a kind's is unknown."""
    realised = [row["realised"] for row in rows]
    return {
        "records": sum(row["records"] for row in rows),
        "planned": sum(row["planned"] for row in rows),
        "realised": None if None in realised else sum(realised),
    }


def percent(share: float) -> str:
    """`share` as a whole percentage that says 0% or 100% only where it is exactly that."""
    if 0 < share < 1:
        return f"{min(99, max(1, round(100 * share)))}%"
    return f"{round(100 * share)}%"


def duration(seconds: float) -> str:
    """`seconds` in the two largest units that fit."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def signed(value: float) -> str:
    """`value` with its sign and two decimals, a true minus."""
    return f"{value:+.2f}".replace("-", "\u2212")


def kind_name(kind: str) -> str:
    """What the page calls a kind of record."""
    return KIND_NAMES.get(kind, kind.replace("_", " "))


def _series(
    curve: Sequence[Mapping[str, Any]], labels: Mapping[str, str], *, scale: float = 1
) -> dict[str, list[Point]]:
    # A diverged run logs infinities; a kind absent from a step logs nothing. Neither has a place on the plot.
    series = {
        label: [(point["step"], scale * point[key]) for point in curve if _is_finite(point.get(key))]
        for key, label in labels.items()
    }
    return {label: points for label, points in series.items() if points}


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _hits(items: Sequence[Mapping[str, Any]], asked: str) -> str:
    exact = [
        question["trained_exact"] for item in items for question in item["questions"] if question["asked"] == asked
    ]
    return f"{sum(exact)} of {len(exact)}" if exact else "\u2013"


def _environment() -> Environment:
    return page_templates(Path(__file__).parent, percent=percent, duration=duration, kind_name=kind_name, signed=signed)
