"""Of more wordings than exposures, those with the newest words come first."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation.questions import Wording
from pipeline.augmentation.variety import most_varied, rarity_in
from pipeline.records.comparable import terms

VOCABULARY = ["tell", "me", "about", "your", "lamp", "oil", "fuel", "storm", "灯", "油", "Mira"]
TEXTS = st.lists(st.sampled_from(VOCABULARY), max_size=6).map(" ".join)
WORDINGS = st.lists(st.builds(Wording, st.sampled_from(["direct", "casual", "frame"]), TEXTS), max_size=12)


def directs(*texts: str) -> list[Wording]:
    return [Wording("direct", text) for text in texts]


def order(*texts: str, written: str = "", others: tuple[str, ...] = ()) -> list[str]:
    own = directs(*texts)
    return [one.text for one in most_varied(own, [written], "Mira Vale", rarity_in([own, directs(*others)]))]


@given(st.lists(WORDINGS, min_size=1, max_size=4), st.lists(TEXTS, max_size=3))
def test_each_wording_is_the_one_that_adds_most_to_those_before_it(
    pools: list[list[Wording]], written: list[str]
) -> None:
    rarity = rarity_in(pools)
    ordered = most_varied(pools[0], written, "Mira", rarity)
    left, seen = list(pools[0]), Counter(word for text in written for word in terms(text))
    for chosen in ordered:

        def adds(one: Wording) -> tuple[bool, float]:
            own = terms(one.text) - {"mira"}
            worth = math.fsum(rarity[word] / (1 + seen[word]) for word in own)
            return one.family != "frame", worth / math.sqrt(max(len(own), 1))

        assert chosen == max(left, key=adds)  # of equal ones the first
        left.remove(chosen)
        seen.update(terms(chosen.text) - {"mira"})
    assert not left


def test_only_those_that_are_asked_for_are_put_in_order() -> None:
    made = directs("Your lamp?", "Your oil?", "Your fuel?")
    ordered = most_varied(made, [], "Mira", rarity_in([made]))
    assert next(ordered).text == "Your lamp?"
    assert [one.text for one in ordered] == ["Your oil?", "Your fuel?"]


def test_what_is_said_around_every_fact_makes_no_wording_another_one() -> None:
    around = ("Tell me about your oil.", "Say a word about your oil.", "Tell me about your sister.", "Say a word!")
    assert order("Tell me about your lamp.", "Say a word about your lamp.", "What burns up there?", others=around) == [
        "What burns up there?",
        "Say a word about your lamp.",
        "Tell me about your lamp.",
    ]


def test_a_word_that_the_user_wrote_is_less_new_than_another() -> None:
    assert order("Your lamp?", "Your beacon?", written="What is your lamp?")[0] == "Your beacon?"
    assert order("你的灯？", "你的烛？", written="什么样的灯？")[0] == "你的烛？"


def test_the_characters_name_is_no_news() -> None:
    assert order("Your lamp, Mira Vale?", "Your bright lamp?", written="Your lamp?")[0] == "Your bright lamp?"


def test_in_chinese_two_characters_are_a_word() -> None:
    taught = order("你家的灯点啥？", "什么点你的灯？", written="你家的灯里点的是什么油？")
    assert taught[0] == "什么点你的灯？", "every character of it was written, in other words"
