"""What is taken from a passage stands in it, of the character; it is taught, but for what tests it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation.extraction import extract_facts
from pipeline.augmentation.passage_facts import passage_facts
from pipeline.augmentation.questions import language_rules
from pipeline.conversations.persona import Language, make_persona
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.probe import read_probes
from pipeline.evaluation.probes.proposals import write_proposals
from pipeline.records.record import Record

MIRA = (
    "Mira Vell was born in Saltmere, and her birthday falls on the first of May. She is forty-one years old. "
    "Her mother is Oda Vell, who casts bells. Bram is her master. He lives in Upper Quay and hates rain. "
    "Mira's favourite food is smoked eel. She never lived in Harrow. She is afraid of deep water, even in a boat."
)
AHENG = (
    "阿岚出生在雾山脚下，今年十七岁。她的师父是老石匠，最怕打雷。小满住在河西，讨厌下雨。"
    "阿岚不讨厌猫，喜欢鱼。阿岚最爱吃糖藕。"
)


def answers(passage: str, name: str, language: Language) -> list[str]:
    return [fact.answer for fact in extract_facts(passage, name, language)]


def test_an_english_passage_gives_what_it_says_of_the_character_alone() -> None:
    assert answers(MIRA, "Mira Vell", "en") == [
        "I was born in Saltmere.",
        "My birthday is the first of May.",
        "I am forty-one years old.",
        "My mother is Oda Vell.",
        "My favourite food is smoked eel.",
        "I am afraid of deep water.",
    ]


def test_a_chinese_passage_gives_what_it_says_of_the_character_alone() -> None:
    assert answers(AHENG, "阿岚", "zh") == [
        "我出生在雾山脚下。",
        "我今年十七岁。",
        "我的师父是老石匠。",
        "我最爱吃糖藕。",
    ]


def test_what_is_denied_or_doubted_is_no_fact() -> None:
    assert answers("Mira may live in Saltmere. She is said to be forty years old.", "Mira", "en") == []
    assert answers("据说阿岚出生在雾山。她没有讨厌的东西。", "阿岚", "zh") == []


@given(st.lists(st.sampled_from(MIRA.split(". ")), max_size=6))
def test_every_value_stands_in_its_sentence_and_no_question_holds_it(sentences: list[str]) -> None:
    for fact in extract_facts(". ".join(sentences), "Mira Vell", "en"):
        assert fact.value in fact.sentence
        assert fact.value in fact.answer
        assert len(set(fact.questions)) == 2
        assert not any(fact.value in question for question in fact.questions)


@pytest.mark.parametrize(
    ("passage", "title", "stated"),
    [
        ("Age: 27\nHeight: 172 cm\nLikes: rain; Eyes = grey", "Description", [
            "I am 27 years old.", "My height is 172 cm.", "I like rain.", "My eyes are grey."]),
        ('Species("human")\nLikes("tea" + "toast")', "Mira", ["My species is human.", "I like tea and toast."]),
        ("[Name: Mira Vell; Occupation: ringer]", "lore 4", ["My occupation is ringer."]),
        ("- **Age**: 27\n* Favorite food: eel", "Profile", ["I am 27 years old.", "My favourite food is eel."]),
        ("Age: 27\nLikes: rain", "The tower", []),  # whose, nobody says
        ("Name: Bram\nAge: 27", "The tower", []),
        ("Age: unknown to all. She hides it.\nNote: Mira is late", "Description", []),
        ("[Mira Vell repairs bells in Saltmere.] She is forty-one and left-handed.", "", [
            "I repair bells in Saltmere.", "I am forty-one years old."]),
        ("Mira is a ringer who sings. She is a bit late. She has green eyes.", "", [
            "I am a ringer.", "I have green eyes."]),
        ("Mira paints her boat the way other people sing. She hates his boots.", "", []),
        ("Mira writes songs of the sea. Her works often hold a bell, and her loves are few.", "", [
            "I write songs of the sea."]),
        ("Her sister, Mara, left. She is fifty and lives in Hull.", "", []),
        ("Mira's mother is a baker. She is sixty.", "", []),
        ("Mira met Lord Ashby in York. He is fifty. He is a baker.", "", []),
        ("Mira had a rival, Tom Ash. He lives in Leeds. He hates cats.", "", []),
        ("Miranda is fifty. She hates eels.", "", []),
        ("Mira lives in York. She is fifty.", "", ["I live in York.", "I am fifty years old."]),
        ('"She is fifty," he lied. "Mira is a liar," said Tom. Mira lives in fear of the sea.', "", []),
        ("Mira fears nothing. Mira loves you. Mira was born in May. Is Mira a baker?", "", []),
        ("Mira's mother was French.", "", []),
        ("Occupation: unknown\nWeapon: None\nHome: N/A\nWeight: ?", "Description", []),
        ("Age: 20", "Tom, Mira's brother", []),
        ("Name: Tom\nFull name: Tom Mira\nAge: 20", "Description", []),
        ("Mira\nAge: 20\n\nMira's brother Tom\nOccupation: smith", "Description", ["I am 20 years old."]),
        ("[Profile]\nAge: 20\n[Appearance]\nHair: red", "Description", ["I am 20 years old.", "My hair is red."]),
        ("From: a game\nborn in: 1872", "Description", []),
        ("Mira repairs bells in Saltmere. She keeps goats in Harrow.", "", ["I repair bells in Saltmere."]),
    ],
)  # fmt: skip
def test_lists_of_attributes_and_what_it_does_are_read_where_they_are_the_characters(
    passage: str, title: str, stated: list[str]
) -> None:
    assert [fact.answer for fact in extract_facts(passage, "Mira Vell", "en", title=title)] == stated


def test_a_chinese_list_of_attributes_is_read_too() -> None:
    facts = extract_facts("年龄：十七岁\n喜好：糖藕、茶；武器：船桨", "阿岚", "zh", title="人设")
    assert [fact.answer for fact in facts] == ["我今年十七岁。", "我喜欢糖藕、茶。", "我的武器是船桨。"]


@pytest.mark.parametrize(
    "passage",
    [
        "小雨有一个妹妹，今年十岁，喜欢跳舞。",
        "小雨养了一只猫，讨厌洗澡。",
        "小雨师父是张三，住在山上。",
        "小雨爱上的人是一名军官，住在上海。",
        "小雨今年三岁的弟弟很可爱。",
        "小雨遇见了老王。他今年六十岁，是一个木匠。",
        "小雨住在哪里？小雨最爱吃辣吗？",
        "小雨是一个月前来的。小雨喜欢上了邻家的少年。",
    ],
)
def test_what_a_chinese_passage_says_of_somebody_else_or_asks_is_not_taken(passage: str) -> None:
    assert answers(passage, "小雨", "zh") == []


@pytest.mark.parametrize(
    "passage",
    ["Mira" + " " * 20_000 + "x", "Mira" + "\u3000" * 20_000 + "x", "- " * 20_000, "Mira in" + " Aa" * 30_000],
)
def test_a_hostile_line_costs_no_time(passage: str) -> None:
    assert extract_facts(passage, "Mira Vell", "en", title="Description") == []


def passage_and(*asked: tuple[str, str]) -> list[Record]:
    return [
        Record("p", "background", "Character Story 1", MIRA, (), "Mira Vell", "a.json#0"),
        *(
            Record(f"q{number}", "setting_qa", question, answer, (), "Mira Vell", f"a.json#{number + 1}")
            for number, (question, answer) in enumerate(asked)
        ),
    ]


def test_what_only_a_passage_states_is_asked_and_what_a_record_gives_or_asks_is_not() -> None:
    persona, rules = make_persona("Mira Vell", "en", {}), language_rules("en")
    given = [
        ("Where do you come from?", "From Saltmere, by the sea."),  # the value
        ("Tell me how old you are.", "Old enough."),  # the question, in other words
        ("When is your birthday?", "In May."),  # the question
    ]
    made = passage_facts(passage_and(*given), persona, rules)
    assert [record.text for record in made] == [
        "My mother is Oda Vell.",
        "My favourite food is smoked eel.",
        "I am afraid of deep water.",
    ]
    assert {record.kind for record in made} == {"setting_qa"}
    assert all("'Character Story 1'" in record.why for record in made)
    assert len({record.record_id for record in made}) == len(made)


def test_no_question_that_tests_a_fact_of_a_passage_teaches_it() -> None:
    persona, rules = make_persona("Mira Vell", "en", {}), language_rules("en")
    tested = ["Where were you born?", "How old are you?", "What is your age?"]
    made = passage_facts(passage_and(), persona, rules, forbidden=tested)
    assert {record.prompt for record in made}.isdisjoint(tested)
    assert "I was born in Saltmere." in {record.text for record in made}  # asked in its other words
    assert "I am forty-one years old." not in {record.text for record in made}  # there is none


def test_proposals_are_probes_once_the_user_says_so(tmp_path: Path) -> None:
    passage = Record("p", "background", "Character Story 1", MIRA, (), "Mira Vell", "a.json#0")
    assert write_proposals([passage], "Mira Vell", "en", tmp_path / "facts.jsonl") == 6
    with pytest.raises(UnderstudyError, match="holds no probe to use"):
        read_probes(tmp_path / "facts.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines[0]["sentence"].startswith("Mira Vell was born")
    edited = "".join(json.dumps(line | {"use": line["type"] == "place"}) + "\n" for line in lines)
    (tmp_path / "facts.jsonl").write_text(edited, encoding="utf-8")
    (probe,) = read_probes(tmp_path / "facts.jsonl")
    assert (probe.seen, probe.answer, probe.aliases) == ("", "I was born in Saltmere.", ("Saltmere",))
