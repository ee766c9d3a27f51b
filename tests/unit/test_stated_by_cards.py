"""What a card says of its character in the usual ways, lists in brackets and sentences, is a fact to be asked for."""

from __future__ import annotations

import pytest

from pipeline.augmentation.extraction import extract_facts
from pipeline.conversations.persona import Language


def answers(passage: str, language: Language = "en", name: str = "Isaura Pell") -> list[str]:
    title = "Description" if language == "en" else "角色详细"
    return [fact.answer for fact in extract_facts(passage, name, language, title=title)]


@pytest.mark.parametrize(
    "passage",
    [
        "[Isaura: age= 19, hair= red; dislikes= dogs]",
        "[Isaura Pell; age= 19; hair= red; dislikes= dogs]",
        "[Isaura's persona: age= 19, hair= red, dislikes= dogs]",
        "[Isaura: age= 19,\nhair= red;\ndislikes= dogs;]",
    ],
)
def test_the_first_attribute_behind_the_name_is_no_less_a_fact_than_the_others(passage: str) -> None:
    assert answers(passage) == ["I am 19 years old.", "My hair is red.", "I dislike dogs."]


def test_a_single_attribute_behind_the_name_is_a_fact_in_either_language() -> None:
    assert answers("[Isaura: dislikes= dogs]") == ["I dislike dogs."]
    assert answers("[小满：讨厌=狗]", "zh", "小满") == ["我讨厌狗。"]


def test_a_list_in_brackets_below_another_name_is_not_the_characters() -> None:
    assert answers("[Bram: age= 50, hair= grey]") == []
    assert answers("[阿强：年龄=50；讨厌=猫]", "zh", "小满") == []


def test_what_stands_before_an_unknown_attribute_on_one_line_is_kept() -> None:
    line = '[Character("Isaura") Dislikes("lukewarm tea" + "being lied to") Gait("slow" + "odd") Likes("rain")]'
    assert answers(line) == ["I dislike lukewarm tea and being lied to.", "I like rain."]
    chinese = '[角色("小满") 讨厌("被骗" + "凉茶") 步态("慢") 喜欢("雨")]'
    assert answers(chinese, "zh", "小满") == ["我讨厌被骗、凉茶。", "我喜欢雨。"]


def test_what_somebody_looks_like_is_a_fact_where_it_is_listed() -> None:
    (looks,) = answers('Appearance("tall" + "red hair" + "freckles")')
    assert looks == "In a few words, I look like this: tall, red hair and freckles."
    assert answers("外貌：银发红瞳，身材高挑", "zh", "小满") == ["我的外貌是这样的：银发红瞳、身材高挑。"]
    assert answers("Appearance: She is tall, and her hair is red.") == []


def test_several_traits_in_marks_are_a_personality() -> None:
    assert answers('Personality("shy" + "stubborn")') == ["I would call myself shy and stubborn."]


def test_the_parts_of_a_home_are_no_list_of_two() -> None:
    home = 'Home("a barge called the Lame Duck" + "moored at Fennick Lock")'
    assert answers(home) == ["I live in a barge called the Lame Duck, moored at Fennick Lock."]


@pytest.mark.parametrize("age", ["27 year old", "27-year-old", "27 years old"])
def test_age_work_and_origin_of_one_clause_are_three_facts(age: str) -> None:
    expected = ["I am 27 years old.", "I am a librarian.", "I come from Harrowgate."]
    assert answers(f"Isaura Pell is a {age} librarian from Harrowgate.") == expected
    assert answers("小满是一名27岁的图书管理员，来自苏州。", "zh", "小满") == [
        "我今年27岁。",
        "我是一名27岁的图书管理员。",
        "我来自苏州。",
    ]


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("Isaura's eyes are green.", "My eyes are green."),
        ("Isaura's eyes are grey-green.", "My eyes are grey-green."),
        ("Isaura's hair is red and short.", "My hair is red and short."),
        ("Isaura has a cat named Pickle.", "My cat is called Pickle."),
        ("Isaura has a one-eyed ferret named Bodkin.", "My ferret is called Bodkin."),
        ("Isaura dislikes coffee.", "I dislike coffee."),
        ("Isaura likes coffee and rain.", "I like coffee and rain."),
        ("Isaura learned her trade from her aunt Marguerite.", "I learned my trade from my aunt Marguerite."),
        ("Isaura learned her craft from Marguerite Dole.", "I learned my craft from Marguerite Dole."),
        ("Isaura speaks Vessian and Latin.", "I speak Vessian and Latin."),
        ("Isaura lives on a barge called the Hen, moored at Fennick Lock.", "I live on a barge called the Hen."),
    ],
)  # fmt: skip
def test_a_sentence_about_the_character_is_a_fact(sentence: str, answer: str) -> None:
    assert answers(sentence) == [answer]


@pytest.mark.parametrize(
    "sentence",
    [
        "Isaura's eyes are wet.",
        "Isaura's hair is a mess.",
        "Isaura likes to sing.",
        "Isaura is a 40 year old and tired of it.",
        "Isaura speaks of Harrowgate.",
        "Isaura speaks Vessian badly when she is tired.",
    ],
)
def test_a_sentence_that_says_less_than_a_rule_is_no_fact_of_it(sentence: str) -> None:
    assert not any(one in answer for answer in answers(sentence) for one in ("eyes", "hair", "like", "speak", "tired"))


def test_hair_is_asked_for_as_one_thing_and_eyes_as_two() -> None:
    asked = [fact.questions[0] for fact in extract_facts("Isaura has long red hair.", "Isaura", "en")]
    asked += [fact.questions[0] for fact in extract_facts("Isaura has pale green eyes.", "Isaura", "en")]
    assert asked == ["What does your hair look like?", "What do your eyes look like?"]


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("小满不喜欢咖啡。", "我不喜欢咖啡。"),
        ("小满的手艺是跟姑姑阿芸学的。", "我的手艺是跟姑姑阿芸学的。"),
    ],
)
def test_a_chinese_sentence_of_the_same_is_a_fact(sentence: str, answer: str) -> None:
    assert answers(sentence, "zh", "小满") == [answer]


@pytest.mark.parametrize("clause", ["who lives alone", "in love", "with a limp"])
def test_an_age_without_a_work_behind_it_is_an_age_alone(clause: str) -> None:
    assert answers(f"Isaura Pell is a 27 year old {clause}.") == ["I am 27 years old."]
