"""Chats of many programs as plain text: a time, a name and a text in one of several forms."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

SAID = [("Bram", "Are you up there?"), ("Mira", "I am: come up."), ("Bram", "At 10:30."), ("Mira", "Mind the rope.")]
INLINE = {
    "irc": "10:0{n} <{who}> {text}",
    "irc with modes": "[10:0{n}:11] <@{who}> {text}",
    "matrix": "[2023-06-13 10:0{n}:11] <{who}> {text}",
    "signal": "10:0{n} - {who}: {text}",
    "iso": "2023-06-13T10:0{n}:11.250Z {who}: {text}",
    "american": "10:0{n} AM {who}: {text}",
    "timecode": "00:10:0{n} {who}: {text}",
    "parenthesised": "(10:0{n}) {who}: {text}",
    "zoom": "10:0{n}:11 From {who} to Everyone: {text}",
    "line": "10:0{n}\t{who}\t{text}",
    "weechat": "2023-06-13 10:0{n}:11\t{who}\t{text}",
    "kakaotalk": "[{who}] [오전 10:0{n}] {text}",
}
ABOVE = {
    "qq": "2023-06-13 10:0{n}:11 {who}(12345678)\n{text}\n",
    "qq mail": "2023-06-13 10:0{n}:11 {who}<a.b@example.org>\n{text}\n",
    "wechat": "{who} 2023年6月13日 10:0{n}\n{text}",
    "discord": "{who} — 06/13/2023 10:0{n} AM\n{text}",
    "discord today": "{who} — Today at 10:0{n} AM\n{text}",
    "otter": "{who}  10:0{n}\n{text}\n",
    "teams": "[10:0{n}] {who}\n{text}",
}


def log(template: str, said: list[tuple[str, str]]) -> str:
    return "\n".join(template.format(n=n, who=who, text=text) for n, (who, text) in enumerate(said))


def converted(folder: Path, content: str, **options: float) -> Conversion:
    path = folder / "log.txt"
    path.write_text(content, encoding="utf-8")
    return convert([path], "Mira", ConversionOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("program", [*INLINE, *ABOVE])
def test_every_form_gives_the_same_messages_with_the_turns_before_them(program: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, log((INLINE | ABOVE)[program], SAID))
    first, second = conversion.records
    assert (first.text, second.text) == ("I am: come up.", "Mind the rope.")
    assert [(turn.speaker, turn.text) for turn in second.context] == SAID[:3]
    assert conversion.read == len(SAID)
    assert [file.form for file in conversion.files] == ["chat with times"]


@pytest.mark.parametrize("program", [*INLINE, *ABOVE])
def test_a_line_without_a_time_goes_on_with_the_message_before_it(program: str, tmp_path: Path) -> None:
    said = [*SAID[:3], ("Mira", "Two things:\nthe rope, and the oil")]
    assert converted(tmp_path, log((INLINE | ABOVE)[program], said)).records[-1].text == said[-1][1]


def test_notices_and_pictures_are_set_aside_and_an_action_is_said(tmp_path: Path) -> None:
    lines = (
        log(INLINE["irc"], SAID) + "\n10:05 -!- tam [x@y] has joined\n10:06 * Mira waves a lamp\n10:07 <Bram> [photo]\n"
    )
    conversion = converted(tmp_path, lines)
    assert conversion.records[-1].text == "*waves a lamp*"
    reasons = [reject.reason for reject in conversion.rejects]
    assert {"a notice of the program", "a picture or another file"} <= {*reasons}


def test_a_date_of_its_own_or_a_clock_that_goes_back_begins_a_day(tmp_path: Path) -> None:
    two_days = "2023/06/13(火)\n23:01\tBram\tUp?\n23:05\tMira\tStill up.\n2023/06/15(木)\n23:10\tMira\tUp again.\n"
    evening, later = converted(tmp_path, two_days).records
    assert ([turn.text for turn in evening.context], later.context) == (["Up?"], ())
    said = [("23:01", "Bram", "Up?"), ("23:59", "Mira", "Still up."), ("00:10", "Bram", "Past twelve?")]
    said += [("00:11", "Mira", "It is past twelve."), ("09:00", "Mira", "Good morning.")]
    midnight = "\n".join(f"{at} <{who}> {text}" for at, who, text in said)
    before = {record.text: len(record.context) for record in converted(tmp_path, midnight).records}
    assert before == {"Still up.": 1, "It is past twelve.": 3, "Good morning.": 0}


@pytest.mark.parametrize(
    "content",
    [
        "2023-06-13 Rain\nI went out.\n2023-06-14 Sun\nI stayed with Mira.\n2023-06-15 Fog\nNothing.\n",
        "10:00 INFO start\n10:01 WARN slow\n10:02 INFO stop\n",
        "10:00 First session\n11:00 Lunch\n12:00 Second session\n",
    ],
)
def test_diaries_logs_of_programs_and_timetables_are_no_chat(content: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="holds no raw file"):
        converted(tmp_path, content)


def test_times_within_a_script_leave_it_a_script(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "Bram: When?\nMira: at 10:30.\nBram: 10:30 then\nMira: 10:30 it is.\n")
    assert [file.form for file in conversion.files] == ["transcript"]
    assert len(conversion.records) == 2


LINE_TW = """[LINE] 與阿棠的聊天記錄
儲存日期：2023/08/20 22:10

2023/08/15（二）
上午09:12\t阿棠\t燈塔今天幾點亮？
上午09:13\tMira\t"六點。
不過先下來吃飯，
湯要涼了。"
上午09:14\t阿棠已收回訊息
上午09:15\tMira\t☎ 未接來電
上午09:16\tMira\t[貼圖]
上午09:16\tMira\t[檔案] 燈.pdf
上午09:17\tMira\tMira已收回訊息
上午09:18\tMira將阿棠加入群組
上午09:19\tMira\t"好"
"""


def test_a_message_of_several_lines_is_not_in_the_quotation_marks_of_lines_export(tmp_path: Path) -> None:
    conversion = converted(tmp_path, LINE_TW, short_lines=5)
    assert [record.text for record in conversion.records] == ["六點。\n不過先下來吃飯，\n湯要涼了。", '"好"']
    reasons = Counter(reject.reason for reject in conversion.rejects)
    assert reasons == {
        "a notice of the program": 2,
        "a call": 1,
        "a picture or another file": 2,
        "a deleted message": 1,
        "another speaker": 1,
    }


TITLED = """2023-03-05 20:11:03 {title}Mira{number}
Is anybody up there?

2023-03-05 20:11:40 {other}Bram
I am, of course.

2023-03-05 20:12:01 {title}Mira{number}
Then ring the bell.
"""


@pytest.mark.parametrize(
    ("title", "number", "other"),
    [("【执剑长老】", "(10001)", ""), ("【灯塔】", "", "【码头】"), ("【长老】【群主】", "<a@example.org>", "")],
)
def test_a_groups_own_titles_are_no_part_of_a_name(title: str, number: str, other: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, TITLED.format(title=title, number=number, other=other))
    assert [record.text for record in conversion.records] == ["Is anybody up there?", "Then ring the bell."]
    assert conversion.records[1].context[-1].speaker == "Bram"


def test_a_bracket_before_a_single_name_without_an_account_may_be_part_of_it(tmp_path: Path) -> None:
    log = TITLED.format(title="【灯塔】", number="", other="")
    (tmp_path / "log.txt").write_text(log, encoding="utf-8")
    assert len(convert([tmp_path / "log.txt"], "【灯塔】Mira", ConversionOptions()).records) == 2
