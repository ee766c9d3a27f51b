"""Tables as teams keep them: any of the usual names of columns, failed formulas, rows that are cut, sheets of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.readers.tables.no_lines import IS_ERROR, reason_of_no_line
from pipeline.records.result import Conversion
from pipeline.records.shape import describe_shape
from tests.raw_files import sheet, workbook

Rows = Sequence[Sequence[str]]
Writer = Callable[..., Path]


def comma_separated(folder: Path, rows: Rows, name: str = "a") -> Path:
    path = folder / f"{name}.csv"
    path.write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    return path


def tabs(folder: Path, rows: Rows, name: str = "a") -> Path:
    path = folder / f"{name}.txt"
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def excel(folder: Path, rows: Rows, name: str = "a") -> Path:
    path = folder / f"{name}.xlsx"
    path.write_bytes(workbook(Sheet1=sheet(rows)))
    return path


def converted(path: Path, character: str = "苏晚晴") -> Conversion:
    return convert([path], character, ConversionOptions())


def texts(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


either = pytest.mark.parametrize("write", [comma_separated, excel])


@pytest.mark.parametrize(
    "value",
    ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#SPILL!", "#####", "#¡REF!", "#WERT!", "Err:502"],
)
def test_what_a_failed_formula_leaves_is_no_line(value: str) -> None:
    assert reason_of_no_line(value, {}) == IS_ERROR


@pytest.mark.parametrize("text", ["#1 is mine!", "#never again!", "# N/A", "N/A!?", "#VALUE", "错误：药拿错了。"])
def test_what_only_resembles_a_failed_formula_may_be_a_line(text: str) -> None:
    assert not reason_of_no_line(text, {})


@either
@pytest.mark.parametrize(
    "header", [("场景", "角色", "台词"), ("时间", "发送人", "消息"), ("Scene", "Character", "Line")]
)
def test_a_failed_formula_is_neither_a_line_nor_context_nor_a_title(
    write: Writer, header: Sequence[str], tmp_path: Path
) -> None:
    said = [
        ("苏晚晴", "今天的药吃了没有？"),
        ("陆知远", "#N/A"),
        ("苏晚晴", "#REF!"),
        ("陆知远", "忘在船上了。"),
        ("#NAME?", "没有人听见。"),
        ("苏晚晴", "那就现在去拿。"),
    ]
    conversion = converted(write(tmp_path, [header, *(("#DIV/0!", *row) for row in said)]))
    assert texts(conversion) == ["今天的药吃了没有？", "那就现在去拿。"]
    before = conversion.records[1].context
    assert [turn.text for turn in before][:2] == ["今天的药吃了没有？", "忘在船上了。"]
    assert not any(turn.speaker.startswith("#") for turn in before)
    assert not any(record.prompt for record in conversion.records)
    assert account_of(conversion)["rejected"][IS_ERROR] == 2


@either
def test_a_failed_formula_is_nothing_that_a_profile_says(write: Writer, tmp_path: Path) -> None:
    rows = [("姓名", "年龄", "职业", "身高"), ("苏晚晴", "26", "医生", "#REF!"), ("陆知远", "31", "船长", "181")]
    assert texts(converted(write(tmp_path, rows))) == ["年龄：26\n职业：医生"]


LINES = [
    ("苏晚晴", "今天的药吃了没有？"),
    ("陆知远", "我忘在船上了。"),
    ("苏晚晴", "那就现在去拿。"),
    ("陆知远", "外面在下雨，你听。"),
    ("苏晚晴", "伞在门后面。"),
]
SAID = ["今天的药吃了没有？", "那就现在去拿。", "伞在门后面。"]


@pytest.mark.parametrize("write", [comma_separated, excel, tabs])
@pytest.mark.parametrize(
    "header",
    [
        *(
            (who, "文本")
            for who in ("角色", "說話者", "角色名稱", "发送人", "NPC名称", "名字", "Name", "Character Name")
        ),
        *(("角色", said) for said in ("对白内容", "語音文案", "剧情文本", "内容", "中文", "Content", "Dialogue")),
        ("Name", "Text"),
        ("NPC", "对白内容"),
        ("名字", "中文文本"),
    ],
)
def test_any_usual_word_for_who_speaks_goes_with_any_for_what_is_said(
    write: Writer, header: Sequence[str], tmp_path: Path
) -> None:
    assert texts(converted(write(tmp_path, [header, *LINES]))) == SAID


@either
@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (("角色", "内容"), [("苏晚晴", "雾港诊所的医生，话不多。"), ("陆知远", "船长，怕打针。")]),  # one each
        (("角色", "文本"), [("苏晚晴", "雾港诊所的医生。"), ("苏晚晴", "养着两只猫。"), ("陆知远", "船长。")]),
        (("角色", "标题", "内容"), [("苏晚晴", "身世", "我从不提起它。"), ("苏晚晴", "性格", "你问她也不说。")]),
        (("Name", "Content"), [("苏晚晴", "She never asks you twice."), ("苏晚晴", "She keeps two cats.")]),
        (("姓名", "英文", "日文"), [("苏晚晴", "Su Wanqing", "スー"), ("陆知远", "Lu Zhiyuan", "ルー")]),
    ],
)
def test_descriptions_and_names_in_columns_that_lines_may_have_too_are_not_read_as_lines(
    write: Writer, header: Sequence[str], rows: Rows, tmp_path: Path
) -> None:
    with pytest.raises(UnderstudyError, match="no known form"):
        converted(write(tmp_path, [header, *rows]))


@either
def test_where_the_file_is_called_after_lines_one_line_each_is_enough(write: Writer, tmp_path: Path) -> None:
    rows = [
        ("语音ID", "角色", "触发条件", "文本"),
        ("1", "苏晚晴", "登场", "雾大，慢走。"),
        ("2", "陆知远", "登场", "起锚。"),
    ]
    assert texts(converted(write(tmp_path, rows, "全角色语音表"))) == ["雾大，慢走。"]


@pytest.mark.parametrize("header", [("标题", "台词"), ("场合", "台词"), ("Trigger", "Line")])
def test_a_table_with_tabs_in_a_text_called_after_the_character_is_its_lines(
    header: Sequence[str], tmp_path: Path
) -> None:
    rows = [header, ("登场", "雾大，慢走。"), ("触摸", "听诊器很凉。")]
    assert texts(converted(tabs(tmp_path, rows, "苏晚晴语音"))) == ["雾大，慢走。", "听诊器很凉。"]


def test_a_script_with_tabs_between_name_and_line_is_still_a_script(tmp_path: Path) -> None:
    assert texts(converted(tabs(tmp_path, LINES))) == SAID


@pytest.mark.parametrize("of_whom", ["发信方", "账号", "群名片", "Posted by"])
def test_advice_takes_the_column_in_which_the_characters_name_stands_for_the_speaker(
    of_whom: str, tmp_path: Path
) -> None:
    rows = [("楼层", of_whom, "内容"), ("1", "陆知远", "有人在吗？"), ("2", "苏晚晴", "在的，请进。")]
    with pytest.raises(UnderstudyError, match=rf"\[speaker={of_whom}, text=内容\]"):
        converted(comma_separated(tmp_path, rows))
    said = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert f"speaker={of_whom}" in describe_shape(said, "a.json", ["苏晚晴"])


def test_advice_says_of_no_table_of_several_people_that_all_of_it_may_be_the_characters(tmp_path: Path) -> None:
    rows = [("楼层", "账号", "内容"), *((str(n), ("阿棠", "陆知远")[n % 2], f"这是第{n}句话。") for n in range(6))]
    with pytest.raises(UnderstudyError) as raised:
        converted(comma_separated(tmp_path, rows))
    assert "{{char}}" not in str(raised.value)


def test_advice_takes_no_column_in_which_the_name_stands_for_what_is_said(tmp_path: Path) -> None:
    rows = [("条", "内容"), ("甲", "苏晚晴"), ("乙", "住在雾港诊所的二楼。")]
    with pytest.raises(UnderstudyError) as raised:
        converted(comma_separated(tmp_path, rows))
    assert "text=内容" not in str(raised.value)
