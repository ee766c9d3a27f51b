"""The report of a conversion: one HTML page that needs nothing but itself."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pipeline.atomic_io import write_text
from pipeline.pages import page_templates

KIND_NAMES = {"background": "passages", "setting_qa": "settings", "dialogue": "lines"}
SUBKIND_NAMES = {
    "line": "lines",
    "cry": "lines shouted in play",
    "persona": "settings of the persona",
    "ambient": "settings of the hour",
    "passage": "passages",
}


def render_conversion_report(account: Mapping[str, Any]) -> str:
    """The page of one character's account."""
    sorts = [(SUBKIND_NAMES.get(sort, sort), count) for sort, count in account["sorts"].items()]
    template = _environment().get_template("conversion.html.jinja")
    return template.render(account=account, kind_names=KIND_NAMES, sorts=sorts)


def render_characters_report(summary: Mapping[str, Any]) -> str:
    """The page of many characters' summary, with a link to each one's own page."""
    return _environment().get_template("characters.html.jinja").render(summary=summary, kind_names=KIND_NAMES)


def write_conversion_report(account: Mapping[str, Any], path: Path) -> None:
    """Write the page to `path`, atomically."""
    write_text(path, render_conversion_report(account))


def write_characters_report(summary: Mapping[str, Any], path: Path) -> None:
    """Write the page to `path`, atomically."""
    write_text(path, render_characters_report(summary))


def grouped(number: int) -> str:
    """A number with its thousands separated."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """A part as a percentage that is 0% or 100% only where that is exact."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 1:
        return "<1%"
    return f"{min(99, round(percent)) if part < whole else round(percent)}%"


def width(part: int, whole: int) -> str:
    """A part as the width of a bar, in percent, never too thin to be seen unless it is nothing."""
    return f"{max(100 * part / whole, 0.4 if part else 0):.2f}" if whole else "0"


@functools.cache
def _environment() -> Environment:
    environment = page_templates(Path(__file__).parent, grouped=grouped)
    environment.globals |= {"share": share, "width": width}
    return environment
