"""Voice is a share of the way from other speakers to the character; copying is counted apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.metrics.voice import (
    VoiceProfile,
    copy_rate,
    distinct_2,
    fit_voice,
    style_distance,
    voice_score,
)
from pipeline.recipe import ConversionOptions
from pipeline.records.comparable import words
from pipeline.records.conversion import convert
from tests.conftest import ROOT

TEXTS = st.lists(st.text("ab，。 三蓑", min_size=1, max_size=30), min_size=1, max_size=8)


@cache
def wren() -> tuple[list[str], list[str], list[str], set[str]]:
    """Wren's lines to fit and to hold out, other speakers' lines, and everybody's names."""
    folder = ROOT / "data" / "wren" / "raw"
    records = convert([folder], "Wren Halloway", ConversionOptions()).records
    own = [record.text for record in records if record.kind == "dialogue"]
    said = {
        (turn.speaker, turn.text) for record in records for turn in record.context if turn.speaker != record.speaker
    }
    names = {"Wren Halloway", *(speaker for speaker, _ in said)}
    return own[::2], own[1::2], sorted(text for _, text in said), names


@cache
def profile() -> VoiceProfile:
    own, held_out, others, names = wren()
    return fit_voice(own, held_out, others, names)


def test_held_out_lines_score_one_and_the_others_held_out_score_nought() -> None:
    _, held_out, others, _ = wren()
    assert profile().separates
    score = voice_score(held_out, profile())
    assert score.value == pytest.approx(1)
    assert score.low < 1 < score.high
    assert score.enough
    assert voice_score(others, profile()).value < 0.3  # four in five of them are in the fit
    assert score == voice_score(held_out, profile())


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_mixture_scores_the_mean_of_its_parts(own: int, other: int) -> None:
    _, held_out, others, _ = wren()
    parts = held_out[:own], others[:other]
    mixed = voice_score([*parts[0], *parts[1]], profile()).value
    alone = [voice_score(part, profile()).value for part in parts]
    assert mixed == pytest.approx((own * alone[0] + other * alone[1]) / (own + other))


def test_the_lines_of_the_fit_hardly_score_above_lines_held_out() -> None:
    own, held_out, _, _ = wren()
    assert voice_score(own, profile()).value < voice_score(held_out, profile()).value + 0.2


def test_names_say_nothing_of_the_voice() -> None:
    assert voice_score([f"Wren Halloway{mark}" for mark in ("", " wren", " Tobin Marl")], profile()) == voice_score(
        ["Wren", "Bettony", " "], profile()
    )
    named, masked = (["Wren, come in."], ["Tobin, come in."])
    assert voice_score(named, profile()) == voice_score(masked, profile())
    assert not any("halloway" in gram for gram in profile().weights)


def test_too_few_replies_are_said_to_be_too_few() -> None:
    _, held_out, _, _ = wren()
    assert not voice_score(held_out[:19], profile()).enough
    assert voice_score(held_out[:20], profile()).enough
    with pytest.raises(ValueError, match="no reply"):
        voice_score([], profile())


def test_who_speaks_like_the_others_has_no_voice_to_measure() -> None:
    lines = [f"{word} {other}." for word in ("rain", "wind", "sun", "fog") for other in "abcdefghijkl"]
    same = fit_voice(lines[::2], lines[1::2], [*lines, *lines, *lines], ())
    assert not same.separates
    with pytest.raises(ValueError, match="no voice"):
        voice_score(lines, same)
    with pytest.raises(ValueError, match="too few to compare"):
        fit_voice(lines, [], lines, ())


def _copied(reply: Sequence[str], texts: Sequence[Sequence[str]], n: int) -> bool:
    runs = [reply[start:end] for start in range(len(reply)) for end in range(start + n, len(reply) + 1)]
    return any(run == text[at : at + len(run)] for run in runs for text in texts for at in range(len(text)))


@given(TEXTS, TEXTS)
def test_a_copy_is_what_brute_force_finds_in_the_training_texts(replies: list[str], texts: list[str]) -> None:
    spoken = [words(text) for text in texts]
    expected = [_copied(words(reply), spoken, 3) for reply in replies]
    assert copy_rate(replies, texts, n=3) == sum(expected) / len(replies)


def test_copies_are_counted_in_words_in_english_and_in_characters_in_chinese() -> None:
    english = "I counted the gulls on the rail this morning and one of them winked at me."
    chinese = "三碗茶，九文钱，您撑您的船，我卖我的茶。"
    assert copy_rate([f"Well! {english}"], [english]) == 1
    assert copy_rate(["I counted the gulls on the rail this evening and none of them winked."], [english]) == 0
    assert copy_rate(["客官，您撑您的船我卖我的茶，九文钱。", "三碗茶，十文钱，您走您的"], [chinese]) == 0
    assert copy_rate(["九文钱您撑您的船我卖我的茶！"], [chinese]) == 1
    assert copy_rate(["Mind the weed, lad.", "Yes."], ["Mind the weed, lad!", "Yes."]) == 0.5
    with pytest.raises(ValueError, match="no reply"):
        copy_rate([], [english])


def test_distinct_2_is_one_without_a_repetition_and_falls_with_each() -> None:
    assert distinct_2(["a b c", "c d"]) == 1
    assert distinct_2(["a b a b"]) == pytest.approx(2 / 3)
    assert distinct_2(["a"]) == 0


@given(TEXTS, TEXTS)
def test_the_distance_of_styles_is_symmetric_and_between_nought_and_one(ones: list[str], others: list[str]) -> None:
    there, back = style_distance(ones, others), style_distance(others, ones)
    assert (there.length, there.punctuation) == pytest.approx((back.length, back.punctuation))
    assert 0 <= there.length <= 1
    assert 0 <= there.punctuation <= 1
    same = style_distance(ones, ones * 2)
    assert (same.length, same.punctuation) == pytest.approx((0, 0))


def test_the_distance_of_styles_sees_length_and_punctuation_apart() -> None:
    long, short = ["one two three four five."], ["one."]
    assert style_distance(long, short).length == 1
    assert style_distance(long, short).punctuation == 0
    half = style_distance(["a!", "a."], ["a."])
    assert half.length == 0
    assert half.punctuation == pytest.approx(
        0.5 * math.log2(2) * 0.5 + 0.25 * math.log2(2 / 3) + 0.5 * math.log2(4 / 3)
    )
    with pytest.raises(ValueError, match="both sides"):
        style_distance([], ["a."])
