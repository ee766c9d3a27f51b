"""The curves of a run, live while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from pipeline.runs.logs import Logs, read_logs
from pipeline.web.run_pages import StudioRun

BETWEEN_LOOKS = 2.0  # seconds, at the logs of a run
CURVES = {  # of each chart: its title, and of each line its name and the log's key
    "Loss, nats a token": {"training": "loss", "held-out lines and facts": "eval_loss"},
    "Recall while training": {
        "as trained, ranked first": "recall_seen_at_1",
        "as trained, word for word": "recall_seen_exact",
        "in new words, ranked first": "recall_unseen_at_1",
        "in new words, word for word": "recall_unseen_exact",
    },
}


def show_curves(run: StudioRun) -> None:
    """Loss and recall by step, live while the run goes on."""
    state = ui.label().classes("note").props('role="status"')
    charts = [
        ui.echart(_chart(title, lines), renderer="svg").classes("chart").props(f'role="img" aria-label="{title}"')
        for title, lines in CURVES.items()
    ]
    known: list[Logs] = [[]]

    def look() -> None:
        logs = read_logs(run.folder)
        state.text = _progress(run, logs)
        if logs == known[0]:
            return
        known[0] = logs
        for chart, lines in zip(charts, CURVES.values(), strict=True):
            for line, key in zip(chart.options["series"], lines.values(), strict=True):
                line["data"] = [[log["step"], round(log[key], 4)] for log in logs if key in log]
            chart.visible = any(line["data"] for line in chart.options["series"])
            chart.update()

    for chart in charts:
        chart.visible = False
    look()
    ui.timer(BETWEEN_LOOKS, look)


def _progress(run: StudioRun, logs: Logs) -> str:
    """Where the run is, in words."""
    if not logs:
        return f"No logs in {run.folder} yet: they appear here as the run writes them."
    step = f"step {max(int(log['step']) for log in logs)}"
    return f"finished at {step}" if run.is_finished else f"going on, or stopped, at {step}"


def _chart(title: str, lines: Mapping[str, str]) -> dict[str, Any]:
    series = [{"type": "line", "name": name, "data": [], "symbolSize": 4} for name in lines]
    return {
        "title": {"text": title, "left": 0, "top": 0, "textStyle": {"fontSize": 14}},
        "legend": {"top": 30, "left": 0},
        "grid": {"top": 90, "left": 44, "right": 16, "bottom": 40},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "name": "step", "nameLocation": "middle", "nameGap": 24},
        "yAxis": {"type": "value", "min": 0},
        "color": ["#0d665f", "#c26d1c", "#4468b0", "#8a4f9e"],
        "animation": False,
        "series": series,
    }
