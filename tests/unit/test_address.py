"""A question about the character is turned into one to it and back, and asks for the same."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation.address import addressed, told_of
from pipeline.augmentation.boundaries import read_boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.items import Wordings, answers_of, other_wordings
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
        ("What Mira cherishes", "What you cherish"),
        ("What's Mira like?", "What are you like?"),
        ("Isn’t Mira a smith?", "Aren't you a smith?"),
        ("Mira’s age", "Your age"),
        ("What did Mira's brother call the boat?", "What did your brother call the boat?"),
        ("Could you tell me where Mira was born?", "Could you tell me where you were born?"),
        ("Do Mira and Bram live together?", "Do you and Bram live together?"),
        ("What does Queen Elena want from Mira?", "What does Queen Elena want from you?"),
        ("What is her most treasured possession?", "What is your most treasured possession?"),
        ("What is the name of his ship?", "What is the name of your ship?"),
        ("How old is she?", "How old are you?"),
        ("Has Mira won any prizes for her songs?", "Have you won any prizes for your songs?"),
        ("What is known of Mira's “Songs of Rain”?", "What is known of your “Songs of Rain”?"),
        ("Who taught her?", "Who taught you?"),
        ("她会弹吉他吗？", "你会弹吉他吗？"),
    ],
)
def test_what_can_only_be_about_the_character_is_turned(about: str, to: str) -> None:
    assert addressed(about, "Mira Vale") == to


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("Mira Vale", "Who is the king, and what does he want?"),
        ("Mira Vale", "What did the innkeeper say about his wife?"),
        ("Mira Vale", "Who betrayed Mira, and what happened to him?"),
        ("Mira Vale", "Did Mira love her?"),
        ("Mira Vale", "What did Mira tell the king about his son?"),
        ("Mira Vale", "What did Mira give him for his birthday?"),
        ("Mira Vale", "Did Mira talk to her before dawn?"),
        ("Mira Vale", "What does Bram do with his money?"),
        ("Mira Vale", "Who is Tom Vale?"),
        ("Mira Vale", "Where is Vale Street?"),
        ("Mira Vale", "Who lives at Vale-on-Sea?"),
        ("Mira Vale", "Mira, where do you live?"),
        ("Mira Vale", "Mira: childhood"),
        ("Mira Vale", "Mira's a smith, right?"),
        ("Mira Vale", "Who wrote “The Ballad of Mira Vale”?"),
        ("Mira Vale", "What made her famous?"),
        ("Mira Vale", "Do I know her?"),
        ("Leonardo da Vinci", "Where is Vinci?"),
        ("Captain Iris Blackwood", "Who is the Captain's mate?"),
        ("Will Turner", "Will the king die?"),
        ("James", "Who is James II?"),
        ("The Doctor", "The war ended when?"),
        ("芙宁娜", "芙宁娜怎么看她的父亲？"),
        ("芙宁娜", "娜维娅的生日是哪天？她几岁？"),
        ("芙宁娜", "他喜欢她吗？"),
        ("芙宁娜", "芙宁娜·其一"),
        ("芙宁娜", "谁写了《芙宁娜传》？"),
        ("芙宁娜", "你和芙宁娜是什么关系？"),
        ("王明", "国王明天去哪里？"),
        ("云", "云雾山在哪里？"),
    ],
)
def test_what_may_be_about_another_stays_as_it_is(name: str, question: str) -> None:
    assert addressed(question, name) == question


@pytest.mark.parametrize(
    "question",
    [
        "Are you and Bram married?",
        "How did your parents have you christened?",
        "You were born in",
        "你们那儿盛产什么？",
    ],
)
def test_what_would_be_told_of_another_is_not_turned_back(question: str) -> None:
    assert told_of(question, "Mira Vale") == ""


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
    forbidden = {answer: [text for text in made if name not in text and text != addressed(question, name)]}
    left = other_wordings(fact, persona, replace(wordings, forbidden=forbidden), random.Random(0))  # noqa: S311
    assert not {addressed(one.text, name) for one in left} & set(forbidden[answer])
    turned = {told: text for text in forbidden[answer] if addressed(told := told_of(text, name), name) == text}
    other = answers_of([fact], {"Nobody's.": list(turned)}, name)
    left = other_wordings(fact, persona, replace(wordings, answers=other), random.Random(0))  # noqa: S311
    assert turned
    assert not {addressed(one.text, name) for one in left} & set(turned.values())
    (probe,) = probes_from_records([record], persona, rules)
    assert not {frame.format(question=question) for frame in HELD_OUT_FRAMES[language]} & set(probe.unseen)
