"""A chat's messages as scenes: hours without one begin the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pipeline.records.raw import RawRecord, RawTurn, ReadOptions, scene_records


def chat_records(messages: Iterable[tuple[RawTurn, datetime | None]], options: ReadOptions) -> Iterator[RawRecord]:
    """Every message with the turns before it in its scene, which `options.scene_gap` hours without any end.

    One person's messages in a row are one turn for those after them; with `options.merge_messages` they are one record.
    """
    scene: list[RawTurn] = []
    last: datetime | None = None
    for turn, at in messages:
        if scene and ends_scene(last, at, options):
            yield from _scene(scene, options)
            scene = []
        scene.append(turn)
        last = at or last
    if scene:
        yield from _scene(scene, options)


def ends_scene(last: datetime | None, at: datetime | None, options: ReadOptions) -> bool:
    """Whether the pause between two messages ends a scene; where a time is not known, none does."""
    if last is None or at is None or not options.scene_gap:
        return False
    return at - last > timedelta(hours=options.scene_gap)


def _scene(turns: list[RawTurn], options: ReadOptions) -> Iterator[RawRecord]:
    first = turns[0].source
    each_line = not options.merge_messages
    yield from scene_records(turns, title="", place=first, window=options.window, each_line=each_line)
