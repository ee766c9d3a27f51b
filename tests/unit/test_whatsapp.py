"""WhatsApp's exports, as phones in several languages write them, and dates that are taken for nobody's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.readers.scripts.transcript import spoken_line
from pipeline.records.record import Record
from pipeline.records.result import Conversion

ANDROID = """6/13/23, 7:35\u202fPM - Messages and calls are end-to-end encrypted.
6/13/23, 7:35\u202fPM - Bram: Are you up there?
6/13/23, 7:36\u202fPM - Bram: Mira?
6/13/23, 7:36\u202fPM - Mira: Two things:
the rope, and the oil
6/13/23, 7:37\u202fPM - Bram: <Media omitted>
6/13/23, 7:38\u202fPM - Mira: I come down at 8:30. <This message was edited>
6/13/23, 7:39\u202fPM - Bram: This message was deleted
"""
IOS = """[13.06.23, 19:35:01] Bram: Are you up there?
[13.06.23, 19:36:20] Mira: Two things:
the rope, and the oil
\u200e[13.06.23, 19:37:02] Bram: \u200eBild weggelassen
[13.06.23, 19:38:44] Mira: I come down at 8:30.
"""
CHINESE = """2023/6/13 下午7:35 - Bram: 你在上面吗？
2023/6/13 下午7:36 - Mira: 在，钟又走音了。
2023/6/14 上午7:36 - Mira: 早上好，钟修好了。
"""


def converted(folder: Path, content: str, character: str = "Mira") -> Conversion:
    path = folder / "WhatsApp Chat with Mira.txt"
    path.write_text(content, encoding="utf-8")
    return convert([path], character, ConversionOptions())


def before(record: Record) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in record.context]


def test_an_android_export_is_messages_with_the_turns_before_them(tmp_path: Path) -> None:
    conversion = converted(tmp_path, ANDROID)
    first, second = conversion.records
    assert first.text == "Two things:\nthe rope, and the oil"
    assert before(first) == [("Bram", "Are you up there?\nMira?")]
    assert second.text == "I come down at 8:30."
    reasons = sorted(reject.reason for reject in conversion.rejects)
    assert reasons[:3] == ["a deleted message", "a notice of the program", "a picture or another file"]
    assert reasons[3:] == ["another speaker"] * 2
    assert conversion.read == 7  # of eight lines one goes on with the message before it


def test_an_ios_export_is_read_alike(tmp_path: Path) -> None:
    conversion = converted(tmp_path, IOS)
    assert [record.text for record in conversion.records] == [
        "Two things:\nthe rope, and the oil",
        "I come down at 8:30.",
    ]
    assert before(conversion.records[0]) == [("Bram", "Are you up there?")]
    assert "a picture or another file" in {reject.reason for reject in conversion.rejects}


def test_a_long_pause_begins_a_new_scene(tmp_path: Path) -> None:
    evening, morning = converted(tmp_path, CHINESE).records
    assert before(evening) == [("Bram", "你在上面吗？")]
    assert before(morning) == []


@pytest.mark.parametrize(
    ("dates", "same_scene"),
    [
        (("01/02/2023, 20:00", "02/02/2023, 01:00", "25/02/2023, 09:00"), True),  # the third says that the day is first
        (("1/2/23, 8:00 PM", "2/2/23, 1:00 AM", "2/25/23, 9:00 AM"), False),  # ... that the month is
    ],
)
def test_which_number_is_the_day_is_decided_by_the_whole_file(
    dates: tuple[str, ...], same_scene: bool, tmp_path: Path
) -> None:
    lines = zip(dates, ("Bram: Late already.", "Mira: So it is.", "Bram: Morning."), strict=True)
    (record,) = converted(tmp_path, "\n".join(f"{date} - {text}" for date, text in lines)).records
    assert bool(record.context) is same_scene


@pytest.mark.parametrize(
    "line",
    [
        "6/13/23, 7:35 PM - Mira: Aye.",
        "2023年6月13日 19:35",
        "https://example.org",
        "12:30",
        "Mira at 7:30",
        "3: Aye.",
    ],
)
def test_dates_times_numbers_and_addresses_are_no_speakers(line: str) -> None:
    assert spoken_line(line) is None


@pytest.mark.parametrize("line", ["Mira: Aye.", "旅行者：你好。", "???: Who?", "Guard 2: Halt!", "R2-D2: 30 beeps"])
def test_names_are(line: str) -> None:
    assert spoken_line(line) is not None
