"""Tables as teams keep them: any of the usual names of columns, failed formulas, rows that are cut, sheets of one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.asides import OUT_OF_CHARACTER
from pipeline.records.clean import strip_markup
from pipeline.records.conversion import convert
from pipeline.records.readers.tables.no_lines import (
    IS_CUT,
    IS_ERROR,
    NOT_FINAL,
    NOT_IN_USE,
    NOT_WRITTEN,
    reason_of_no_line,
    without_row_marks,
)
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


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        *(("状态", value, IS_CUT) for value in ("弃", "已删", "待删", "停用", "不用", "不采用", "驳回", "disabled")),
        *(("状态", value, NOT_FINAL) for value in ("待定", "未定稿", "TBD")),
        *((column, "廢棄", IS_CUT) for column in ("录音状态", "審核狀態", "进度", "line_status", "Progress")),
        *((column, value, NOT_IN_USE) for column in ("是否启用", "使用", "Enabled") for value in ("否", "0", "FALSE")),
        *((column, value, IS_CUT) for column in ("是否废弃", "删除标记", "is_deleted") for value in ("是", "1", "x")),
        *(("备注", value, IS_CUT) for value in ("已删", "弃用。", "待删", "旧版，改用第三条")),
        ("Notes", "Old version: see row 12", IS_CUT),
        *(("状态", value, "") for value in ("定稿", "已录", "启用", "弃权", "初稿")),
        *(("是否启用", value, "") for value in ("是", "1", "TRUE", "")),
        *(("是否废弃", value, "") for value in ("否", "0", "")),
        *(("备注", value, "") for value in ("删掉前面的停顿", "旧版地图的台词", "不用停顿")),
        ("Cut", "1", ""),  # of a film
        ("使用", "雨夜", ""),
    ],
)
def test_a_row_is_no_line_where_a_column_of_its_state_says_so(column: str, value: str, reason: str) -> None:
    assert reason_of_no_line("雾散了，走吧。", {"角色": "苏晚晴", column: value}) == reason


@pytest.mark.parametrize(("key", "value"), [("enabled", False), ("is_deleted", True), ("deleted", 1)])
def test_so_it_is_in_json_where_the_state_is_no_text(key: str, value: object) -> None:
    assert reason_of_no_line("The fog lifts.", {key: value})
    assert not reason_of_no_line("The fog lifts.", {key: not value})


@pytest.mark.parametrize("text", ["占位文本占位文本", "测试文本1234", "XXX", "Test line 3", "佔位"])
def test_what_stands_in_for_a_text_is_none(text: str) -> None:
    assert reason_of_no_line(text, {}) == NOT_WRITTEN


@pytest.mark.parametrize("text", ["【删】灶上有饼。", "[弃]灶上有饼。", "（待删）灶上有饼。"])
def test_a_text_that_is_marked_as_cut_is_cut(text: str) -> None:
    assert reason_of_no_line(text, {}) == IS_CUT


@either
def test_how_a_line_is_said_and_what_an_engine_does_meanwhile_are_no_part_of_it(write: Writer, tmp_path: Path) -> None:
    rows = {
        "[愤怒]你再说一遍试试。": "你再说一遍试试。",
        "【情绪：悲傷】船没有回来。": "船没有回来。",
        "[sighs] The tide is late.": "The tide is late.",
        "药在桌上[pause=0.5]，趁热喝。": "药在桌上，趁热喝。",
        "伞在门后面。（待录）": "伞在门后面。",
        "[Open] the hatch, or 【雾港】 sinks.": "[Open] the hatch, or 【雾港】 sinks.",
    }
    given = [("角色", "标题", "台词"), *(("苏晚晴", str(n), f'"{text}"') for n, text in enumerate(rows))]
    given = given if write is comma_separated else [tuple(cell.strip('"') for cell in row) for row in given]
    assert texts(converted(write(tmp_path, given))) == [*rows.values()]


def test_a_name_that_a_program_puts_in_is_an_unresolved_placeholder(tmp_path: Path) -> None:
    rows = [("角色", "台词"), ("苏晚晴", "%name%，茶给你留了。"), ("苏晚晴", "药也喝掉。")]
    assert texts(converted(comma_separated(tmp_path, rows))) == ["药也喝掉。"]


@pytest.mark.parametrize("mark", ["[", "【", "（", "测试", "占位", "x", "旧版，", " ", "是否", "[pause="])
def test_thousands_of_marks_in_a_row_take_no_time(mark: str) -> None:
    text = mark * 5000
    without_row_marks(text)
    reason_of_no_line(text, {text: text, "备注": text, "状态": text, "是否启用": text})
    assert strip_markup(text)


ABOUT: Rows = [("姓名", "苏晚晴"), ("年龄", "26岁"), ("身高", "166cm"), ("籍贯", "雾港")]
PASSAGE = ["年龄：26岁\n身高：166cm\n籍贯：雾港"]
MODULES: Rows = [
    ("模块", "字段", "内容"),
    ("基础", *ABOUT[0]),
    *(("", *pair) for pair in ABOUT[1:]),
    ("诊所", "职业", "医生"),
]


@either
@pytest.mark.parametrize(
    ("rows", "passages"),
    [
        (ABOUT, PASSAGE),
        ([("字段", "内容"), *ABOUT], PASSAGE),
        ([("Attribute", "Value"), *ABOUT], PASSAGE),
        ([("属性", "苏晚晴"), *ABOUT[1:]], PASSAGE),
        ([("苏晚晴设定", ""), ("项目", "说明"), *ABOUT], PASSAGE),
        ([(*ABOUT[0], *ABOUT[1]), (*ABOUT[2], *ABOUT[3])], PASSAGE),
        (
            [(*ABOUT[0], *ABOUT[1], *ABOUT[2]), (*ABOUT[3], "职业", "医生", "性别", "女")],
            ["年龄：26岁\n身高：166cm\n籍贯：雾港\n职业：医生\n性别：女"],
        ),
        ([("人设表", "", ""), ("属性", "苏晚晴", "陆知远"), *((*pair, "不详") for pair in ABOUT[1:])], PASSAGE),
        (MODULES, [*PASSAGE, "职业：医生"]),
        ([*ABOUT, ("姓名", "陆知远"), ("年龄", "31岁")], PASSAGE),
        *(
            (
                [
                    (corner, "苏晚晴", "陆知远"),
                    ("年龄", "26岁", "31岁"),
                    ("身高", "166cm", "181cm"),
                    ("籍贯", "雾港", "外海"),
                ],
                PASSAGE,
            )
            for corner in ("字段", "属性", "项目", "角色", "", "姓名", "Field")
        ),
    ],
)
def test_a_sheet_of_labels_is_a_passage_about_the_one_whom_it_names(
    write: Writer, rows: Rows, passages: Sequence[str], tmp_path: Path
) -> None:
    conversion = converted(write(tmp_path, rows))
    assert texts(conversion) == passages
    assert {record.kind for record in conversion.records} == {"background"}


@either
@pytest.mark.parametrize(("name", "is_hers"), [("苏晚晴人设表", True), ("苏晚晴与陆知远", False), ("人设表", False)])
def test_a_sheet_of_labels_without_a_name_is_the_characters_if_it_is_called_so(
    write: Writer, name: str, is_hers: bool, tmp_path: Path
) -> None:
    path = write(tmp_path, [("字段", "内容"), *ABOUT[1:]], name)
    if is_hers:
        assert texts(converted(path)) == PASSAGE
    else:
        with pytest.raises(UnderstudyError):
            converted(path)


def test_a_word_table_of_modules_is_a_passage_for_each(tmp_path: Path) -> None:
    document = pytest.importorskip("docx").Document()
    table = document.add_table(0, 3)
    for row in MODULES:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.save(str(tmp_path / "a.docx"))
    assert texts(converted(tmp_path / "a.docx")) == [*PASSAGE, "职业：医生"]


def test_of_a_workbook_called_after_the_character_a_sheet_called_after_another_is_not_its(tmp_path: Path) -> None:
    path = tmp_path / "苏晚晴.xlsx"
    other = [("字段", "内容"), ("年龄", "31岁"), ("身高", "181cm"), ("籍贯", "外海")]
    path.write_bytes(workbook(基本信息=sheet([("字段", "内容"), *ABOUT[1:]]), 陆知远=sheet(other)))
    assert texts(converted(path)) == PASSAGE


@either
def test_what_stands_beside_the_labels_and_what_is_open_or_the_players_is_set_aside(
    write: Writer, tmp_path: Path
) -> None:
    rows = [
        ("字段", "内容", "备注"),
        *((*pair, "") for pair in ABOUT),
        ("武器", "手术刀", "待定"),
        ("皮下", "大三", ""),
    ]
    conversion = converted(write(tmp_path, [*rows, ("性别", "女", "编剧核对过")]))
    assert texts(conversion) == [f"{PASSAGE[0]}\n性别：女"]
    reasons = {NOT_FINAL: 1, OUT_OF_CHARACTER: 1, "beside the labels of a profile": 1}
    assert account_of(conversion)["rejected"] == reasons


@pytest.mark.parametrize("last", [("合计", "", ""), ("", "總計：", "5"), ("Total", "", "5 条")])
def test_a_row_of_sums_below_a_table_of_merged_speakers_leaves_it_one(last: Sequence[str], tmp_path: Path) -> None:
    rows = [
        ("编号", "角色", "台词"),
        ("1", "苏晚晴", "雾大，慢走。"),
        ("2", "", "路上小心台阶。"),
        ("3", "", "明天再来吧。"),
        ("4", "陆知远", "知道了。"),
        last,
    ]
    conversion = converted(comma_separated(tmp_path, rows))
    assert texts(conversion) == ["雾大，慢走。", "路上小心台阶。", "明天再来吧。"]


@either
@pytest.mark.parametrize("dressed", ["苏晚晴：", "[苏晚晴]", "【苏晚晴】", "【苏晚晴】：", "「苏晚晴」", "苏晚晴:"])
def test_a_speaker_may_keep_a_scripts_marks_in_its_cell(write: Writer, dressed: str, tmp_path: Path) -> None:
    rows = [("角色", "台词"), (dressed, "雾大，慢走。"), ("陆知远：", "知道了。"), ("【陆知远】的船", "呜——")]
    conversion = converted(write(tmp_path, rows))
    assert texts(conversion) == ["雾大，慢走。"]
    assert account_of(conversion)["rejected"] == {"another speaker": 2}


@pytest.mark.parametrize(
    ("speaker", "is_hers"),
    [
        *((f"苏晚晴（{how}）", False) for how in ("假", "冒牌货", "陆知远假扮", "替身")),
        *((f"苏晚晴 ({how})", False) for how in ("fake", "the impostor", "possessed by Bram", "Bram in disguise")),
        *((f"苏晚晴（{how}）", True) for how in ("假笑", "假装生气", "假扮船员", "内心", "易容")),
        *((f"苏晚晴 ({how})", True) for how in ("faking a laugh", "O.S.", "in disguise")),
    ],
)
def test_who_only_seems_to_be_the_character_is_somebody_else(speaker: str, is_hers: bool, tmp_path: Path) -> None:
    rows = [("角色", "台词"), (speaker, "我才是苏晚晴！"), ("苏晚晴", "雾大，慢走。")]
    assert ("我才是苏晚晴！" in texts(converted(comma_separated(tmp_path, rows)))) == is_hers


@either
def test_what_a_team_writes_for_itself_in_a_table_of_people_is_counted_and_not_taught(
    write: Writer, tmp_path: Path
) -> None:
    header = ("角色ID", "姓名", "年龄", "职业", "负责人", "状态", "备注")
    rows = [
        header,
        ("1001", "苏晚晴", "26", "医生", "阿May", "二稿", "年龄原24"),
        ("1002", "阿棠", "9", "学徒", "", "废弃", ""),
    ]
    across = list(
        zip(("字段", *header[:1], *header[2:]), *((row[1], row[0], *row[2:]) for row in rows[1:]), strict=True)
    )
    for given in (rows, across):
        conversion = converted(write(tmp_path, given))
        assert texts(conversion) == ["年龄：26\n职业：医生"]
        assert account_of(conversion)["unused_keys"]["负责人"] == 1
    pairs = [("字段", "内容"), *zip(header, rows[1], strict=True)]
    assert texts(converted(write(tmp_path, pairs))) == ["年龄：26\n职业：医生"]


def test_how_somebody_fares_is_no_state_of_a_draft(tmp_path: Path) -> None:
    rows = [("Name", "Age", "Status", "Version"), ("Orla", "41", "deceased", "3"), ("Bram", "20", "Draft", "1")]
    rows.append(("Mira", "30", "已故", "1"))
    people = {name: texts(converted(comma_separated(tmp_path, rows), name)) for name in ("Orla", "Bram", "Mira")}
    mira = ["Age: 30\nStatus: 已故"]
    assert people == {"Orla": ["Age: 41\nStatus: deceased"], "Bram": ["Age: 20"], "Mira": mira}


def test_a_person_who_is_cut_is_no_character(tmp_path: Path) -> None:
    rows = [("姓名", "年龄", "职业", "状态"), ("苏晚晴", "26", "医生", "废弃"), ("陆知远", "31", "船长", "定稿")]
    with pytest.raises(UnderstudyError, match=IS_CUT):
        converted(comma_separated(tmp_path, rows))


@pytest.mark.parametrize("header", [("说话者", "对白内容"), ("發言人", "文本"), ("角色名", "語音內容")])
def test_rows_of_json_have_the_same_words(header: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([dict(zip(header, line, strict=True)) for line in LINES]), encoding="utf-8")
    assert texts(converted(path)) == SAID


def test_a_table_in_a_text_whose_columns_are_not_known_is_called_one(tmp_path: Path) -> None:
    rows = [("甲", "乙", "丙"), *((str(n), "苏晚晴", "雾大，慢走。") for n in range(4))]
    with pytest.raises(UnderstudyError, match=r"a table with tabs.*name it \.tsv, and head its columns"):
        converted(tabs(tmp_path, rows))


@pytest.mark.parametrize(
    "header",
    [
        ("Line", "Speaker", "Text"),
        ("Line", "Character", "Dialogue"),
        ("对话", "角色", "对话内容"),
        ("对话", "说话人", "台词"),
        ("Char", "Speaker", "Line"),
        ("人物", "发言人", "文本"),
    ],
)
def test_of_two_columns_that_may_be_the_text_or_the_speaker_the_surer_one_is(
    header: tuple[str, ...], tmp_path: Path
) -> None:
    rows = [(str(number), *line) for number, line in enumerate(LINES, 1)]
    assert texts(converted(comma_separated(tmp_path, [header, *rows]))) == SAID
    path = tmp_path / "a.json"
    path.write_text(json.dumps([dict(zip(header, row, strict=True)) for row in rows]), encoding="utf-8")
    assert texts(converted(path)) == SAID


def test_a_code_name_keeps_its_quotation_marks(tmp_path: Path) -> None:
    rows = [
        ("角色", "台词"),
        ("「渡鸦」", "潮水退了，走吧。"),
        ("苏晚晴", "再等一等。"),
        ("「渡鸦」", "我一刻也不等了。"),
    ]
    assert texts(converted(comma_separated(tmp_path, rows), "「渡鸦」")) == ["潮水退了，走吧。", "我一刻也不等了。"]
