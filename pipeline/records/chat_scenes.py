"""A chat's messages as scenes: hours without one begin the next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from pipeline.records.program_texts import (
    NOTICE,
    PROGRAM,
    reason_of_program,
    sender_name,
    without_marks,
    without_quotation,
)
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.role_play import Play, play_of, without_players

FORWARDED, A_QUOTATION = "a forwarded message", "a quotation alone"
QUOTATION, MARK = "quotations before replies left out", "marks of pictures beside a text left out"
REMARK = "messages without what their players say beside it"


def message_turn(source: str, speaker: str, text: str, options: ReadOptions, people: Collection[str] = ()) -> RawTurn:
    """A message as a turn of its sender's; what the chat program wrote, of the chat's `people` too, is set aside.

    What it quotes before a reply, and its marks of pictures beside a text, are left out of it and counted.
    """
    name = sender_name(speaker)
    if PROGRAM.fullmatch(name):
        return RawTurn(source, UNNAMED, text, NOTICE)
    reply = without_quotation(text)
    if reason := reason_of_program(reply, people):
        return RawTurn(source, name, text, reason)
    said = without_marks(reply)
    options.remarks.update([QUOTATION] * (reply != text) + [MARK] * (said != reply))
    return RawTurn(source, name, said)


def chat_records(messages: Iterable[tuple[RawTurn, datetime | None]], options: ReadOptions) -> Iterator[RawRecord]:
    """Every message with the turns before it in its scene, which `options.scene_gap` hours without any end.

    One person's messages in a row are one turn for those after them; with `options.merge_messages` they are one record.
    """
    all_of_them = list(messages)
    play = play_of([turn for turn, _ in all_of_them])
    scene: list[RawTurn] = []
    last: datetime | None = None
    for turn, at in all_of_them:
        if scene and ends_scene(last, at, options):
            yield from chat_scene(scene, play, options)
            scene = []
        scene.append(turn)
        last = at or last
    if scene:
        yield from chat_scene(scene, play, options)


def ends_scene(last: datetime | None, at: datetime | None, options: ReadOptions) -> bool:
    """Whether the pause between two messages ends a scene; where a time is not known, none does."""
    if last is None or at is None or not options.scene_gap:
        return False
    return at - last > timedelta(hours=options.scene_gap)


def chat_scene(
    turns: Sequence[RawTurn], play: Play | None, options: ReadOptions, place: str = ""
) -> Iterator[RawRecord]:
    """The messages of one scene, `place` being what identifies it, without what players say as themselves."""
    said = list(without_players(turns, play))
    options.remarks.update(REMARK for one, turn in zip(said, turns, strict=True) if one.text != turn.text)
    each_line = not options.merge_messages
    yield from scene_records(said, title="", place=place or turns[0].source, window=options.window, each_line=each_line)
