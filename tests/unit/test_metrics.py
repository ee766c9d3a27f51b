"""Each metric is its formula: against brute force, and by what must hold for any input."""

from __future__ import annotations

import json
import math
import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.metrics.replies import (
    alias_hit,
    answer_probability,
    bits_per_character,
    contradiction,
    rank_of_gold,
)
from pipeline.records.comparable import contains, normalise, terms, words

CHINESE = st.text("七蓑滩阿蘅是我的灯，。“”！ ", min_size=1)
ANY_TEXT = st.one_of(st.text(), CHINESE, st.text("ab 'c-,1"))


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert not any(unicodedata.category(char)[0] in "PS" for char in once)
    assert once == " ".join(once.split())


@given(ANY_TEXT)
def test_words_are_the_normalised_text_without_its_spaces(text: str) -> None:
    assert "".join(words(text)) == normalise(text).replace(" ", "")


@given(ANY_TEXT)
def test_terms_hold_every_word_and_cross_no_space(text: str) -> None:
    assert {char for word in words(text) for char in word} == {char for term in terms(text) for char in term}
    assert all(term in normalise(text) for term in terms(text))


def test_a_term_is_a_word_in_latin_and_two_neighbours_in_chinese() -> None:
    assert terms("Wren 的灯用什么油？ 谁？") == {"wren", "的灯", "灯用", "用什", "什么", "么油", "谁"}


def test_words_are_characters_in_chinese_and_runs_in_latin() -> None:
    assert words("阿蘅欠我２０６文，Wren's 3rd sedge-eel!") == [
        *"阿蘅欠我", "206", "文", "wren", "s", "3rd", "sedge", "eel"
    ]  # fmt: skip
    assert words("カニ々〇ー") == list("カニ々〇ー")
    assert normalise("  ＷＲＥＮ\u3000Straße, 1,000 lamps…") == "wren strasse 1000 lamps"


@given(ANY_TEXT)
def test_a_text_holds_itself_and_does_not_contradict_itself(text: str) -> None:
    if normalise(text):
        assert alias_hit(text, (), text)
        assert not contradiction(text, (), text, [text])


@pytest.mark.parametrize(
    ("reply", "alias", "hit"),
    [
        ("They call me ANN, traveller.", "Ann", True),
        ("Annoyed? Me?", "Ann", False),
        ("It was Ann's.", "Ann", True),
        ("There are 187 steps.", "187", True),
        ("There are 1875 steps.", "187", False),
        ("There are 1,875 steps.", "1875", True),
        ("The Widow\u2019s Broom, we called it.", "widow's broom", True),
        ("I eat sedge eel.", "sedge-eel", True),
        ("I eat sledge-eels.", "sedge-eel", False),
        ("我出生在“七蓑滩”呀", "七蓑滩", True),
        ("我家在Pellow湾", "pellow", True),
        ("今年十九岁", "十九", True),
        ("今年二十九岁", "十九", False),
        ("我爱米，缸在那边", "米缸", False),
        ("ＢＩＳＨＯＰ！", "Bishop", True),
        ("nothing", "…", False),
    ],
)
def test_an_alias_hits_only_where_it_stands_for_itself(reply: str, alias: str, hit: bool) -> None:
    assert contains(reply, alias) is hit
    assert alias_hit(reply, [alias], "an answer that is not said") is hit


@given(st.text(string.ascii_letters, min_size=1), st.text(string.ascii_letters + " .", max_size=30))
def test_a_latin_alias_is_found_exactly_among_the_words(alias: str, reply: str) -> None:
    assert contains(reply, alias) is (alias.casefold() in words(reply))


def test_without_aliases_the_answer_itself_has_to_stand_in_the_reply() -> None:
    assert alias_hit("Well: I was born in Pellow Quay!", (), "I was born in Pellow Quay.")
    assert not alias_hit("Pellow Quay.", (), "I was born in Pellow Quay.")
    assert not alias_hit("Whatever.", ("…",), "I was born in Pellow Quay.")


def test_a_contradiction_names_another_and_not_the_gold() -> None:
    others = ["Dunnock Hythe", "Sorrel Cove"]
    assert contradiction("In Sorrel Cove, I think.", ["Pellow"], "Pellow Quay", others)
    assert not contradiction("In Pellow, not in Sorrel Cove.", ["Pellow"], "Pellow Quay", others)
    assert not contradiction("I would rather not say.", ["Pellow"], "Pellow Quay", others)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=12))
def test_answer_probability_is_the_geometric_mean(probabilities: list[float]) -> None:
    total = math.fsum(map(math.log, probabilities))
    expected = math.prod(probabilities) ** (1 / len(probabilities))
    assert answer_probability(total, len(probabilities)) == pytest.approx(expected)


@given(st.text(min_size=1), st.floats(1, 8))
def test_a_text_whose_characters_are_coin_flips_costs_their_bits(text: str, bits: float) -> None:
    assert bits_per_character(len(text) * math.log(2**-bits), text) == pytest.approx(bits)


@given(st.floats(-5, 5), st.lists(st.floats(-5, 5), max_size=9))
def test_the_rank_is_where_sorting_puts_the_gold_behind_its_ties(gold: float, others: list[float]) -> None:
    order = sorted([(-other, 0) for other in others] + [(-gold, 1)])
    assert rank_of_gold(gold, others) == order.index((-gold, 1)) + 1


def test_ties_and_scores_that_are_no_number_rank_worst() -> None:
    assert rank_of_gold(-1.0, [-1.0] * 7) == 8
    assert rank_of_gold(math.nan, [-1.0, -2.0]) == 3
    assert rank_of_gold(-1.0, [math.nan, -2.0]) == 2
    assert rank_of_gold(-1.0, []) == 1


def test_what_has_no_value_is_refused() -> None:
    with pytest.raises(ValueError, match="without tokens"):
        answer_probability(-1.0, 0)
    with pytest.raises(ValueError, match="empty text"):
        bits_per_character(-1.0, "")


def test_tofus_answers_hold_themselves_and_contradict_their_perturbations(shared_data: Path) -> None:
    lines = (shared_data / "tofu" / "world_facts_perturbed.json").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines if line.strip()]
    assert len(items) > 50
    for item in items:
        gold, others = item["answer"], item["perturbed_answer"]
        assert alias_hit(gold, (), gold)
        assert all(contradiction(f"It is {other}.", (), gold, others) for other in others)
