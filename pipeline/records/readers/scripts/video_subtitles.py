"""Subtitles of web players in JSON: {"body": [{"from", "to", "content"}]}, {"events": [{"tStartMs", "segs"}]}.

The former are Bilibili's, the latter YouTube's. Neither names who speaks but in the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, mapping, scene_records, sequence
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.scripts.subtitles import PAUSE
from pipeline.records.readers.scripts.transcript import spoken_line, unquote

BILIBILI = re.compile(r'"body"\s*:\s*\[\s*\{[^{}]{0,200}"from"\s*:\s*-?[\d.]+')
YOUTUBE = re.compile(r'"events"\s*:\s*\[\s*\{[^{}]{0,200}"tStartMs"\s*:')
NO_SPEAKER = "a subtitle without a speaker"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object of subtitles with their times."""
    if not file.encoding or first_char(file) != "{":
        return False
    head = file.beginning
    return BILIBILI.search(head) is not None or YOUTUBE.search(head) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every subtitle as a turn; a pause of ten seconds separates scenes."""
    source, scene, silent_since = str(file.path), list[RawTurn](), 0.0
    for where, begins, ends, text in _subtitles(source, mapping(source, json_document(file))):
        if not text.strip():  # YouTube's window, which is there all the time
            continue
        if scene and begins - silent_since > PAUSE:
            yield from scene_records(scene, title="", place=scene[0].source, window=options.window)
            scene = []
        silent_since = max(silent_since, ends)
        scene.append(_turn(where, " ".join(text.split())))
    if scene:
        yield from scene_records(scene, title="", place=scene[0].source, window=options.window)


def _subtitles(source: str, document: Mapping[str, Any]) -> Iterator[tuple[str, float, float, str]]:
    """(place, beginning and end in milliseconds, text) of each."""
    if "events" in document:
        for number, value in enumerate(sequence(source, document["events"], "events")):
            where = f"{source}#events.{number}"
            event = mapping(where, value)
            said = [mapping(where, part) for part in sequence(where, event.get("segs") or [], "segs")]
            begins = _number(event.get("tStartMs"))
            text = "".join(str(part.get("utf8") or "") for part in said)
            yield where, begins, begins + _number(event.get("dDurationMs")), text
        return
    for number, value in enumerate(sequence(source, document["body"], "body")):
        where = f"{source}#body.{number}"
        one = mapping(where, value)
        yield where, 1000 * _number(one.get("from")), 1000 * _number(one.get("to")), str(one.get("content") or "")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _turn(source: str, text: str) -> RawTurn:
    if spoken := spoken_line(text):
        return RawTurn(source, spoken["speaker"], unquote(spoken["text"].strip()))
    return RawTurn(source, UNNAMED, text, NO_SPEAKER)
