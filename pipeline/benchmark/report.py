"""A bench's figures as a table to read and a picture for the docs. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from pipeline.benchmark.measure import BASELINE, TREE, VARIANT_NAMES


def format_bench(found: Mapping[str, Any]) -> str:
    """The figures as plain tables."""
    head = f"{'':<26}{'samples/s':>10}{'supervised/s':>14}{'times trl':>11}{'tokens/row':>12}"
    lines = [f"{head}{'peak memory':>13}{'of trl':>8}{'undisturbed':>13}"]
    for name, one in found["variants"].items():
        lines.append(
            f"{VARIANT_NAMES[name]:<26}{one['samples_per_second']:>10.2f}{one['supervised_per_second']:>14.0f}"
            f"{one['times_baseline']:>11.2f}{one['tokens_a_row']:>12.0f}{one['peak_bytes'] / 1e9:>10.2f} GB"
            f"{one['of_baseline_memory']:>8.2f}{one['undisturbed']:>13}"
        )
    tree, packed = found["variants"][TREE], found["variants"]["trl_packing"]
    lines += [
        f"prefix tree against packing: {tree['times_baseline'] / packed['times_baseline']:.2f} times the samples/s",
        f"matrix products: {found['gemm_rate'] / 1e9:.0f} GFLOP/s measured; the tree's step is"
        f" {found['share_of_ceiling']:.0%} of what they allow for its tokens",
        f"gradient, tree against padded: relative difference {found['gradient_difference']:.1e}",
        "",
        f"{'scene of n turns':<18}{'tokens apart':>13}{'as a tree':>11}{'a turn':>8}",
        *(
            f"{scene['turns']:<18}{scene['tokens_apart']:>13}{scene['tokens_tree']:>11}"
            f"{scene['tokens_tree'] / scene['turns']:>8.1f}"
            for scene in found["scenes"]
        ),
        "",
        f"{'processes':<18}{'tokens/row of the slowest':>26}{'dealt out':>11}{'largest batch':>15}{'dealt out':>11}",
        *(
            f"{cost['processes']:<18}{cost['slowest_in_order']:>26.1f}{cost['slowest_dealt']:>11.1f}"
            f"{cost['largest_in_order']:>15,}{cost['largest_dealt']:>11,}"
            for cost in found["dealing"]
        ),
        "",
        f"{'rows':<18}{'planning + collating':>22}{'share of the step':>19}",
        *(
            f"{cost['rows']:<18,}{(cost['planning'] + cost['collating']) * 1e3:>16.3f} ms/row{cost['share']:>18.2%}"
            for cost in found["planning"]
        ),
    ]
    return "\n".join(lines)


INK, MUTED, OURS, THEIRS = "#1f2933", "#6b7785", "#2b6cb0", "#b8c2cc"
WIDTH, BAR, LEFT, RIGHT = 860, 26, 190, 470


def draw_bench(found: Mapping[str, Any]) -> str:
    """An SVG picture: samples a second of each variant, and a long scene's tokens apart and as a tree."""
    variants = found["variants"]
    height = 96 + BAR * 1.5 * len(variants)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif">',
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>',
            svg_text(20, 30, f"{found['title']}: samples a second", size=15, weight=600),
            *_draw_bars(variants),
            svg_text(20, height - 16, found["note"], size=11, fill=MUTED),
            *_draw_scenes(found["scenes"], height),
            "</svg>\n",
        ]
    )


def _draw_bars(variants: Mapping[str, Any]) -> list[str]:
    longest = max(one["samples_per_second"] for one in variants.values())
    drawn = []
    for index, (name, one) in enumerate(variants.items()):
        top = 52 + index * BAR * 1.5
        width = (RIGHT - LEFT - 70) * one["samples_per_second"] / longest
        label = f"{one['samples_per_second']:.2f}"
        if name != BASELINE:
            label += f"  ({one['times_baseline']:.1f} x)"
        fill = OURS if name == TREE else THEIRS
        drawn += [
            svg_text(LEFT - 10, top + 18, VARIANT_NAMES[name], anchor="end"),
            f'<rect x="{LEFT}" y="{top:.1f}" width="{width:.1f}" height="{BAR}" rx="3" fill="{fill}"/>',
            svg_text(LEFT + width + 8, top + 18, label, weight=600 if name == TREE else 400),
        ]
    return drawn


def _draw_scenes(scenes: list[Mapping[str, float]], height: float) -> list[str]:
    """Tokens against turns: two lines with their last values."""
    left, right, top, bottom = RIGHT + 80, WIDTH - 90, 60, height - 62
    most_turns = max(scene["turns"] for scene in scenes)
    most = max(scene["tokens_apart"] for scene in scenes)

    def place(turns: float, tokens: float) -> tuple[float, float]:
        return left + (right - left) * turns / most_turns, bottom - (bottom - top) * tokens / most

    drawn = [
        svg_text(RIGHT + 60, 30, "tokens of a scene, every reply learnt", size=15, weight=600),
        f'<path d="M{left} {top} V{bottom} H{right}" fill="none" stroke="{MUTED}"/>',
        svg_text(left, bottom + 16, "0", anchor="middle", fill=MUTED),
        svg_text(right, bottom + 16, f"{most_turns} turns", anchor="end", fill=MUTED),
    ]
    for key, colour, name in (("tokens_apart", THEIRS, "rows apart"), ("tokens_tree", OURS, "as a tree")):
        points = [(left, bottom), *(place(scene["turns"], scene[key]) for scene in scenes)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        x, y = points[-1]
        drawn += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="3"/>',
            svg_text(x + 6, y + 2, f"{scenes[-1][key]:,}", weight=600),
            svg_text(x + 6, y + 16, name, fill=MUTED),
        ]
    return drawn


def svg_text(
    x: float, y: float, text: str, *, size: int = 12, weight: int = 400, fill: str = INK, anchor: str = "start"
) -> str:
    """An SVG text element; `text` is escaped."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{fill}"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )
