"""What is proposed from a passage stands in it, of the character, and is asked only once the user said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversations.persona import Language
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.extraction import extract_facts, write_proposals
from pipeline.evaluation.probes.probe import read_probes
from pipeline.records.record import Record

MIRA = (
    "Mira Vell was born in Saltmere, and her birthday falls on the first of May. She is forty-one years old. "
    "Her mother is Oda Vell, who casts bells. Bram is her master. He lives in Upper Quay and hates rain. "
    "Mira's favourite food is smoked eel. She never lived in Harrow. She is afraid of deep water, even in a boat."
)
AHENG = "阿岚出生在雾山脚下，今年十七岁。她的师父是老石匠，最怕打雷。小满住在河西，讨厌下雨。阿岚不讨厌猫，最爱吃糖藕。"


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
