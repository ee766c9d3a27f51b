"""Exports by a click, and the files that they made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nicegui import ui

from pipeline.conversations.persona import load_personas
from pipeline.exports import DEFAULT_OUTTYPES, FORMS, OUTTYPES
from pipeline.recipe import safe_folder_name
from pipeline.web.panels.command import CommandLog
from pipeline.web.run_pages import EXPORTS_FOLDER, StudioRun


def show_exports(run: StudioRun) -> None:
    """The forms that other programs take, each by a click, and the files that there are."""
    if not run.is_finished:
        ui.label("There is nothing to export before the run is finished.").classes("note")
        return
    names = [persona.name for persona in load_personas(run.folder)]
    with ui.row().classes("bar"):
        form = ui.select({name: f"{name}: {what}" for name, what in FORMS.items()}, value="card", label="Form")
        form.props("dense outlined").classes("wide")
        types = ui.select(list(OUTTYPES), value=[], label="Types", multiple=True).props("dense outlined")
        types.tooltip("of GGUF; those with a k need llama-quantize on the PATH").set_visibility(False)
        name = ui.select(names, value=names[0], label="Character").props("dense outlined")
        name.visible = len(names) > 1
        button = ui.button("Export").props("no-caps unelevated")
    log = CommandLog()

    def show_types() -> None:
        types.visible = form.value in DEFAULT_OUTTYPES
        types.value = list(DEFAULT_OUTTYPES.get(form.value, ()))

    form.on_value_change(show_types)

    @ui.refreshable
    def files() -> None:
        for made, paths in run.exported().items():
            with ui.column().classes("export"):
                ui.label(f"{made}: {run.folder / EXPORTS_FOLDER / made}").classes("who")
                with ui.row():
                    _download_buttons(paths)

    async def export() -> None:
        own = f"{form.value}-{safe_folder_name(name.value, set())}" if len(names) > 1 else form.value
        what = ["--adapter", str(run.folder), "--to", form.value, f"--as={name.value}", *run.base_options]
        what += ["--outtype", *types.value] if types.value else []
        if await log.run(["export", *what, "--out", str(run.new_export(own))]):
            files.refresh()

    button.on_click(export)
    files()


def _download_buttons(paths: Sequence[Path]) -> None:
    for path in paths:
        button = ui.button(path.name, on_click=lambda path=path: ui.download.file(path))
        button.props("flat dense no-caps").tooltip(f"{path.stat().st_size / 1e6:.1f} MB")
