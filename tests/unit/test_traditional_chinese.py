"""What is written for simplified characters knows texts in traditional ones, and answers in those."""

import json
from pathlib import Path

import pytest

import pipeline.augmentation
from pipeline.augmentation.address import addressed
from pipeline.augmentation.answered import sort_of_answer
from pipeline.augmentation.extraction import extract_facts
from pipeline.augmentation.frames import framed
from pipeline.augmentation.questions import language_rules, reword
from pipeline.augmentation.synonyms import in_other_words, language_synonyms
from pipeline.conversations.persona import make_persona
from pipeline.records.traditional_chinese import as_in, is_traditional, to_simplified, to_traditional

LABELS = """姓名：許映雪
綽號：阿雪
性別：女
年齡：31歲
職業：製圖員
出身：基隆
家鄉：基隆
種族：人類
身高：165公分
體重：52公斤
髮色：銀白
興趣：攝影、釣魚
喜歡：麵線
討厭：熱鬧
武器：鐵傘"""
PROSE = "許映雪今年三十一歲。她出生於基隆，住在花蓮。她喜歡麵線，討厭熱鬧。她的哥哥叫許映山。"


def _facts(passage: str, name: str) -> list[tuple[str, ...]]:
    return [(fact.answer, *fact.questions) for fact in extract_facts(passage, name, "zh", title="人物設定")]


@pytest.mark.parametrize("passage", [LABELS, PROSE], ids=["labels", "prose"])
def test_a_traditional_passage_states_what_it_states_in_simplified_characters(passage):
    stated = _facts(passage, "許映雪")
    assert len(stated) >= 6
    as_simplified = [tuple(map(to_simplified, fact)) for fact in stated]
    assert as_simplified == _facts(to_simplified(passage), "许映雪")


def test_its_questions_and_answers_are_in_traditional_characters():
    stated = dict(fact[:2] for fact in _facts(LABELS, "許映雪"))
    assert stated["我喜歡麵線。"] == "你喜歡什麼？"
    assert stated["我今年31歲。"] == "你多大了？"
    assert "我的愛好是攝影、釣魚。" in stated
    assert not any(char in "".join(sum(_facts(LABELS, "許映雪"), ())) for char in "欢么岁爱钓鱼发")


def test_a_passage_that_could_be_in_either_is_as_the_others_are():
    fact = extract_facts("生日：3月9日", "許映雪", "zh", title="許映雪", traditional=True)[0]
    assert fact.questions == ("你的生日是哪天？", "什麼時候給你慶生？")


def test_the_sentence_of_a_fact_stands_in_its_passage():
    for fact in extract_facts(PROSE, "許映雪", "zh", title="背景"):
        assert fact.sentence in PROSE
        assert fact.value in PROSE


@pytest.mark.parametrize(
    ("question", "wording"),
    [
        ("妳的弟弟是誰？", "你弟弟是什麼人？"),
        ("你的頭髮是什麼樣的？", "你留著什麼樣的頭髮？"),
        ("你最喜歡的顏色是什麼？", "你最喜歡什麼顏色？"),
    ],
)
def test_other_wordings_of_a_traditional_question_are_traditional(question, wording):
    made = [one.text for one in reword(question, "許映雪", language_rules("zh"))]
    assert wording in made
    assert not any(char in "".join(made) for char in "么谁发里欢颜")


def test_synonyms_and_frames_of_a_traditional_question_are_traditional():
    assert "你厭惡什麼？" in in_other_words("你討厭什麼？", language_synonyms("zh"), "許映雪")
    assert "請問，你討厭什麼？" in framed("你討厭什麼？", make_persona("許映雪", "zh", {}))


def test_a_traditional_question_about_the_character_is_one_to_it():
    assert addressed("許映雪最喜歡哪一條線？", "許映雪") == "你最喜歡哪一條線？"
    assert addressed("與許映雪有關係的是誰？", "許映雪") == "與你有關係的是誰？"


def test_a_traditional_question_has_its_sort_of_answer():
    assert sort_of_answer("你喜歡釣魚嗎？") == "yes_no"
    assert sort_of_answer("你喜歡什麼？") == "open"


def test_a_simplified_text_is_as_it_was():
    assert not is_traditional("她著手修好了乾坤镜。")
    assert to_traditional("皇后在公里之外，她的头发很干净") == "皇后在公里之外，她的頭髮很乾淨"
    assert as_in("裡面的麵線", "里面的面线很咸") == "裡面的麵線很鹹"


def test_each_pair_is_of_two_characters_and_known_once():
    path = Path(pipeline.augmentation.__file__).parents[1] / "records" / "traditional_chinese.json"
    listed = json.loads(path.read_text(encoding="utf-8"))
    pairs = [pair for part in ("pairs", "further") for line in listed[part] for pair in line.split()]
    assert all(len(pair) == 2 and pair[0] != pair[1] for pair in pairs)
    simplified = [pair[0] for line in listed["pairs"] for pair in line.split()]
    assert len({*simplified}) == len(simplified)
    assert all(to_simplified(to_traditional(char)) == char for char in simplified)
