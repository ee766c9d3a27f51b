"""What every character is asked beside its own facts is whole, in both languages."""

from __future__ import annotations

import pytest

from pipeline.conversations.persona import LANGUAGES, Language
from pipeline.evaluation.probes.control import control_items, filler_turns, general_texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_questions_texts_and_small_talk(language: Language) -> None:
    items = control_items(language)
    assert len(items) == 16
    assert len({item.question for item in items}) == 16
    for item in items:
        assert len({item.answer, *item.wrong}) == 4
        assert item.question.endswith(("?", "？"))
        assert item.answer not in item.question
    assert len(general_texts(language)) == 6
    turns = filler_turns(language)
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 3
