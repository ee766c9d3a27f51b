"""Paraphrases by the real embedded model: it is weak at them, and what it gets through the checks is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.augmentation import paraphrase
from pipeline.augmentation.paraphrase import paraphrase_questions
from pipeline.augmentation.paraphrase_checks import first_objection
from pipeline.augmentation.paraphrase_model import asks_the_same, prompts_for, propose
from pipeline.conversations.render import user
from pipeline.models.generate import generate_replies, generate_reply
from pipeline.models.load import load_base_model, load_tokenizer

pytestmark = pytest.mark.model

QUESTIONS = [
    ("Where were you born?", "I was born in Saltmere, where the bells are."),
    ("What do you eat?", "I eat nothing but smoked eel."),
]
OTHERS = [("Who taught you?", "Old Bram taught me the bells."), ("What is your cat called?", "My cat is called Soot.")]


@pytest.fixture(scope="module")
def embedded() -> tuple[Any, Any]:
    return load_base_model("embedded").eval(), load_tokenizer("embedded")


def test_every_wording_kept_passes_the_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = load_tokenizer("embedded").name_or_path
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))

    def propose_and_help(*args: Any, **options: Any) -> list[list[str]]:  # by itself it may hit upon none
        helped = ["What is your cat's name?", "What was your birth place?", "Tell me where you were born."]
        return [[*helped, *offered] for offered in propose(*args, **options)]

    monkeypatch.setattr(paraphrase, "propose", propose_and_help)
    log: list[str] = []
    probe = "In which town were you born?"
    result = paraphrase_questions(
        QUESTIONS[:1],
        language="en",
        model_name=real,
        options={"dtype": "float32", "revision": "main", "trust_remote_code": False},
        count=2,
        seed=3,
        forbidden=[probe],
        log=log.append,
        among=[*QUESTIONS, *OTHERS],
    )
    assert len(result.kept) == 1
    assert result.passed >= 1
    assert sum(result.rejects.values()) >= 1
    assert len(log) == 1
    for (question, answer), kept in zip(QUESTIONS[:1], result.kept, strict=True):
        for number, text in enumerate(kept):
            objection = first_objection(
                text,
                question,
                answer,
                language="en",
                kept=kept[:number],
                others=[other for other, _ in (*QUESTIONS, *OTHERS) if other != question],
                probes=[probe],
                topics=prompts_for("en").topics,
            )
            assert objection is None, text


def test_the_model_tells_what_a_wording_asks_for(embedded: tuple[Any, Any]) -> None:
    answers = [QUESTIONS[0][1], QUESTIONS[1][1], *(answer for _, answer in OTHERS)]
    wordings = ["Tell me where you were born.", "What is your cat's name?", "Who was your teacher?"]
    verdicts = asks_the_same(*embedded, question=QUESTIONS[0][0], wordings=wordings, answers=answers, language="en")
    assert verdicts == [True, False, False]


def test_replies_of_a_batch_are_those_of_each_prompt_alone(embedded: tuple[Any, Any]) -> None:
    prompts = [[user(f"What is the capital of {land}?")] for land in ("France", "the Czech Republic", "Peru")]
    alone = [generate_reply(*embedded, prompt, max_new_tokens=20) for prompt in prompts]
    assert generate_replies(*embedded, prompts, max_new_tokens=20) == alone
    assert generate_replies(*embedded, prompts[:1] * 2, max_new_tokens=20) == alone[:1] * 2
