"""Questions and answers in a text, in the dresses that people give them."""

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.check import format_check
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

TRADITIONAL = [("妳最怕什麼？", "最怕打雷。"), ("妳養什麼？", "一隻烏龜。")]
SHORT = [("姓名", "许映雪。"), ("年龄？", "三十一。"), ("最怕什么？", "打雷。")]
ENGLISH = [("How old is she?", "Thirty-one."), ("What does she fear?", "Thunder.")]
DRESSES = [
    (TRADITIONAL, "問：{q}\n答：{a}\n\n"),
    (TRADITIONAL, "Ｑ{n}：{q}\nＡ{n}：{a}\n"),
    (TRADITIONAL, "【問】{q}\n【答】{a}\n\n"),
    (SHORT, "问：{q}\n答：{a}\n"),
    (SHORT, "{n}.{q}\n答：{a}\n"),
    (SHORT[1:], "{n}、{q}\n——{a}\n"),
    (ENGLISH, "Q: {q}\nA: {a}\n"),
    (ENGLISH, "**Q: {q}**\nA: {a}\n"),
    (ENGLISH, "Q. {q}\nA. {a}\n"),
    (ENGLISH, "Q: {q} A: {a}\n"),
    (ENGLISH, "{n}. **{q}**\n{a}\n\n"),
    (ENGLISH, "{n}) {q}\n\n   - {a}\n\n"),
    (ENGLISH, "{n}. {q}  {a}\n"),
    (ENGLISH, "### {q}\n{a}\n\n"),
    (ENGLISH, "**{q}**\n{a}\n"),
]


def converted(folder: Path, text: str, name: str = "许映雪") -> Conversion:
    (folder / "a.txt").write_text(text, encoding="utf-8")
    return convert([folder / "a.txt"], name, ConversionOptions())


@pytest.mark.parametrize(("questions", "dress"), DRESSES, ids=[dress for _, dress in DRESSES])
def test_questions_with_their_answers_are_settings(
    questions: list[tuple[str, str]], dress: str, tmp_path: Path
) -> None:
    text = "".join(dress.format(q=q, a=a, n=n) for n, (q, a) in enumerate(questions, 1))
    records = converted(tmp_path, text).records
    assert [(one.kind, one.prompt, one.text) for one in records] == [("setting_qa", q, a) for q, a in questions]


def test_what_is_asked_and_not_answered_is_not_lost_in_silence(tmp_path: Path) -> None:
    text = "Q: Who are you?\nA: The ringer.\nQ: Your age?\nQ: Your cat?\nA: TBD\nQ: Your fears?\nA: Thunder.\n"
    conversion = converted(tmp_path, text, "Mira")
    assert [one.text for one in conversion.records] == ["The ringer.", "Thunder."]
    reasons = {reject.text: reject.reason for reject in conversion.rejects}
    assert reasons == {"Your age?": "a question without an answer", "TBD": "an answer that says nothing"}


@pytest.mark.parametrize(
    "answer", ["??? (a Scorpio, I think, check)", "not decided yet", "undecided", "还没想好", "？？（回头查）"]
)
def test_an_answer_that_waits_to_be_written_is_none(answer: str, tmp_path: Path) -> None:
    asked = {"What is your trade?": "I ring for fog.", "Your star sign?": answer, "Who taught you?": "My aunt Ro."}
    text = "\n".join(f"Q: {question}\nA: {one}\n" for question, one in asked.items())
    conversion = converted(tmp_path, text)
    assert [record.text for record in conversion.records] == ["I ring for fog.", "My aunt Ro."]
    assert [reject.reason for reject in conversion.rejects] == ["an answer that says nothing"]


def test_a_numbered_label_is_asked_and_answered_on_its_line(tmp_path: Path) -> None:
    text = "1.你叫什么？\n答：许映雪。\n2.最喜欢的食物：麵线\n3.最怕什么？\n答：打雷。\n"
    records = converted(tmp_path, text).records
    assert [(one.prompt, one.text) for one in records][1] == ("最喜欢的食物", "麵线")


def test_a_list_within_an_answer_asks_nothing(tmp_path: Path) -> None:
    text = "Q: What do you like?\nA: Two things.\n1. Tea.\n2. Eels?\n\nQ: Your cat?\nA: Admiral.\n"
    assert [one.text for one in converted(tmp_path, text, "Mira").records] == [
        "Two things. 1. Tea. 2. Eels?",
        "Admiral.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "### How is it installed?\nBy pip.\n### Which licence is it under?\nMIT.\n",
        "1. Tea\nA drink.\n2. Eels\nA fish.\n",
        "**Who rings the bell?**\nBram: Not me.\n**And why?**\nBram: No idea.\n",
    ],
)
def test_what_asks_nobody_is_no_question_to_the_character(text: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError):
        converted(tmp_path, text, "Mira")


@pytest.mark.parametrize(
    "text",
    [
        "Q: How old is she?\nA: She is thirty-one.\nQ: What does she fear?\nA: She fears thunder.\n",
        "问：许映雪多大了？\n答：她今年三十一岁。\n问：她怕什么？\n答：许映雪最怕打雷。\n",
    ],
)
def test_answers_about_her_are_passages_and_nothing_that_she_says(text: str, tmp_path: Path) -> None:
    assert [record.kind for record in converted(tmp_path, text).records] == ["background"] * 2


def test_what_is_asked_of_a_program_is_not_asked_of_her(tmp_path: Path) -> None:
    text = "问：如何安装本软件？\n答：双击安装包，按提示操作。\n问：如何卸载它？\n答：在控制面板里删除即可。\n"
    with pytest.raises(UnderstudyError):
        converted(tmp_path, text)


def test_an_answer_that_has_a_second_label_in_it_is_whole(tmp_path: Path) -> None:
    text = "Q: Who were you?\nA: A child. A: that is what he wrote.\nQ: Who are you?\nA: The ringer.\n"
    assert converted(tmp_path, text, "Mira").records[0].text == "A child. A: that is what he wrote."


BELOW = [
    "（作者：这题太狠了！）",
    "(Author: sorry!)",
    "Q11-15 待填",
    "第16题 暂无",
    "Q4-9: TBD",
    "## 下篇",
    "【感情篇】",
    "——————",
]


@pytest.mark.parametrize("line", BELOW)
def test_what_stands_below_an_answer_and_is_none_of_it_is_left_out(line: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"Q1：你怕什么？\nA：打雷。\n还有停电。\n{line}\nQ2：你养什么？\nA：一只乌龟。\n")
    assert [one.text for one in conversion.records] == ["打雷。还有停电。", "一只乌龟。"]
    assert [reject.text for reject in conversion.rejects if reject.text] == [line]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (
            "1、你的名字：许映雪\n2、你怕什么：打雷\n3、口味：咸的\n4、如果下雨会做什么：画海图\n",
            [("你的名字", "许映雪"), ("你怕什么", "打雷"), ("口味", "咸的"), ("如果下雨会做什么", "画海图")],
        ),
        (
            "1. 妳的名字：許映雪\n2. 妳養了幾隻貓：三隻\n",
            [("妳的名字", "許映雪"), ("妳養了幾隻貓", "三隻")],
        ),
        (
            "1. Your name: Mira\n2. What do you fear: thunder\n3. Pets: a goat\n",
            [("Your name", "Mira"), ("What do you fear", "thunder"), ("Pets", "a goat")],
        ),
    ],
)
def test_questions_without_a_mark_are_answered_behind_their_colon(
    text: str, pairs: list[tuple[str, str]], tmp_path: Path
) -> None:
    records = converted(tmp_path, text).records
    assert [(one.prompt, one.text.rstrip("。")) for one in records] == pairs


@pytest.mark.parametrize(
    "text",
    [
        "1、许映雪：把药喝了。\n2、方河：这药太苦。\n3、许映雪：苦才有用。\n",
        "1. 姓名：许映雪\n2. 年龄：31\n3. 武器：铁伞\n",
        "1. Mira: What do you want?\n2. Tam: Your boat.\n3. Mira: Who are you?\n",
    ],
)
def test_a_numbered_script_or_profile_asks_nothing(text: str, tmp_path: Path) -> None:
    name = "Mira" if "Mira" in text else "许映雪"
    assert "setting_qa" not in {one.kind for one in converted(tmp_path, text, name).records}


def test_an_interview_by_the_author_is_questions_and_answers(tmp_path: Path) -> None:
    text = "作者：你最怕什么？\n许映雪：打雷的晚上。\n作者：那你养了什么？\n许映雪：（想了想）一只乌龟。\n"
    records = converted(tmp_path, text).records
    assert [one.prompt for one in records] == ["你最怕什么？", "那你养了什么？"]
    assert records[0].text == "打雷的晚上。"


def test_a_script_in_which_its_author_speaks_beside_others_is_no_interview(tmp_path: Path) -> None:
    text = "作者：你最怕什么？\n许映雪：打雷的晚上。\n方河：那你养了什么？\n许映雪：养了一只乌龟。\n"
    assert {one.kind for one in converted(tmp_path, text).records} == {"dialogue"}


@pytest.mark.parametrize("char", [" ", "1", "Q", "#", "待", "（作者", "【", "—", "：", "1、"])
def test_questions_above_an_odd_line_are_read_in_no_time(char: str, tmp_path: Path) -> None:
    odd = f"{char * 5000}x\nQ1{char * 5000}x\n"
    assert converted(tmp_path, f"Q1：你怕什么？\nA：打雷。\nQ2：你养什么？\nA：一只乌龟。\n\n{odd}").records


NOTES = """Her full name is Isaura Pell.
- favourite colour: verdigris
Isaura is afraid of deep water.

Q: Where do you live?
A: By the lock.

She told me to stay.

Q: What do you eat?
A: Eels.

Q: Who taught you?
A: My aunt.

The weather was fine when I wrote this.
Isaura: Go away.
"""
CHINESE_NOTES = (
    "许映雪最怕深水。\n- 喜欢的颜色：青色\n\n"
    + "问：你住在哪？\n答：水闸边。\n\n问：你吃什么？\n答：鳗鱼。\n\n今天天气不错。\n"
)


@pytest.mark.parametrize(
    ("notes", "name", "passage", "left"),
    [
        (
            NOTES,
            "Isaura Pell",
            "Her full name is Isaura Pell.\n- favourite colour: verdigris\nIsaura is afraid of deep water.",
            3,
        ),
        (CHINESE_NOTES, "许映雪", "许映雪最怕深水。\n- 喜欢的颜色：青色", 1),
    ],
)
def test_what_notes_say_of_the_character_beside_questions_is_a_passage(
    notes: str, name: str, passage: str, left: int, tmp_path: Path
) -> None:
    found = converted(tmp_path, notes, name)
    (background,) = (record for record in found.records if record.kind == "background")
    assert (background.text, background.source) == (passage, f"{tmp_path / 'a.txt'}:1")
    assert sum(record.kind == "setting_qa" for record in found.records) >= 2
    assert f"odd: {left} lines of a.txt are neither questions nor answers, and not learnt" in format_check(found)
