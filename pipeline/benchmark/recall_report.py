"""The curves of whole runs as a table to read and a picture for the README. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.benchmark.measure import BASELINE, TREE, VARIANT_NAMES
from pipeline.benchmark.report import INK, MUTED, OURS, THEIRS, svg_text
from pipeline.terminal import duration, padded

NAMES = VARIANT_NAMES | {TREE: "Understudy"}
COLOURS = {BASELINE: THEIRS, "trl_packing": MUTED, TREE: OURS}
WIDTH, HEIGHT, TOP, BOTTOM = 860, 330, 62, 262
PANELS = (("seen", "facts known word for word, as trained", 52), ("unseen", "in new words", 492))
PANEL_WIDTH = 330


def format_runs(found: Mapping[str, Any]) -> str:
    """When each run knew what, as a plain table."""
    known = f"{found['known']:.0%} as trained after"
    lines = [f"{'':<26}{known:>22}{'times ours':>12}{'in new words then':>19}{'at best':>9}{'whole run':>14}"]
    for name, one in found["variants"].items():
        after = duration(one["seconds_to_known"]) if one["seconds_to_known"] else "never"
        times = f"{one['times_ours']:.1f}" if one["times_ours"] else "-"
        then = "-" if one["unseen_by_then"] is None else f"{one['unseen_by_then']:.2f}"
        lines.append(
            f"{padded(NAMES[name], 26)}{after:>22}{times:>12}{then:>19}{one['best_unseen']:>9.2f}"
            f"{duration(one['seconds']):>14}"
        )
    lines.append("(in new words then: when Understudy knew that share; seconds with loading, without the asking)")
    return "\n".join(lines)


def draw_runs(found: Mapping[str, Any]) -> str:
    """An SVG picture: what is known against the minutes of the run, as trained and in new words."""
    longest = max(one["seconds"] for one in found["variants"].values())
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for key, title, left in PANELS:
        drawn += [svg_text(left, 30, title, size=15, weight=600), *_axes(left, longest)]
        for name, one in found["variants"].items():
            points = [
                (left + PANEL_WIDTH * point["seconds"] / longest, BOTTOM - (BOTTOM - TOP) * point[key])
                for point in one["curve"]
            ]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            drawn.append(
                f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="3">'
                f"<title>{NAMES[name]}</title></polyline>"
            )
    drawn += [*_legend(), svg_text(20, HEIGHT - 12, found["note"], size=11, fill=MUTED), "</svg>\n"]
    return "\n".join(drawn)


def _axes(left: float, longest: float) -> list[str]:
    drawn = [f'<path d="M{left} {TOP} V{BOTTOM} H{left + PANEL_WIDTH}" fill="none" stroke="{MUTED}"/>']
    for share in (0.5, 1.0):
        y = BOTTOM - (BOTTOM - TOP) * share
        drawn += [
            f'<path d="M{left} {y} H{left + PANEL_WIDTH}" stroke="{MUTED}" stroke-opacity=".25"/>',
            svg_text(left - 6, y + 4, f"{share:.0%}", anchor="end", fill=MUTED, size=11),
        ]
    drawn += [
        svg_text(left, BOTTOM + 16, "0", fill=MUTED, size=11),
        svg_text(left + PANEL_WIDTH, BOTTOM + 16, f"{longest / 60:.0f} minutes", anchor="end", fill=MUTED, size=11),
    ]
    return drawn


def _legend() -> list[str]:
    drawn, x = [], 52.0
    for name, colour in COLOURS.items():
        drawn += [
            f'<rect x="{x:.0f}" y="{BOTTOM + 28}" width="18" height="4" fill="{colour}"/>',
            svg_text(x + 24, BOTTOM + 34, NAMES[name], fill=INK, weight=600 if name == TREE else 400),
        ]
        x += 60 + 7 * len(NAMES[name])
    return drawn
