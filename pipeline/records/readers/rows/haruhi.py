"""ChatHaruhi's scenes, {"file", "text"} with 名：「话」 a line, and its lines, {"input_hint", "input", "output"}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.records.raw import CHARACTER, USER, RawRecord, ReadOptions, scene_records, string
from pipeline.records.readers.scripts.transcript import spoken_line, turns_of
from pipeline.records.record import Turn


def read_scene(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """Every turn of the scene. The file's name is no title: it is a line of the scene, so it would give it away."""
    lines = ((f"{source}:{number}", line) for number, line in enumerate(string(source, row, "text").split("\n"), 1))
    yield from scene_records(turns_of(lines), title="", place=source, window=options.window)


def read_line(source: str, row: Mapping[str, Any], _: ReadOptions) -> Iterator[RawRecord]:
    """The line under both of its prompts: its title, and the same question in a sentence."""
    title, asked = string(source, row, "input_hint").rstrip(".…"), string(source, row, "input")
    reply = string(source, row, "output", required=True)
    yield RawRecord(source, CHARACTER, reply, asked=title, place=source)
    spoken = spoken_line(asked)
    before = Turn(spoken["speaker"], spoken["text"]) if spoken else Turn(USER, asked)
    if before.text and before.text != title:
        yield RawRecord(source, CHARACTER, reply, asked=before.text, filed_under=title, place=source, context=(before,))
