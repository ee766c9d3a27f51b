"""Lines and settings: {"source_title", "speaker", "text"}, {"input", "speaker", "text"}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.records.raw import RawRecord, ReadOptions, string


def read_row(source: str, row: Mapping[str, Any], _: ReadOptions) -> Iterator[RawRecord]:
    """One line, or one passage or answer with what it is asked by."""
    speaker = string(source, row, "speaker", required=True)
    text = string(source, row, "text", required=True)
    scene = string(source, row, "source_title")
    yield RawRecord(source, speaker, text, asked=string(source, row, "input"), scene=scene)
