"""Messages with their times: a long pause between two begins a new scene."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.records.raw import RawRecord, RawTurn, ReadOptions, scene_records


def chat_records(
    messages: Iterable[tuple[RawTurn, datetime | None]], options: ReadOptions, *, room: str = ""
) -> Iterator[RawRecord]:
    """Every message of one room by itself, with the turns before it since the last pause of `options.scene_gap`."""
    scene: list[RawTurn] = []
    last: datetime | None = None
    for turn, at in messages:
        if scene and last and at and at - last > options.scene_gap:
            yield from _scene(scene, room, options)
            scene = []
        scene.append(turn)
        last = at or last
    if scene:
        yield from _scene(scene, room, options)


def _scene(turns: list[RawTurn], room: str, options: ReadOptions) -> Iterator[RawRecord]:
    place = f"{turns[0].source} ({room})" if room else turns[0].source
    yield from scene_records(turns, title="", place=place, window=options.window, each_line=True)
