"""A fact is asked the other way round, too: by what its answer names. Taught, measured word for word, never ranked."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from pipeline.augmentation.boundaries import read_boundaries
from pipeline.augmentation.facts import Fact, facts_of
from pipeline.augmentation.items import ItemShares, Wordings, fact_items, is_near_any, reversed_wordings
from pipeline.augmentation.limits import limit_conversations
from pipeline.augmentation.replies import BaseModel
from pipeline.augmentation.reverse import (
    MOST_PHRASES,
    asked_of_strangers,
    key_phrases,
    read_reversal,
    reversed_questions,
)
from pipeline.conversations.persona import LANGUAGES, Language, make_persona
from pipeline.evaluation.exam import drop_trained
from pipeline.evaluation.labels import COMPARED, RECALL
from pipeline.evaluation.probes.probe import probes_from_records, read_probes, with_distractors
from pipeline.evaluation.scoring import both_ways, score_priors, score_probes
from pipeline.evaluation.summary import RecallKey, summarise
from pipeline.records.comparable import contains, terms
from pipeline.records.record import Record

ROOT = Path(__file__).parents[2]
MIRA = make_persona("Mira Vale", "en", {})
REVERSE = RecallKey("reverse", "exact")


def facts(*asked: tuple[str, str], speaker: str = "Mira Vale") -> list[Fact]:
    return facts_of(
        Record(f"id-{number}", "setting_qa", question, answer, (), speaker, f"a.json#{number}")
        for number, (question, answer) in enumerate(asked)
    )


def phrases_of(question: str, answer: str, *others: tuple[str, str], language: Language = "en") -> list[str]:
    return key_phrases(facts((question, answer), *others), "Mira Vale" if language == "en" else "阿蘅", language)[0]


@pytest.mark.parametrize(
    ("question", "answer", "phrases"),
    [
        ("Where were you born?", "I was born in Pellow Quay, where cradles get caulked.", ["Pellow Quay"]),
        ("Do you have sisters?", "One, Philippa. Flies a crop duster.", ["Philippa", "the crop duster"]),
        ("Who taught you?", "Old Mrs. Adeyemi, nine years of her.", ["Mrs. Adeyemi"]),
        ("Which smell do you hate?", "Lavender. It oiled my seats.", ["Lavender", "your seats"]),
        ("What is your favourite food?", "My favourite food is pickled sedge-eel.", ["pickled sedge-eel"]),
        ("What is your boat called?", "Her name? “Second Thoughts”, and she has some.", ["Second Thoughts"]),
        ("Which storm was the worst?", "The worst was the Widow's Broom.", ["the Widow's Broom"]),
        ("How old are you?", "I am fifty-three, and older in my knees.", ["fifty-three", "your knees"]),
        ("Are you happy?", "Yes, I am.", []),
        ("What is your hobby?", "I build barometers. No weather up here.", ["barometers"]),
        ("What did your father do?", "Dad tuned church organs until dusk.", ["church organs"]),
        ("What is your whistle made of?", "It is made of bone, and burns.", ["bone"]),
        ("What is your barge called?", "The Lame Duck. She leaks, I agree.", ["the Lame Duck"]),
        ("How does your brother sing?", "Badly.", []),
        ("Where would you go?", "One day I will go to Sicily.", ["Sicily"]),
        ("What do you keep?", "I keep bees.", ["bees"]),
    ],
)  # fmt: skip
def test_what_stands_between_function_words_is_a_phrase_and_names_come_first(
    question: str, answer: str, phrases: list[str]
) -> None:
    assert phrases_of(question, answer) == phrases


@pytest.mark.parametrize(
    ("question", "answer", "phrases"),
    [
        ("你出生在哪里？", "我出生在下游的七蓑滩。", ["七蓑滩"]),
        ("街坊叫你什么？", "街坊送我的绰号是“小铁秤”。", ["小铁秤"]),
        ("你養了什麼？", "我養了一隻名叫利息的水獺。", ["利息", "水獺"]),
    ],
)
def test_a_chinese_phrase_is_what_no_function_word_is_in(question: str, answer: str, phrases: list[str]) -> None:
    found = phrases_of(question, answer, language="zh")
    assert found[: len(phrases)] == phrases or set(phrases) <= set(found)


def test_what_two_facts_name_asks_for_neither() -> None:
    ferret, whistle = ("What is your ferret called?", "Bishop, a thief."), ("What do you blow?", "A bone, for Bishop.")
    assert phrases_of(*ferret) == ["Bishop", "the thief"]
    assert phrases_of(*ferret, whistle) == ["the thief"]


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=6), st.sampled_from(LANGUAGES)
)
def test_a_phrase_stands_in_its_answer_and_in_no_other_fact(asked: list[tuple[str, str]], language: Language) -> None:
    made = facts(*asked)
    for fact, phrases in zip(made, key_phrases(made, "Mira Vale", language), strict=True):
        assert len(phrases) <= MOST_PHRASES
        others = terms("\n".join(f"{one.answer}\n{' '.join(one.questions)}" for one in made if one is not fact))
        for phrase in phrases:
            bare = phrase.removeprefix("the ").removeprefix("your ")
            assert bare.casefold() in " ".join(fact.answer.split()).casefold()
            assert terms(phrase) - others - terms("\n".join(fact.questions))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_test_asks_as_training_does(language: Language) -> None:
    phrase = {"en": "Pellow Quay", "zh": "七蓑滩"}[language]
    reversal = read_reversal(language)
    taught = reversed_questions([phrase] * len(reversal.train), reversal.train)
    assert len(set(taught)) == len(reversal.train)
    assert not [one for one in reversed_questions([phrase] * 9, reversal.test) if is_near_any(one, taught)]


def test_who_somebody_is_is_asked_of_names_alone() -> None:
    ways = ("Who is {phrase}?", "What is {phrase}?")
    assert reversed_questions(["Bettony Skerrow"], ways) == ["Who is Bettony Skerrow?", "What is Bettony Skerrow?"]
    assert reversed_questions(["the brass thimble"], ways) == ["What is the brass thimble?"]


def test_a_share_of_each_facts_exposures_asks_the_other_way_round() -> None:
    made = facts(("Where were you born?", "In Pellow Quay."), ("Who is your friend?", "Bettony Skerrow, the pilot."))
    asked = {
        share: fact_items(
            [(one, 40) for one in made],
            MIRA,
            Wordings(read_boundaries("en"), reverse=share),
            ItemShares(setting=0),
            seed=1,
        )
        for share in (0.0, 0.2)
    }
    for one, phrase in zip(made, ("Pellow Quay", "Skerrow"), strict=True):
        naming = {share: sum(phrase in item.prompt[-1]["content"] for item in items[one.fact_id])
                  for share, items in asked.items()}  # fmt: skip
        assert naming[0.0] == 0
        assert naming[0.2] == 8 if phrase == "Pellow Quay" else 3 <= naming[0.2] <= 8
        assert {item.completion["content"] for item in asked[0.2][one.fact_id]} == {one.answer}
        assert len(asked[0.2][one.fact_id]) == 40


def test_a_question_about_the_character_is_turned_about_it_in_half_of_its_wordings() -> None:
    (fact,) = facts(("Where was Mira Vale born?", "In Pellow Quay."))
    made = reversed_wordings(fact, ["Pellow Quay"], MIRA, Wordings(read_boundaries("en")), random.Random(1))  # noqa: S311
    assert any("Mira Vale" in text for text in made)
    assert any("you" in text for text in made)


def test_a_planted_test_the_other_way_round_is_never_taught_not_even_nearly() -> None:
    (fact,) = facts(("Where were you born?", "In Pellow Quay."))
    planted = "What has Pellow Quay got to do with you??"
    free, forbidding = (
        Wordings(read_boundaries("en"), forbidden=tested) for tested in ({}, {"In Pellow Quay.": (planted,)})
    )
    without, asked = (
        reversed_wordings(fact, ["Pellow Quay"], MIRA, given, random.Random(0))  # noqa: S311
        for given in (free, forbidding)
    )
    assert is_near_any(planted, without)
    assert not is_near_any(planted, asked)
    assert asked


def test_probes_made_by_rule_ask_back_in_words_that_training_never_uses() -> None:
    made = facts(("How old are you?", "Fifty-three, by the calendar."), ("What is your favourite colour?", "Saffron."))
    probes = probes_from_records([record for fact in made for record in fact.records], MIRA, ())
    wordings = Wordings(read_boundaries("en"), forbidden={probe.answer: probe.untrained for probe in probes})
    for fact, probe, phrases in zip(made, probes, key_phrases(made, MIRA.name, "en"), strict=True):
        assert probe.reverse
        assert not [
            one
            for one in reversed_wordings(fact, phrases, MIRA, wordings, random.Random(0))  # noqa: S311
            if is_near_any(one, probe.reverse)
        ]


def test_the_sample_characters_ask_back_for_most_of_their_facts() -> None:
    for name in ("wren", "aheng"):
        probes = read_probes(ROOT / "data" / name / "probes.jsonl")
        assert sum(bool(probe.reverse) for probe in probes) > len(probes) / 2
        assert all(any(contains(text, alias) for alias in probe.aliases) for probe in probes for text in probe.reverse)


def test_a_question_the_other_way_round_is_scored_word_for_word_and_never_ranked(
    tokenizer: Any, tiny_model_folder: Path
) -> None:
    made = facts(("How old are you?", "Ten."), ("Where do you live?", "In the mill."))
    probes = with_distractors(probes_from_records([record for fact in made for record in fact.records], MIRA, ()), 3)
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder).eval()
    for priors in (None, score_priors(model, tokenizer, probes, MIRA)):
        scores = score_probes(model, tokenizer, probes, MIRA, questions=both_ways, priors=priors)
        back = [question for score in scores for question in score.questions_of("reverse")]
        assert len(back) == sum(len(probe.reverse) for probe in probes) > 0
        assert all(question.first is None and question.ranks is None for question in back)
        figures = summarise(scores)
        assert REVERSE in figures
        assert RecallKey("reverse", "at_1") not in figures


def test_a_question_that_training_nearly_asks_is_left_out_of_the_exam() -> None:
    (probe, *_) = read_probes(ROOT / "data" / "wren" / "probes.jsonl")[1:]
    (fact,) = facts((f"{probe.reverse[0]}!", probe.answer), speaker="Wren")
    left = drop_trained(probe, fact.records)
    assert left is not None
    assert left.reverse == ()
    assert left.unseen == probe.unseen


def test_it_stands_in_every_table() -> None:
    assert REVERSE in RECALL
    assert REVERSE in COMPARED


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_a_stranger_is_asked_in_the_ways_of_what_is_known_and_never_of_a_name_in_the_records(
    language: Language,
) -> None:
    strangers, reversal = read_boundaries(language).strangers, read_reversal(language)
    assert not set(strangers.train) & set(strangers.test)
    known, *unknown = strangers.train
    (record,) = facts(("?", f"{known}。"))[0].records
    asked = asked_of_strangers([record], strangers.train, reversal.train, 4)
    assert len(asked) == 4 * len(unknown)
    assert not [one for one in asked if known in one]
    tested = asked_of_strangers([], strangers.test, reversal.test, 1)
    assert len(tested) == len(strangers.test)
    assert not [one for one in tested if is_near_any(one, asked)]


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_strangers_are_asked_about_where_facts_are_asked_the_other_way_round(share: float) -> None:
    made = facts(("Where were you born?", "In Pellow Quay."))
    base = BaseModel(lambda asked: ["Good day."] * len(asked), lambda conversations: [()] * len(conversations))
    wordings = Wordings(read_boundaries("en"), reverse=share)
    limits = limit_conversations(made, made[0].records, MIRA, read_boundaries("en"), base, seed=0, wordings=wordings)
    asked = "\n".join(one.prompt[-1]["content"] for one in limits["unanswerable"])
    assert ("Corwin Ash" in asked) == bool(share)
