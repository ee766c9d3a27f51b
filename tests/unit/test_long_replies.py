"""Who answers at length is heard to the end: by the exam, and in a chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from pipeline.conversations.persona import Sampling, make_persona
from pipeline.evaluation.exam import Exam
from pipeline.evaluation.measure import REPLY_TOKENS, measure_model
from pipeline.evaluation.probes.probe import Probe, with_distractors
from pipeline.records.record import Kind, Record
from pipeline.training.characters import Character, with_room_to_reply

MIRA = make_persona("Mira", "en", {})


@pytest.fixture
def murmuring(tokenizer: Any, tiny_model_folder: Path) -> Any:
    """A model that says z, and never ends its turn."""
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder).eval()
    torch.nn.init.zeros_(model.get_output_embeddings().weight)
    says = torch.tensor(tokenizer.convert_tokens_to_ids("z"))
    model.get_output_embeddings().bias = torch.nn.Parameter(torch.nn.functional.one_hot(says, len(tokenizer)).float())
    return model


def test_a_reply_to_a_facts_question_has_room_for_its_answer(murmuring: Any, tokenizer: Any) -> None:
    answers = ("z" * 200, "z" * 3)
    probes = with_distractors(
        [
            Probe(f"f{n}", "taste", f"Fact {n}?", (f"Fact {n}, then?",), text, (text,), ())
            for n, text in enumerate(answers)
        ],
        1,
    )
    found = measure_model(murmuring, tokenizer, Exam(probes, MIRA, [], [], extent="quick"), lambda *_: None)
    long, short = (str(reply) for reply in found.greedy)
    assert answers[0] in long
    assert len(short) == REPLY_TOKENS


@pytest.mark.parametrize("kind", ["setting_qa", "dialogue", "background"])
def test_a_chat_has_room_for_the_longest_reply_that_is_taught(tokenizer: Any, kind: Kind) -> None:
    records = [Record(f"r{n}", kind, "Well?", "z" * n, (), "Mira", f"file#{n}") for n in (3, 400, 20)]
    room = with_room_to_reply(Character(records, (), MIRA), tokenizer).persona.sampling.max_new_tokens
    assert room == (Sampling().max_new_tokens if kind == "background" else 500)


def test_a_chat_of_one_who_is_brief_has_the_usual_room(tokenizer: Any) -> None:
    assert with_room_to_reply(Character((), (), MIRA), tokenizer).persona == MIRA
