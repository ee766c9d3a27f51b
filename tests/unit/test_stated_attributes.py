"""Which values of a profile's labels, and which clauses of a line about somebody, are facts."""

from __future__ import annotations

import logging

import pytest

from pipeline.augmentation.extraction import extract_facts
from pipeline.augmentation.passage_facts import passage_facts
from pipeline.augmentation.questions import language_rules
from pipeline.conversations.persona import Language, make_persona
from pipeline.records.record import Record


def answers(passage: str, language: Language = "zh", name: str = "许映雪") -> list[str]:
    return [fact.answer for fact in extract_facts(passage, name, language, title=name)]


@pytest.mark.parametrize(
    "line",
    [
        "生日：未定",
        "讨厌：待补",
        "讨厌：待补充",
        "籍贯：不详，师父捡的",
        "武器：无（以前有一把伞）",
        "身高：保密！",
        "年龄：18（暂定）",
        "年龄：19（第一卷）→22（第二卷）",
        "身份：表面是掌柜，实际是公主",
        "阵营：中立善良",
        "喜欢：TBD",
        "喜欢：N/A",
        "出身：unknown",
        "种族：？？？",
        "職業：待補",
        "生日：不詳",
    ],
)
def test_a_value_that_says_nothing_sure_is_no_fact(line: str) -> None:
    assert answers(line) == []


@pytest.mark.parametrize(
    "line",
    ["Birthday: TBD", "Age: 19 -> 22", "Likes: rain (won't admit)", "Hair: see Look", "Job: unknown, for now"],
)
def test_an_english_value_that_says_nothing_sure_is_no_fact(line: str) -> None:
    assert answers(line, "en", "Mira") == []


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("职业：无业游民", "我的职业是无业游民。"),
        ("发色：黑", "我的头发是黑色的。"),
        ("发色：银白", "我的头发是银白色的。"),
        ("髮色：銀白", "我的頭髮是銀白色的。"),
        ("发色：深棕色", "我的头发是深棕色的。"),
        ("发型：双马尾", "我的头发是双马尾。"),
        ("瞳色：琥珀色", "我的眼睛是琥珀色的。"),
        ("阵营：雾港议会", "我隶属于雾港议会。"),
        ("誕生日：3月9日", "我的生日是3月9日。"),
        ("寵物：逗點（橘貓）", "我的寵物是逗點（橘貓）。"),
    ],
)
def test_a_value_is_said_as_chinese_says_it(line: str, answer: str) -> None:
    assert answers(line) == [answer]


def test_a_line_about_somebody_states_what_it_lists() -> None:
    line = "许映雪，女，31岁，美术生，生日3月9日，身高165cm，双鱼座，B型血。住在花莲。喜欢画海图和猫，讨厌热闹。"
    assert answers(line) == [
        "我的性别是女。",
        "我今年31岁。",
        "我的生日是3月9日。",
        "我的身高是165cm。",
        "我的星座是双鱼座。",
        "我的血型是B型。",
        "我住在花莲。",
        "我喜欢画海图和猫。",
        "我讨厌热闹。",
    ]


@pytest.mark.parametrize(
    ("line", "stated"),
    [
        ("许映雪，女，31岁。父亲是船夫，喜欢喝酒。讨厌热闹。", ["我的性别是女。", "我今年31岁。"]),
        ("许映雪出生在花莲，七岁，父母双亡。", ["我出生在花莲。"]),
        ("许映雪的妹妹，9岁，喜欢画画。", []),
        ("许映雪喜欢海。讨厌热闹的人走了。", ["我喜欢海。"]),
    ],
)
def test_what_may_be_somebody_elses_or_of_another_time_is_no_fact(line: str, stated: list[str]) -> None:
    assert answers(line) == stated


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("Favourite colour: green, like the booth", "My favourite colour is green, like the booth."),
        ("Birthday: Oct 13 🎂", "My birthday is Oct 13."),
        ("Likes: rain, eels", "I like rain and eels."),
    ],
)
def test_an_english_value_is_said_as_it_stands(line: str, answer: str) -> None:
    assert answers(line, "en", "Mira") == [answer]


def test_a_number_among_things_is_none_of_them() -> None:
    assert answers("Role: owner, 46", "en", "Mira") == []


def test_of_two_ages_in_two_passages_neither_is_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(
        logging.getLogger("pipeline.augmentation.passage_facts"), "warning", lambda *say: warned.append(say[1])
    )
    texts = ["Mira is thirty years old.", "Age: 34\nHome: Saltmere", "Age: 46", "Home: Saltmere"]
    passages = [
        Record(f"{n}", "background", "Mira", text, (), "Mira", "a.md", "a section") for n, text in enumerate(texts)
    ]
    made = passage_facts(passages, make_persona("Mira", "en", {}), language_rules("en"))
    assert "46" not in " ".join(record.text for record in made)
    assert "34" not in " ".join(record.text for record in made)
    assert "I live in Saltmere." in [record.text for record in made]
    assert warned == ["How old are you?"]
