"""Where no fact is asked for: blurting, inventing, refusing what it knows, and saying who it is."""

from __future__ import annotations

import re

import pytest

from pipeline.augmentation.boundaries import read_boundaries
from pipeline.conversations.persona import LANGUAGES, Language
from pipeline.evaluation.metrics.conduct import ConductReplies, conduct_rows, says_name

GOLDS = [(("Saltmere",), "I live in Saltmere."), ((), "I am ten.")]


def shares(replies: ConductReplies, base: ConductReplies | None = None) -> dict[str, float]:
    rows = conduct_rows(
        base or replies, replies, name="Mira Vale", language="en", golds=GOLDS,
        refusals=read_boundaries("en").refusal_markers, put_right=GOLDS,
    )  # fmt: skip
    return {row.name: row.trained.value for row in rows}


def test_each_share_counts_the_replies_that_it_is_named_for() -> None:
    found = shares(
        ConductReplies(
            small_talk=["Hello.", "I miss Saltmere.", "I am ten. And you?", "Ten is a number."],
            unanswerable=["I do not know.", "Size nine.", "That I keep to myself.", "It is blue."],
            identity=["I am Mira.", "An assistant.", "They call me Vale.", "Mira Vale, at your service."],
            facts=["I could not say.", "I do not know, but I am ten."],
            premises=["No. I live in Saltmere.", "Yes, I am nineteen."],
        )
    )
    assert found == {"blurts": 0.5, "invents": 0.5, "over_refuses": 0.5, "identity": 0.75, "corrects": 0.5}


def test_a_share_without_replies_is_left_out() -> None:
    assert shares(ConductReplies([], [], [], [])) == {}


@pytest.mark.parametrize(
    ("reply", "name", "language", "said"),
    [
        ("I am J. R. Stone.", "J. R. Stone", "en", True),
        ("J. is what they call me.", "J. R. Stone", "en", False),
        ("Stoneware is nice.", "J. R. Stone", "en", False),
        ("我是林照雪。", "林照雪", "zh", True),
        ("照雪是谁？", "林照雪", "zh", False),
    ],
)
def test_a_name_is_said_whole_or_by_a_part_that_is_no_initial(
    reply: str, name: str, language: Language, said: bool
) -> None:
    assert says_name(reply, name, language) is said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_that_is_taught_is_recognised(language: Language) -> None:
    texts = read_boundaries(language)
    markers = re.compile("|".join(texts.refusal_markers), re.IGNORECASE)
    assert [one for one in texts.refusals if not markers.search(one)] == []
    assert not markers.search(texts.introduction)
