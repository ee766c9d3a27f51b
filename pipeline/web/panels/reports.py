"""The pages that other commands write, in frames: recall, records, and what the loss sees."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from nicegui import ui

from pipeline.records.record import KINDS
from pipeline.stages import as_started
from pipeline.web.panels.command import CommandLog
from pipeline.web.run_pages import StudioRun

MOST_RECORDS = 50


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
        frame = ui.element("iframe").classes("page").props('sandbox=""')

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
    button = ui.button("Measure now (the quick exam)").props("no-caps unelevated").classes("start")
    button.visible = run.recipe is not None and run.is_finished
    log = CommandLog()
    reports = show_pages(run.recall_pages, f"Not measured yet: {run.command}", address)

    async def measure() -> None:
        own = ["--config", str(run.recipe), "--adapter", str(run.folder), *run.base_options]
        if await log.run(["recall", *own, "--quick"]):
            reports.refresh()

    button.on_click(measure)


def show_walks(run: StudioRun, address: Callable[[Path], str]) -> None:
    """What becomes of records, from the raw file to the tokens that the loss sees."""
    if run.recipe is None:
        said = "The recipe says how records become rows: understudy studio --config RECIPE"
        ui.label(as_started(said)).classes("note")
        return
    folder = tempfile.TemporaryDirectory(prefix="understudy-")
    ui.context.client.on_delete(folder.cleanup)
    page = Path(folder.name) / "explain.html"
    with ui.row().classes("bar"):
        which = ui.select(["one of each kind", *KINDS], value="one of each kind", label="Records").props(
            "dense outlined"
        )
        drawn = ui.number("or drawn: how many", min=1, max=MOST_RECORDS, precision=0)
        drawn.props("dense outlined clearable").classes("number")
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
