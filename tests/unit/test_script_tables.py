"""Tables that are scripts, lists of one's lines or of people; what tells them apart, in Excel, csv and Word."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.column_advice import describe_columns
from pipeline.records.conversion import convert
from pipeline.records.readers.tables.localisation import CHOSEN
from pipeline.records.readers.tables.script_table import DOUBTFUL, TAKEN
from pipeline.records.result import Conversion
from pipeline.records.shape import describe_shape
from tests.raw_files import sheet, workbook

Rows = Sequence[Sequence[str]]
SCRIPT: Rows = [
    ("角色", "台词"),
    ("苏晚晴", "今天的药吃了没有？"),
    ("陆知远", "忘在船上了。"),
    ("苏晚晴", "那就现在去拿。"),
    ("陆知远", "外面在下雨。"),
    ("苏晚晴", "伞在门后面。"),
]
FILLED = "rows without a speaker taken for the one above (merged cells)"


def comma_separated(folder: Path, rows: Rows, name: str = "a") -> Path:
    path = folder / f"{name}.csv"
    path.write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    return path


def excel(folder: Path, rows: Rows, name: str = "a", merged: Sequence[str] = (), called: str = "Sheet1") -> Path:
    ranges = "".join(f'<mergeCell ref="{one}"/>' for one in merged)
    cells = sheet(rows).replace(b"</worksheet>", f"<mergeCells>{ranges}</mergeCells></worksheet>".encode())
    path = folder / f"{name}.xlsx"
    path.write_bytes(workbook(**{called: cells if merged else sheet(rows)}))
    return path


def word(folder: Path, *tables: Rows, heading: str = "", name: str = "a") -> Path:
    document, made = pytest.importorskip("docx").Document(), io.BytesIO()
    if heading:
        document.add_heading(heading, 1)
    for rows in tables:
        table = document.add_table(0, len(rows[0]))
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    document.save(made)
    path = folder / f"{name}.docx"
    path.write_bytes(made.getvalue())
    return path


def converted(path: Path, columns: list[str] | None = None) -> Conversion:
    return convert([path], "苏晚晴", ConversionOptions(columns=columns))


def contexts(conversion: Conversion) -> dict[str, list[str]]:
    return {record.text: [turn.text for turn in record.context] for record in conversion.records}


either = pytest.mark.parametrize("write", [comma_separated, excel])


@either
def test_in_a_table_in_which_people_take_turns_a_line_has_the_turns_before_it(write: type, tmp_path: Path) -> None:
    conversion = converted(write(tmp_path, SCRIPT))
    assert contexts(conversion) == {
        "今天的药吃了没有？": [],
        "那就现在去拿。": ["今天的药吃了没有？", "忘在船上了。"],
        "伞在门后面。": ["今天的药吃了没有？", "忘在船上了。", "那就现在去拿。", "外面在下雨。"],
    }
    assert account_of(conversion)["read"] == len(SCRIPT) - 1
    assert account_of(conversion)["remarks"] == {TAKEN: 1}


@either
@pytest.mark.parametrize(
    "rows",
    [
        [("Scene", "Character", "Line"), *(("Dusk", who, text) for who, text in SCRIPT[1:])],
        [("序号", "场次", "角色", "台词"), *((str(n), "3-1", *row) for n, row in enumerate(SCRIPT[1:], 1))],
        [("ID", "角色", "台词"), *((f"CH1_{n:03}", *row) for n, row in enumerate(SCRIPT[1:], 1))],
        [*SCRIPT[:1], ("旁白", "诊所里很安静。"), *SCRIPT[1:3], ("？？？", "（敲门声）"), *SCRIPT[3:]],
        [*SCRIPT[:1], *(row for pair in SCRIPT[1:] for row in (pair, ("", "")))],  # blank rows that separate nothing
        [("說話人", "內容"), *SCRIPT[1:]],
    ],
)
def test_numbers_scenes_and_a_narrator_leave_it_a_script(write: type, rows: Rows, tmp_path: Path) -> None:
    assert "忘在船上了。" in contexts(converted(write(tmp_path, rows)))["那就现在去拿。"]


@either
def test_a_scene_ends_where_its_column_changes_or_a_row_is_empty(write: type, tmp_path: Path) -> None:
    scenes = ["诊所", "", "", "码头", ""]
    rows = [("场景", *SCRIPT[0]), *((scene, *row) for scene, row in zip(scenes, SCRIPT[1:], strict=True))]
    conversion = converted(write(tmp_path, rows))
    assert [record.prompt for record in conversion.records] == ["诊所", "诊所", "码头"]
    assert contexts(conversion)["伞在门后面。"] == ["外面在下雨。"]
    parted = converted(write(tmp_path, [*SCRIPT[:4], ("", ""), *SCRIPT[4:]]))
    assert contexts(parted)["伞在门后面。"] == ["外面在下雨。"]


@either
@pytest.mark.parametrize(
    "rows",
    [
        [SCRIPT[0], *sorted(SCRIPT[1:])],  # by their speakers
        [("语音ID", *SCRIPT[0]), *((f"VO_{row[0]}_{n}", *row) for n, row in enumerate(SCRIPT[1:]))],
        [("ID", *SCRIPT[0]), *((str(90 - n), *row) for n, row in enumerate(SCRIPT[1:]))],
        [("标题", *SCRIPT[0]), *((f"早安{n}", *row) for n, row in enumerate(SCRIPT[1:]))],
        [("出处", *SCRIPT[0]), *(("第一章", *row) for row in SCRIPT[1:])],
        *(
            [(name, *SCRIPT[0]), *((f"登场{n // 2}", *row) for n, row in enumerate(SCRIPT[1:]))]
            for name in ("触发", "场合", "情境", "分类", "Event", "when", "trigger", "occasion", "Category", "variant")
        ),
        [("source_title", "speaker", "text"), *(("Dusk", *row) for row in SCRIPT[1:])],
        [
            SCRIPT[0],
            *((who, f"这是第{n}句台词。") for n in range(6) for who in ("苏晚晴", "陆知远", "阿棠")),
        ],  # a title each
        [("角色", "台词"), ("陆知远", "在吗？"), ("苏晚晴", "请进来吧。")],  # nobody speaks again
    ],
)
def test_a_list_of_voices_or_a_dump_gets_no_context(write: type, rows: Rows, tmp_path: Path) -> None:
    records = converted(write(tmp_path, rows)).records
    assert records
    assert not any(record.context for record in records)


@either
def test_many_rows_of_two_people_in_no_order_are_doubtful_unless_something_says_that_they_have_one(
    write: type, tmp_path: Path
) -> None:
    who = ["苏晚晴" if number // 2 % 2 else "陆知远" for number in range(40)]
    rows = [("角色", "台词"), *((name, f"这是第{number}句话。") for number, name in enumerate(who))]
    conversion = converted(write(tmp_path, rows))
    assert not any(record.context for record in conversion.records)
    assert account_of(conversion)["remarks"] == {DOUBTFUL: 1}
    assert any(record.context for record in converted(write(tmp_path, rows, "第三章剧本")).records)
    numbered = [("序号", *rows[0]), *((str(number), *row) for number, row in enumerate(rows[1:]))]
    assert any(record.context for record in converted(write(tmp_path, numbered)).records)


@either
def test_a_table_called_a_list_of_voices_is_one(write: type, tmp_path: Path) -> None:
    assert not any(contexts(converted(write(tmp_path, SCRIPT, "全员语音"))).values())


def test_a_merged_speaker_is_of_its_rows_however_few_and_others_without_one_are_nobodys(tmp_path: Path) -> None:
    rows = [SCRIPT[0], SCRIPT[1], ("", "我等着呢。"), *SCRIPT[2:4], ("", "雨声渐大。"), *SCRIPT[4:]]
    conversion = converted(excel(tmp_path, rows, merged=["A2:A3"]))
    assert contexts(conversion)["我等着呢。"] == []
    assert account_of(conversion)["remarks"] == {FILLED: 1, TAKEN: 1}
    assert account_of(conversion)["rejected"] == {"another speaker": 2, "a row without a speaker": 1}
    assert contexts(conversion)["那就现在去拿。"][0] == "今天的药吃了没有？\n我等着呢。"


def test_a_merged_scene_is_of_its_rows(tmp_path: Path) -> None:
    rows = [("场景", *SCRIPT[0]), ("诊所", *SCRIPT[1]), ("", *SCRIPT[3])]
    conversion = converted(excel(tmp_path, rows, merged=["A2:A3"]))
    assert [record.prompt for record in conversion.records] == ["诊所", "诊所"]


PEOPLE: Rows = [
    ("角色", "年龄", "生日", "职业", "CV"),
    ("苏晚晴", "41", "3月12日", "船医", "待定"),
    ("陆知远", "29", "", "大副", ""),
]


@either
@pytest.mark.parametrize("name", ["角色", "姓名", "Name"])
def test_of_a_table_of_people_the_characters_row_is_a_passage(write: type, name: str, tmp_path: Path) -> None:
    conversion = converted(write(tmp_path, [(name, *PEOPLE[0][1:]), *PEOPLE[1:]]))
    assert [(one.kind, one.prompt, one.text) for one in conversion.records] == [
        ("background", "基本信息", "年龄：41\n生日：3月12日\n职业：船医")
    ]
    assert account_of(conversion)["rejected"] == {"another speaker": 1}


@either
@pytest.mark.parametrize(
    "rows",
    [
        [*PEOPLE, ("苏晚晴", "41", "", "船医", "")],  # twice
        *([(*PEOPLE[0][:4], said), *PEOPLE[1:]] for said in ("语音", "说的话", "话", "Voice Over", "greeting_line")),
        [("speaker", "source", "comment"), ("苏晚晴", "第三集", "我从没去过灯塔。")],  # where from, in no language
    ],
)
def test_of_rows_that_may_be_lines_no_passage_is_made(write: type, rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="no known form"):
        converted(write(tmp_path, rows))


def test_a_sheet_of_such_rows_beside_others_is_set_aside(tmp_path: Path) -> None:
    sheets = {"lines": sheet(SCRIPT), "people": sheet([*PEOPLE, PEOPLE[1]])}
    (tmp_path / "a.xlsx").write_bytes(workbook(**sheets))
    conversion = converted(tmp_path / "a.xlsx")
    assert len(conversion.records) == 3
    assert account_of(conversion)["rejected"]["a sheet of no known form, in which 苏晚晴 is named"] == 1


@pytest.mark.parametrize("label", ["Voice actor", "说话方式"])
def test_who_lends_a_voice_and_how_one_speaks_are_part_of_a_profile(label: str, tmp_path: Path) -> None:
    rows = [("Name", "Age", "Job", label), ("苏晚晴", "41", "ship's doctor", "N. N.")]
    assert [one.kind for one in converted(comma_separated(tmp_path, rows)).records] == ["background"]


VOICES: Rows = [("标题", "台词", "解锁条件"), ("初次见面", "我是船上的医生。", "默认"), ("晚安", "灯我来关。", "好感3")]


@either
@pytest.mark.parametrize("name", ["苏晚晴语音表", "苏晚晴", "苏晚晴的台词_v2", "《苏晚晴》语音 最终版"])
def test_a_table_of_lines_is_hers_after_whom_its_file_is_called(write: type, name: str, tmp_path: Path) -> None:
    records = converted(write(tmp_path, VOICES, name)).records
    assert [(one.kind, one.prompt, one.text) for one in records] == [
        ("dialogue", "初次见面", "我是船上的医生。"),
        ("dialogue", "晚安", "灯我来关。"),
    ]


def test_a_sheet_may_be_called_after_her_too(tmp_path: Path) -> None:
    assert len(converted(excel(tmp_path, VOICES, "语音", called="苏晚晴")).records) == 2


@either
@pytest.mark.parametrize("name", ["苏晚晴与陆知远", "苏晚晴的妹妹语音", "语音表"])
def test_a_table_of_lines_called_after_others_is_nobodys(write: type, name: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="no known form"):
        converted(write(tmp_path, VOICES, name))


@either
@pytest.mark.parametrize(
    "name", ["who", "NPC", "author", "name", "讲述人", "说话", "said by", "Speaker Tag", "Speaker Name?", "nickname"]
)
@pytest.mark.parametrize("text", ["台词", "text"])
def test_a_file_called_after_her_is_not_all_hers_where_a_column_may_say_who_speaks(
    write: type, name: str, text: str, tmp_path: Path
) -> None:
    with pytest.raises(UnderstudyError, match="no known form"):
        converted(write(tmp_path, [(name, text), *SCRIPT[1:]], "苏晚晴"))


def test_of_a_workbook_dated_lines_without_a_room_are_no_chat(tmp_path: Path) -> None:
    rows = [("speaker", "content", "date"), *((*row, "2023-06-13") for row in sorted(SCRIPT[1:], reverse=True))]
    assert not any(contexts(converted(excel(tmp_path, rows))).values())
    roomed = [("room", *rows[0]), *(("诊所", *row) for row in rows[1:])]
    assert any(contexts(converted(excel(tmp_path, roomed))).values())


@either
def test_beside_a_speaker_a_title_is_the_lines_title(write: type, tmp_path: Path) -> None:
    records = converted(write(tmp_path, [("角色", *VOICES[0]), *(("苏晚晴", *row) for row in VOICES[1:])])).records
    assert [one.prompt for one in records] == ["初次见面", "晚安"]


@either
def test_columns_may_say_whose_all_rows_are_but_not_of_rows_that_name_somebody(write: type, tmp_path: Path) -> None:
    columns = ['speaker="{{char}}"', "text=台词", "title=标题"]
    assert [one.prompt for one in converted(write(tmp_path, VOICES, "语音"), columns).records] == ["初次见面", "晚安"]
    assert len(converted(write(tmp_path, SCRIPT), columns).records) == 3


def test_a_word_table_with_a_header_is_a_script_table(tmp_path: Path) -> None:
    rows = [
        ("镜号", "人物", "台词", "动作"),
        ("1", "陆知远", "药苦不苦？", "推门"),
        ("2", "苏晚晴", "苦，所以有用。", ""),
    ]
    (record,) = converted(word(tmp_path, rows, heading="第二幕")).records
    assert (record.prompt, [turn.text for turn in record.context]) == ("第二幕", ["药苦不苦？"])


@pytest.mark.parametrize("write", [word, excel])
def test_a_table_of_people_in_rows_or_columns_gives_only_the_characters(write: type, tmp_path: Path) -> None:
    for rows in (PEOPLE, list(zip(*PEOPLE, strict=True))):
        conversion = converted(write(tmp_path, rows))
        assert [one.text for one in conversion.records] == ["年龄：41\n生日：3月12日\n职业：船医"]


def test_a_word_profile_of_four_cells_a_row_is_pairs_of_a_label_and_what_it_says(tmp_path: Path) -> None:
    rows = [("姓名", "苏晚晴", "性别", "女"), ("年龄", "41", "职业", "船医")]
    (record,) = converted(word(tmp_path, rows, name="苏晚晴")).records
    assert "年龄：41" in record.text.split("\n")
    assert "职业：船医" in record.text.split("\n")


def test_a_word_table_of_one_quotation_for_each_of_several_people_is_no_conversation(tmp_path: Path) -> None:
    rows = [("人物", "台词"), ("陆知远", "风向变了。"), ("阿棠", "灯还亮着。"), ("苏晚晴", "先把药喝了。")]
    (record,) = converted(word(tmp_path, rows)).records
    assert record.context == ()


def test_a_chat_in_a_word_table_without_a_header_is_one(tmp_path: Path) -> None:
    rows = [("22:01", "陆知远", "睡了吗？"), ("22:02", "苏晚晴", "还在写病历。"), ("22:03", "陆知远", "早点休息。")]
    (record,) = converted(word(tmp_path, rows)).records
    assert (record.text, [turn.text for turn in record.context]) == ("还在写病历。", ["睡了吗？"])


def test_a_word_document_of_no_known_form_says_that_she_is_named_in_it(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="苏晚晴 is named in it"):
        converted(word(tmp_path, [("第一列", "第二列", "第三列"), ("甲", "苏晚晴来过", "乙")]))


TRANSLATED: Rows = [
    ("Diner - master sheet", "", "", "", ""),
    ("", "", "", "", ""),
    ("Key", "Speaker", "EN (source)", "中文", "DE"),
    ("d_010", "苏晚晴", "The tide is late.", "潮水来晚了。", "Die Flut ist spät."),
    ("d_020", "陆知远", "It is never late.", "它从不来晚。", "Sie ist nie spät."),
    ("d_030", "苏晚晴", "Tonight it is.", "今晚它来晚了。", "Heute schon."),
]


@either
def test_a_sheet_for_translators_is_read_in_the_language_of_the_characters_name(write: type, tmp_path: Path) -> None:
    conversion = converted(write(tmp_path, TRANSLATED))
    assert contexts(conversion) == {"潮水来晚了。": [], "今晚它来晚了。": ["潮水来晚了。", "它从不来晚。"]}
    assert account_of(conversion)["remarks"] == {CHOSEN.format("中文"): 1, TAKEN: 1}
    english = convert([tmp_path], "Orla", ConversionOptions(other_names=["苏晚晴"]))
    assert [record.text for record in english.records] == ["The tide is late.", "Tonight it is."]


@either
@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([("角色", "英文", "日文"), ("苏晚晴", "Su Wanqing", "スー")], "no known form"),  # what people are called
        ([("Key", "Speaker", "DE", "FR"), ("a", "苏晚晴", "Guten Abend.", "Bonsoir.")], "no known form"),
        (
            [("ID", "任务名", "NPC", "对话内容"), ("1", "失踪的猫", "苏晚晴", "它在钟楼。")],
            "speaker=NPC, text=对话内容, title=任务名",
        ),
        (
            VOICES,
            r"if all of it is the character's, set `columns` .* \['speaker=\"{{char}}\"', 'text=台词', 'title=标题'\]",
        ),
        (
            [("Beat", "What happens", "Mood"), ("1", "Orla finds the letter under the floor.", "low")],
            "speaker=who, text=line",
        ),
    ],
)
def test_what_no_column_is_surely_for_is_an_error_that_proposes_no_nonsense(
    write: type, rows: Rows, error: str, tmp_path: Path
) -> None:
    with pytest.raises(UnderstudyError, match=error):
        converted(write(tmp_path, rows))


def test_no_map_is_guessed_of_ids_files_or_texts_that_name_people() -> None:
    rows = [
        {"Name": "0x01A2", "SpeakerTag": "Orla", "Line": "Come up.", "img": "a/b.png", "ok": "yes"} for _ in range(4)
    ]
    rows = [row | {"Line": f"Come up, number {n}."} for n, row in enumerate(rows)]
    assert describe_columns(rows) == "set `columns` in the recipe, such as [speaker=SpeakerTag, text=Line]"
    assert describe_columns([{"Name": "Orla", "img": "portraits/orla.webp"}]).endswith("[speaker=who, text=line]")
    named = describe_shape([{"n": 1, "body": [{"content": "阿棠：灯灭了。"}, {"content": "老周：再点。"}]}], "a.json")
    assert "{{char}}" not in named


def test_a_chat_table_may_say_whom_it_is_with_and_who_sends(tmp_path: Path) -> None:
    rows = [
        ("联系人", "发送方", "内容", "时间"),
        ("陆知远", "陆知远", "在吗", "08:00"),
        ("陆知远", "苏晚晴", "在的，请进。", "08:01"),
    ]
    for write in (comma_separated, excel, word):
        assert contexts(converted(write(tmp_path, rows))) == {"在的，请进。": ["在吗"]}


def test_a_sheet_of_no_known_form_beside_others_says_that_she_is_named_in_it(tmp_path: Path) -> None:
    sheets = {
        "one": sheet(SCRIPT),
        "two": sheet([("甲", "乙"), ("苏晚晴", "来过")]),
        "three": sheet([("甲", "乙"), ("丙", "丁")]),
    }
    (tmp_path / "a.xlsx").write_bytes(workbook(**sheets))
    rejected = account_of(converted(tmp_path / "a.xlsx"))["rejected"]
    assert rejected == {
        "another speaker": 2,
        "a sheet of no known form": 1,
        "a sheet of no known form, in which 苏晚晴 is named": 1,
    }
