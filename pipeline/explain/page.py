"""Walks as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.conversations.persona import Persona
from pipeline.explain.show import format_exposures
from pipeline.explain.walk import Walk


def write_page(walks: Sequence[Walk], persona: Persona, notes: Sequence[str], path: Path) -> None:
    """`path` holds the whole page; a reader never meets half of one."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["exposures"] = format_exposures
    page = environment.get_template("page.html.jinja").render(walks=walks, persona=persona, notes=notes)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)
