"""Tables as people keep them: titles above the header, one cell for several rows, a full-width comma."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.check import format_check
from pipeline.records.conversion import convert
from pipeline.records.readers.tables.script_table import TAKEN
from pipeline.records.result import Conversion
from tests.raw_files import sheet, workbook

Rows = Sequence[Sequence[str]]
MERGED: Rows = [
    ("角色", "台词"),
    ("苏晚晴", "雾大，慢走。"),
    ("", "路上小心台阶。"),
    ("陆知远", "知道了。"),
    ("", "医生再见。"),
    ("", "早点休息。"),
    ("苏晚晴", "明天再来吧。"),
]
TITLED: Rows = [("雾港诊所台词表", ""), ("2024-01-01", ""), ("", ""), *MERGED[:2]]
FILLED = "rows without a speaker taken for the one above (merged cells)"


def comma_separated(folder: Path, rows: Rows) -> Path:
    path = folder / "a.csv"
    path.write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    return path


def excel(folder: Path, rows: Rows) -> Path:
    path = folder / "a.xlsx"
    path.write_bytes(workbook(Lines=sheet(rows)))
    return path


def converted(path: Path, columns: list[str] | None = None) -> Conversion:
    return convert([path], "苏晚晴", ConversionOptions(columns=columns))


def texts(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


either = pytest.mark.parametrize("write", [comma_separated, excel])


@either
def test_a_merged_speakers_cell_is_of_all_its_rows_and_they_are_counted(write: type, tmp_path: Path) -> None:
    conversion = converted(write(tmp_path, MERGED))
    assert texts(conversion) == ["雾大，慢走。", "路上小心台阶。", "明天再来吧。"]
    account = account_of(conversion)
    assert account["remarks"] == {FILLED: 3, TAKEN: 1}
    assert account["rejected"] == {"another speaker": 3}
    assert f"3 {FILLED}" in format_account(account)
    assert f"odd: 3 {FILLED}" in format_check(conversion)


@either
@pytest.mark.parametrize(
    "rows",
    [
        [
            *MERGED[:3],
            ("陆知远", "知道了。"),
            ("陆知远", "医生再见。"),
        ],  # twice in a row: a narrator stands between lines
        [*MERGED[:5], MERGED[-1]],  # one row below a speaker's, each time: what stands between lines is told
        [MERGED[0], ("", "雾从海上来。"), *MERGED[1:]],  # nobody to fill in from
        [*MERGED[:3], ("", "她关上门。"), ("苏晚晴", "再会。"), ("苏晚晴", "慢走。")],
        [("角色", "台词", "场景"), ("苏晚晴", "雾大，慢走。", "诊所"), ("", "", "码头"), ("陆知远", "知道了。", "")],
    ],
)
def test_rows_without_a_speaker_in_a_table_that_is_not_merged_are_nobodys(
    write: type, rows: Rows, tmp_path: Path
) -> None:
    conversion = converted(write(tmp_path, rows))
    assert FILLED not in account_of(conversion)["remarks"]
    assert "路上小心台阶。" not in texts(conversion)


@either
def test_the_header_is_the_first_line_with_a_known_forms_columns_and_what_is_above_is_set_aside(
    write: type, tmp_path: Path
) -> None:
    conversion = converted(write(tmp_path, TITLED))
    assert texts(conversion) == ["雾大，慢走。"]
    assert account_of(conversion)["rejected"] == {"a line above the header": 2}
    renamed = converted(write(tmp_path, [*TITLED[:3], ("甲", "乙"), *MERGED[1:2]]), columns=["speaker=甲", "text=乙"])
    assert texts(renamed) == ["雾大，慢走。"]


def test_a_chat_in_a_table_may_have_a_title_too(tmp_path: Path) -> None:
    rows = [("聊天记录", "", ""), ("发送人", "内容", "时间"), ("陆知远", "在吗", "2023-06-13 10:00")]
    conversion = converted(comma_separated(tmp_path, [*rows, ("苏晚晴", "在的，请进。", "2023-06-13 10:01")]))
    assert texts(conversion) == ["在的，请进。"]
    assert [turn.text for turn in conversion.records[0].context] == ["在吗"]
    assert [file.form for file in conversion.files] == ["chat in a table"]


def test_a_place_below_a_title_is_the_files_own_line(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"a\.csv:6: has 1 fields more than the first line"):
        converted(comma_separated(tmp_path, [*TITLED, ("苏晚晴", "好", "的")]))


def test_a_full_width_comma_separates_columns_and_stays_in_the_last(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("说话人，台词\n苏晚晴，雾大，慢走。\n陆知远，知道了。\n", encoding="utf-8")
    assert texts(converted(path)) == ["雾大，慢走。"]
