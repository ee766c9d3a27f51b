"""The studio's other panels: reports, what the loss sees, curves, exports."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nicegui import ui

from pipeline.conversations.persona import load_personas
from pipeline.errors import UnderstudyError
from pipeline.exports import FORMS
from pipeline.recipe import safe_folder_name
from pipeline.records.record import KINDS
from pipeline.runs.logs import Logs, read_logs
from pipeline.web.command import CommandLog
from pipeline.web.run_pages import EXPORTS_FOLDER, StudioRun

BETWEEN_LOOKS = 2.0  # seconds, at the logs of a run
MOST_RECORDS = 50
CURVES = {  # of each chart: its title, and of each line its name and the log's key
    "Loss, nats a token": {"training": "loss", "held-out lines and facts": "eval_loss"},
    "Recall while training": {
        "as trained, ranked first": "recall_seen_at_1",
        "as trained, word for word": "recall_seen_exact",
        "in new words, ranked first": "recall_unseen_at_1",
        "in new words, word for word": "recall_unseen_exact",
    },
}


def show_pages(
    pages: Callable[[], Mapping[str, Path]], missing: str, address: Callable[[Path], str]
) -> ui.refreshable[[], None]:
    """The pages that other commands wrote, one at a time; `missing` says where they come from. Gives what looks again.

    A page is shown in a frame that runs no script.
    """

    @ui.refreshable
    def shown() -> None:
        there = pages()
        if not there:
            ui.label(missing).classes("note")
            return
        first = next(iter(there))
        frame = ui.element("iframe").classes("page").props(f'sandbox="" title="{len(there)} pages"')

        def turn_to(title: str) -> None:
            frame.props["src"] = address(there[title])
            frame.props["title"] = title

        if len(there) > 1:
            choice = ui.select(list(there), value=first, on_change=lambda event: turn_to(event.value))
            choice.props('dense outlined aria-label="Page"').move(target_index=0)
        turn_to(first)

    shown()
    return shown


def show_recall(run: StudioRun, address: Callable[[Path], str]) -> None:
    """The run's reports of recall, and a button that measures."""
    log: list[CommandLog] = []

    async def measure() -> None:
        if await log[0].run(["recall", "--config", str(run.recipe), "--adapter", str(run.folder), "--quick"]):
            reports.refresh()

    if run.recipe and run.is_finished:
        ui.button("Measure now (the quick exam)", on_click=measure).props("no-caps unelevated")
    log.append(CommandLog())
    reports = show_pages(run.recall_pages, f"Not measured yet: {run.command}", address)


def show_walks(run: StudioRun, address: Callable[[Path], str]) -> None:
    """What becomes of records, from the raw file to the tokens that the loss sees."""
    if run.recipe is None:
        ui.label("The recipe says how records become rows: understudy studio --config RECIPE").classes("note")
        return
    folder = tempfile.TemporaryDirectory(prefix="understudy-")
    ui.context.client.on_delete(folder.cleanup)
    page = Path(folder.name) / "explain.html"
    with ui.row().classes("bar"):
        which = ui.select(["one of each kind", *KINDS], value="one of each kind", label="Records").props(
            "dense outlined"
        )
        drawn = ui.number("or so many, drawn", min=1, max=MOST_RECORDS, precision=0).props("dense outlined clearable")
        button = ui.button("Show what the loss sees").props("no-caps unelevated")
    log = CommandLog()
    walks = show_pages(lambda: {"Walks": page} if page.is_file() else {}, "", address)

    async def explain() -> None:
        chosen = ["--sample", str(int(drawn.value))] if drawn.value else []
        if not chosen and which.value in KINDS:
            chosen = ["--kind", which.value]
        if await log.run(["explain", "--config", str(run.recipe), *chosen, "--html", str(page)]):
            log.lines.visible = False
            walks.refresh()

    button.on_click(explain)


def show_curves(run: StudioRun) -> None:
    """Loss and recall by step, live while the run goes on."""
    state = ui.label().classes("note").props('role="status"')
    charts = [
        ui.echart(_chart(title, lines), renderer="svg").classes("chart").props(f'role="img" aria-label="{title}"')
        for title, lines in CURVES.items()
    ]
    known: list[int] = [-1]

    def look() -> None:
        logs = read_logs(run.folder)
        if len(logs) == known[0]:
            return
        known[0] = len(logs)
        state.text = _progress(run, logs)
        for chart, lines in zip(charts, CURVES.values(), strict=True):
            for line, key in zip(chart.options["series"], lines.values(), strict=True):
                line["data"] = [[log["step"], round(log[key], 4)] for log in logs if key in log]
            chart.visible = any(line["data"] for line in chart.options["series"])
            chart.update()

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
        "title": {"text": title, "textStyle": {"fontSize": 14}},
        "legend": {"top": 26, "left": 0},
        "grid": {"top": 90, "left": 44, "right": 16, "bottom": 40},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "name": "step", "nameLocation": "middle", "nameGap": 24},
        "yAxis": {"type": "value", "min": 0},
        "color": ["#0d665f", "#c26d1c", "#4468b0", "#8a4f9e"],
        "animation": False,
        "series": series,
    }


def show_exports(run: StudioRun) -> None:
    """The forms that other programs take, each by a click, and the files that there are."""
    if not run.is_finished:
        ui.label("There is nothing to export before the run is finished.").classes("note")
        return
    try:
        names = [persona.name for persona in load_personas(run.folder)]
    except UnderstudyError as error:
        ui.label(str(error)).classes("note")
        return
    with ui.row().classes("bar"):
        form = ui.select({name: f"{name}: {what}" for name, what in FORMS.items()}, value="card", label="Form")
        form.props("dense outlined").classes("wide")
        name = ui.select(names, value=names[0], label="Character").props("dense outlined")
        name.visible = len(names) > 1
        button = ui.button("Export").props("no-caps unelevated")
    log = CommandLog()

    @ui.refreshable
    def files() -> None:
        for made, paths in run.exported().items():
            with ui.column().classes("export"):
                ui.label(f"{made}: {run.folder / EXPORTS_FOLDER / made}").classes("who")
                with ui.row():
                    _download_buttons(paths)

    async def export() -> None:
        own = f"{form.value}-{safe_folder_name(name.value, set())}" if len(names) > 1 else form.value
        out = run.folder / EXPORTS_FOLDER / own
        arguments = ["export", "--adapter", str(run.folder), "--to", form.value, "--out", str(out), "--as", name.value]
        if await log.run(arguments):
            files.refresh()

    button.on_click(export)
    files()


def _download_buttons(paths: Sequence[Path]) -> None:
    for path in paths:
        button = ui.button(path.name, on_click=lambda path=path: ui.download.file(path))
        button.props("flat dense no-caps").tooltip(f"{path.stat().st_size / 1e6:.1f} MB")
