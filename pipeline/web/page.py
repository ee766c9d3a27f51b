"""The studio's one page: a panel for each thing that is done with a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nicegui import ui

from pipeline.errors import UnderstudyError
from pipeline.stages import as_started
from pipeline.web.model_queue import ModelQueue
from pipeline.web.panels.chat import ChatPanel
from pipeline.web.panels.curves import show_curves
from pipeline.web.panels.exports import show_exports
from pipeline.web.panels.reports import show_pages, show_recall, show_walks
from pipeline.web.run_pages import StudioRun

NOT_CONVERTED = "Not converted yet, or the recipe is not known: understudy convert --config RECIPE"


def show_studio(runs: Sequence[StudioRun], queue: ModelQueue, address: Callable[[Path], str]) -> None:
    """The page of these runs; `address` gives where a file is served, for its frame."""
    panels: dict[str, Callable[[StudioRun], object]] = {
        "Recall": lambda run: show_recall(run, address),
        "Records": lambda run: show_pages(run.records_pages, as_started(NOT_CONVERTED), address),
        "What the loss sees": lambda run: show_walks(run, address),
        "Training": show_curves,
        "Export": show_exports,
    }
    with ui.header().classes("top"):
        ui.label("Understudy studio").classes("title")
        tabs = ui.tabs().props("dense no-caps outside-arrows mobile-arrows")
        with tabs:
            for name in ("Chat", *panels):
                ui.tab(name)
    with ui.tab_panels(tabs, value="Training" if queue.is_empty else "Chat").classes("panels"):
        with ui.tab_panel("Chat"):
            show_chat(queue)
        for name, show in panels.items():
            with ui.tab_panel(name):
                _show_for_one(runs, show)


def show_chat(queue: ModelQueue) -> None:
    """The chat, as soon as the models are loaded."""
    if queue.is_empty:
        ui.label("There is nobody to talk to before a run is finished; restart the studio then.").classes("note")
        return
    with ui.column().classes("panel") as panel:
        state = ui.label("Loading the model ...").classes("note").props('role="status"')

    async def fill() -> None:
        try:
            characters = await queue.characters()
        except UnderstudyError as error:
            state.text = str(error)
            return
        state.delete()
        with panel:
            chat = ChatPanel(characters, queue)
        panel.client.on_delete(chat.stop)

    ui.timer(0, fill, once=True)


def _show_for_one(runs: Sequence[StudioRun], show: Callable[[StudioRun], object]) -> None:
    """The panel of one of the runs, which is chosen above it where there are several."""

    def show_or_say_why_not(run: StudioRun) -> None:
        try:
            show(run)
        except (UnderstudyError, OSError) as error:  # such as a recipe that was edited meanwhile
            ui.label(str(error)).classes("note")

    with ui.column().classes("panel"):
        if len(runs) == 1:
            show_or_say_why_not(runs[0])
            return
        choice = ui.select({number: str(run.folder) for number, run in enumerate(runs)}, value=0, label="Run")
        choice.props("dense outlined")
        shown = ui.refreshable(lambda: show_or_say_why_not(runs[choice.value]))
        shown()
        choice.on_value_change(shown.refresh)
