"""Walks as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Persona
from pipeline.inspection.show import format_exposures, format_weight
from pipeline.inspection.walk import RecordWalk
from pipeline.pages import page_templates


def write_page(walks: Sequence[RecordWalk], personas: Sequence[Persona], notes: Sequence[str], path: Path) -> None:
    """Write the page of these walks to `path`."""
    template = page_templates(Path(__file__).parent, exposures=format_exposures, weight=format_weight).get_template(
        "page.html.jinja"
    )
    write_text(path, template.render(walks=walks, personas=personas, notes=notes))
