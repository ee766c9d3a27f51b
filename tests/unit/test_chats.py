"""Chats have times, and what their programs write for emoji, mentions and links becomes text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.chat_times import parse_time
from pipeline.records.clean import CleaningRules, clean
from pipeline.records.conversion import convert
from pipeline.records.record import Record

CHAT = """13/06/2023, 19:00 - Bram: Are you up there?
13/06/2023, 19:01 - Mira: I am, of course.
13/06/2023, 19:02 - Mira: Come up, but slowly.
13/06/2023, 22:30 - Mira: Still waiting for you.
"""


def records(folder: Path, **options: Any) -> tuple[Record, ...]:
    path = folder / "chat.txt"
    path.write_text(CHAT, encoding="utf-8")
    return convert([path], "Mira", ConversionOptions(**options)).records


@pytest.mark.parametrize(("hours", "scenes"), [(6.0, 1), (3.0, 2), (0.0, 1)])
def test_hours_without_a_message_begin_a_new_scene(hours: float, scenes: int, tmp_path: Path) -> None:
    assert len({record.scene for record in records(tmp_path, scene_gap=hours)}) == scenes


def test_a_chat_in_a_table_has_the_same_scenes(tmp_path: Path) -> None:
    rows = ["talker,msg,room_name,CreateTime"]
    said = (("Bram", "Up there?", "19:00"), ("Mira", "Aye here.", "19:01"), ("Mira", "Still here.", "22:30"))
    rows += [f"{who},{text},tower,2023-06-13 {at}:00" for who, text, at in said]
    path = tmp_path / "chat.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    for hours, scenes in ((6.0, 1), (3.0, 2), (0.0, 1)):
        found = convert([path], "Mira", ConversionOptions(scene_gap=hours)).records
        assert len({record.scene for record in found}) == scenes
    (merged,) = convert([path], "Mira", ConversionOptions(merge_messages=True)).records
    assert merged.text == "Aye here.\nStill here."


def test_messages_in_a_row_can_be_one_record_but_not_over_a_pause(tmp_path: Path) -> None:
    merged = records(tmp_path, scene_gap=3.0, merge_messages=True)
    assert [record.text for record in merged] == ["I am, of course.\nCome up, but slowly.", "Still waiting for you."]
    assert len(records(tmp_path, scene_gap=3.0)) == 3


def test_rows_with_a_time_are_a_chat(tmp_path: Path) -> None:
    times = ("2023-06-13T19:00:00Z", "2023-06-13T19:01:00+00:00", "1686769200", "1686769260000")
    said = [("Bram", "Up there?"), ("Mira", "Aye, here."), ("Bram", "Morning to you."), ("Mira", "And to you.")]
    rows = [{"at": at, "who": who, "line": line} for at, (who, line) in zip(times, said, strict=True)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"rows": rows}))
    columns = ["speaker=who", "text=line", "time=at"]
    first, second = convert([path], "Mira", ConversionOptions(rows="rows[]", columns=columns)).records
    assert [turn.text for turn in first.context] == ["Up there?"]
    assert [turn.text for turn in second.context] == ["Morning to you."]


@pytest.mark.parametrize("text", ["", "yesterday", "x", "99999999999999999999999999", "20230613x"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_time(text) is None


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("Up <a:bell:123456>!", "Up :bell:!"),
        ("Ask <@!123456789>, or <@&987654321> in <#55555555>.", "Ask @somebody, or @somebody in #channel."),
        ("问<@123456789>吧", "问@某人吧"),
        ("See https://www.example.org/a?b=c#d.", "See [link: example.org]."),
        ("看https://example.org/a吧，好吗", "看[链接：example.org]吧，好吗"),
        ("It is [the map](https://example.org/x).", "It is the map."),
        ("https://example.org/a www.example.org", ""),
        ("No link: a/b, 3:4, http alone.", "No link: a/b, 3:4, http alone."),
    ],
)
def test_emoji_mentions_and_links_become_text(raw: str, readable: str) -> None:
    assert clean(raw, CleaningRules(), "Mira") == readable


def test_a_line_of_nothing_but_a_link_is_rejected_and_steps_are_counted(tmp_path: Path) -> None:
    lines = ["https://example.org/a", "See www.example.org, please."]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"speaker": "Mira", "text": line} for line in lines]))
    account = account_of(convert([path], "Mira", ConversionOptions()))
    assert account["rejected"] == {"no content": 1}
    assert {step["name"]: step["changed"] for step in account["steps"]}["links"] == 2
