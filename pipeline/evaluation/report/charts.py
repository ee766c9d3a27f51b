"""Line charts over training steps: where every line, label and tick of the SVG goes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.evaluation.labels import ALL_RECORDS, RECALL, RECALL_WHILE_TRAINING, WATCHED_LOSSES, kind_label

# A chart is PLOT_WIDTH units wide and stretched to the page; upwards a unit is a pixel, so that text never stretches.
PLOT_WIDTH = 1000
PLOT_HEIGHT = 220
LABEL_GAP = 17  # pixels between the baselines of two labels at the right of a chart
MARKED_POINTS = 12  # lines of at most so many points show each of them

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


def loss_chart(curve: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Loss over steps, a line for all records, for each kind and for held-out lines; none without a finite value."""
    kinds = dict.fromkeys(key for point in curve for key in point if key.startswith("loss_"))
    names = {key: kind_label(key.removeprefix("loss_")) for key in kinds}
    series = _series(curve, {"loss": ALL_RECORDS, **names, **WATCHED_LOSSES})
    top = max((value for points in series.values() for _, value in points), default=0.0)
    return line_chart(series, y_ticks=ticks(top), decimals=2)


def recall_chart(curve: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Recall over steps, in percent, a line for each metric; none without a value."""
    series = _series(curve, {key.name: RECALL[key].brief for key in RECALL_WHILE_TRAINING}, scale=100)
    return line_chart(series, y_ticks=(0, 25, 50, 75, 100), decimals=0, unit="%")


def line_chart(
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
