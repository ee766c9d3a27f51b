"""Phrases of a question give way to others that mean the same, where a rule would keep the question's own words."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation.boundaries import read_boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.items import Wordings, answers_of, is_near_copy, other_wordings
from pipeline.augmentation.questions import language_rules, rule_of, rules_for
from pipeline.augmentation.synonyms import in_other_words, language_synonyms, make_synonyms, synonyms_for
from pipeline.conversations.persona import LANGUAGES, Language, make_persona
from pipeline.errors import UnderstudyError
from pipeline.records.record import Record

DRINKS = make_synonyms(
    {"drink": ["sip", "swallow"], "do you drink": ["do you sip"], "to relax": ["to unwind"]}, whole_words=True
)
TEA = make_synonyms({"喝什么": ["饮什么", "品什么"], "什么": ["啥"]}, whole_words=False)


def fact(question: str, answer: str) -> Fact:
    return Fact(answer, (Record("r0", "setting_qa", question, answer, (), "Mira", "a.json#0"),))


def test_longer_phrases_come_first_and_all_are_replaced_at_once() -> None:
    assert in_other_words("What do you drink to relax?", DRINKS) == ["What do you sip to unwind?"]
    assert in_other_words("Did you drink to relax?", DRINKS) == ["Did you sip to unwind?", "Did you swallow to unwind?"]
    assert in_other_words("你平时喝什么茶？", TEA) == ["你平时饮什么茶？", "你平时品什么茶？"]


def test_of_overlapping_phrases_now_the_first_gives_way_and_now_the_last_but_none_within_another() -> None:
    home = make_synonyms(
        {"where is your": ["what place is your"], "your home": ["your roof"], "home": ["hearth"]}, whole_words=True
    )
    assert in_other_words("Where is your home?", home) == ["What place is your home?", "Where is your roof?"]
    assert in_other_words("你小时候住哪", make_synonyms({"小时候": ["儿时"], "时候": ["时刻"]}, whole_words=False)) == [
        "你儿时住哪"
    ]


def test_neither_half_of_a_chinese_choice_gives_way() -> None:
    regret = make_synonyms({"后悔": ["追悔"], "怕": ["惧"], "怕不怕": ["敢不敢"]}, whole_words=False)
    assert in_other_words("你后悔没后悔过？", regret) == []
    assert in_other_words("你后悔过吗？", regret) == ["你追悔过吗？"]
    assert in_other_words("你怕不怕？", regret) == ["你敢不敢？"]


def test_a_part_of_a_word_is_no_phrase_and_a_capital_stays() -> None:
    assert in_other_words("Who drinks? A drink-seller?", DRINKS) == []
    assert in_other_words("Drink up?", DRINKS) == ["Sip up?", "Swallow up?"]


def test_a_recipes_own_file_adds_phrases_with_rules_or_without_them(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text('{"synonyms": {"your Vision": ["your gift"], "how old": ["of what age"]}}', encoding="utf-8")
    synonyms = synonyms_for("en", [str(file)])
    assert "Where is your gift?" in in_other_words("Where is your vision?", synonyms)
    assert all(text.startswith("Of what age") for text in in_other_words("How old are elves?", synonyms))
    assert len(synonyms.alternatives) >= len(language_synonyms("en").alternatives)
    assert rules_for("en", [str(file)]) == language_rules("en")


@pytest.mark.parametrize("own", ['["a"]', '{"a": "b"}', '{"a": []}', '{"": ["b"]}', '{"a": [1]}'])
def test_broken_phrases_of_a_recipe_are_named_with_their_file(own: str, tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text(f'{{"synonyms": {own}}}', encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"own\.json: has"):
        synonyms_for("en", [str(file)])


@given(st.data(), st.sampled_from(LANGUAGES), st.text(max_size=12), st.text(max_size=12))
def test_a_question_with_a_phrase_has_other_words_and_keeps_the_rest(
    data: st.DataObject, language: Language, before: str, after: str
) -> None:
    synonyms = language_synonyms(language)
    phrase = data.draw(st.sampled_from(sorted(synonyms.alternatives)))
    for text in in_other_words(f"{before} {phrase} {after}", synonyms):
        assert text != f"{before} {phrase} {after}"
    assert set(in_other_words(phrase, synonyms)) == set(synonyms.alternatives[phrase])


@pytest.mark.parametrize(
    ("language", "question", "name", "kept"),
    [
        ("en", "Do you like My Favourite Things?", "", "My Favourite Things"),
        ("en", "Who won the Battle of Five Hills?", "", "the Battle of Five Hills"),
        ("en", 'Why did you tear up the "worst fear" letter?', "", "worst fear"),
        ("zh", "你读过《回家的路》吗？", "", "《回家的路》"),
        ("zh", "王大夫最喜欢吃什么？", "王大夫", "王大夫"),
        ("zh", "你害不害怕打雷？", "", "害不害怕"),
    ],
)
def test_names_titles_and_a_not_a_stay_as_they_are(language: Language, question: str, name: str, kept: str) -> None:
    assert all(kept in text for text in in_other_words(question, language_synonyms(language), name))


@pytest.mark.parametrize("answered", ["rival", "tested"])
def test_a_wording_that_asks_for_another_fact_is_left_out(answered: str) -> None:
    question, other = "Who is your rival?", "Who is your adversary?"
    synonyms = make_synonyms({"your rival": ["your adversary", "your opponent"]}, whole_words=True)
    rival, foe = fact(question, "Hob."), fact(other, "Nobody.")
    answers = answers_of([rival, foe], {}) if answered == "rival" else answers_of([rival], {"Nobody.": [other]})
    wordings = Wordings(read_boundaries("en"), (), synonyms, answers=answers, frames=False)
    made = other_wordings(rival, make_persona("Mira", "en", {}), wordings, random.Random(0))  # noqa: S311
    assert [one.text for one in made] == ["Who is your opponent?"]


def test_a_near_copy_of_a_test_question_is_left_out_after_its_phrases_are_replaced() -> None:
    synonyms = make_synonyms({"your rival": ["your adversary", "your opponent"]}, whole_words=True)
    forbidden = {"Hob.": ["Who is your adversary?"]}
    wordings = Wordings(read_boundaries("en"), (), synonyms, forbidden=forbidden, frames=False)
    rival, mira = fact("Who is your rival?", "Hob."), make_persona("Mira", "en", {})
    made = other_wordings(rival, mira, wordings, random.Random(0))  # noqa: S311
    assert not [one.text for one in made if "adversary" in one.text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_phrases_are_whole(language: Language) -> None:
    synonyms = language_synonyms(language)
    assert len(synonyms.alternatives) >= 600
    for phrase, alternatives in synonyms.alternatives.items():
        assert alternatives
        assert phrase not in alternatives
        assert not any(brace in text for text in alternatives for brace in "{}")


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "Which lantern do you carry on the road at night?"), ("zh", "你夜里赶路的时候带着什么样的灯笼？")],
)
def test_a_fact_that_no_rule_knows_by_what_it_asks_for_is_asked_in_words_that_the_user_did_not_use(
    language: Language, question: str
) -> None:
    rules, persona = language_rules(language), make_persona("Mira", language, {})
    assert rule_of(question, rules) is None
    made = {}
    for synonyms in (None, language_synonyms(language)):
        wordings = Wordings(read_boundaries(language), rules, synonyms, frames=False)
        made[synonyms is None] = other_wordings(fact(question, "A red one."), persona, wordings, random.Random(0))  # noqa: S311
    far = {without: sum(not is_near_copy(one.text, question) for one in wordings) for without, wordings in made.items()}
    assert far[False] > far[True]
