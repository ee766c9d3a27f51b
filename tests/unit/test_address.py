"""A question about the character is turned into one to it and back, and asks for the same."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation.address import addressed, told_of
from pipeline.augmentation.boundaries import read_boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.items import Wordings, other_wordings
from pipeline.augmentation.premises import false_premises
from pipeline.augmentation.questions import language_rules
from pipeline.conversations.persona import Language, make_persona
from pipeline.evaluation.probes.probe import HELD_OUT_FRAMES, probes_from_records
from pipeline.records.record import Record


@pytest.mark.parametrize(
    ("about", "to"),
    [
        ("Where was Mira Vale born?", "Where were you born?"),
        ("Is Mira Vale afraid of the dark?", "Are you afraid of the dark?"),
        ("What does Mira Vale eat?", "What do you eat?"),
        ("What is Mira Vale's date of birth?", "What is your date of birth?"),
        ("Has Mira Vale ever left the valley?", "Have you ever left the valley?"),
        ("Did Mira Vale see the war?", "Did you see the war?"),
        ("Who is Mira Vale?", "Who are you?"),
        ("Which songs were written by Mira Vale?", "Which songs were written by you?"),
        ("阿蘅的生日是哪天？", "你的生日是哪天？"),
        ("阿蘅喜欢吃什么？", "你喜欢吃什么？"),
    ],
)
def test_a_question_is_turned_to_the_character_and_back(about: str, to: str) -> None:
    name = "阿蘅" if "阿蘅" in about else "Mira Vale"
    assert addressed(about, name) == to
    assert told_of(to, name) == about


@pytest.mark.parametrize(
    ("about", "to"),
    [
        ("What Vale hates", "What you hate"),
        ("What Mira cherishes, and why she does", "What you cherish, and why you do"),
        ("Where does Mira go when she is sad?", "Where do you go when you are sad?"),
        ("Did Mira’s upbringing shape her songs?", "Did your upbringing shape your songs?"),
        ("What did Mira's brother call his boat?", "What did your brother call his boat?"),
        ("Could you tell me where Mira was born?", "Could you tell me where you were born?"),
        ("What is her favourite colour?", "What is your favourite colour?"),
        ("Who taught her?", "Who taught you?"),
        ("Where does he live, and who made him a smith?", "Where do you live, and who made you a smith?"),
        ("Who is her brother, and what does he do?", "Who is your brother, and what does he do?"),
        ("What does Bram do with his money?", "What does Bram do with his money?"),
        ("What did Mira give him for his birthday?", "What did you give him for his birthday?"),
        ("她最喜欢什么颜色？", "你最喜欢什么颜色？"),
        ("其他人怎么看她们？", "其他人怎么看她们？"),
        ("Do I know her?", "Do I know her?"),
        ("Where is Vale Street?", "Where is Vale Street?"),
        ("Who lives at Vale-on-Sea?", "Who lives at Vale-on-Sea?"),
        ("Mira, where do you live?", "Mira, where do you live?"),
        ("What does Bram eat?", "What does Bram eat?"),
        ("谁写了《Mira Vale传》？", "谁写了《Mira Vale传》？"),
        ("你和Mira Vale是什么关系？", "你和Mira Vale是什么关系？"),
    ],
)
def test_what_is_somebody_elses_stays(about: str, to: str) -> None:
    assert addressed(about, "Mira Vale") == to


def test_a_name_of_one_letter_is_no_name_within_chinese_words() -> None:
    assert addressed("云雾山在哪里？", "云") == "云雾山在哪里？"


@given(st.text(max_size=60), st.text(min_size=1, max_size=12).filter(str.strip))
def test_any_text_is_turned_without_an_error_and_what_names_nobody_is_left_alone(question: str, name: str) -> None:
    told_of(question, name)
    third = re.search(r"\b(?:she|her|herself|he|him|his|himself)\b|[她他]", question, re.IGNORECASE)
    if not third and not any(part in question for part in (name, *name.split())):
        assert addressed(question, name) == question


@pytest.mark.parametrize(
    ("name", "language", "question", "answer"),
    [
        ("Mira Vale", "en", "How old is Mira Vale?", "Mira Vale is nineteen."),
        ("阿蘅", "zh", "阿蘅几岁了？", "阿蘅十七岁。"),
    ],
)
def test_a_question_about_the_character_has_the_wordings_of_one_to_it(
    name: str, language: Language, question: str, answer: str
) -> None:
    record = Record("id", "setting_qa", question, answer, (), name, "a.json#0")
    fact, persona, rules = Fact(answer, (record,)), make_persona(name, language, {}), language_rules(language)
    wordings = Wordings(read_boundaries(language), rules)
    made = [wording.text for wording in other_wordings(fact, persona, wordings, random.Random(0))]  # noqa: S311
    about = [text for text in made if name in text]
    assert len(made) > 30
    assert len(about) > 5
    assert len(made) - len(about) > 5
    assert any("you" in text or "你" in text for text in made)
    assert list(false_premises([fact], [record], read_boundaries(language), language))
    (probe,) = probes_from_records([record], persona, rules)
    assert not {frame.format(question=question) for frame in HELD_OUT_FRAMES[language]} & set(probe.unseen)
