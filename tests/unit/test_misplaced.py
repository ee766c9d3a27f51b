"""A fact's answer where it does not belong is supervised as what the base model would say there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, PreTrainedModel

from pipeline.augmentation.base_labels import BaseLabels
from pipeline.augmentation.boundaries import read_boundaries
from pipeline.augmentation.facts import facts_of
from pipeline.augmentation.items import Wordings, is_near_any
from pipeline.augmentation.limits import BaseModel, LimitShares, limit_conversations
from pipeline.augmentation.misplaced import put_to_somebody_else, said_in_small_talk
from pipeline.augmentation.questions import language_rules
from pipeline.conversations.persona import LANGUAGES, Language, make_persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, system, user
from pipeline.errors import UnderstudyError
from pipeline.models.scores import draw_labels, prepare_scoring
from pipeline.records.record import Record
from pipeline.tokens.encode import encode

MIRA = make_persona("Mira Vale", "en", {})
TEXTS = read_boundaries("en")
BRIEFLY = system(TEXTS.briefly)


def record(question: str, answer: str) -> Record:
    return Record(f"id of {question}", "setting_qa", question, answer, (), "Mira Vale", "a.json#1")


RECORDS = [
    record(question, answer)
    for question, answer in [
        ("Who are you?", "I am Mira Vale."),
        ("Where do you live?", "In the mill."),
        ("How old are you?", "I am nineteen."),
        ("What was your worst moon?", "The one that took the roof."),
    ]
]
FACTS = facts_of(RECORDS)


def labelled(conversations: Sequence[Conversation]) -> list[list[int]]:
    return [[7, number] for number, _ in enumerate(conversations)]


def limits(wordings: Wordings | None = None) -> dict[str, list[Conversation]]:
    base_model = BaseModel(lambda asked: ["Well."] * len(asked), labelled)
    return limit_conversations(FACTS, RECORDS, MIRA, TEXTS, base_model, seed=0, wordings=wordings)


def test_somebody_else_is_asked_for_each_fact_in_other_words_and_never_as_it_is_tested() -> None:
    tested = "Do you know how old you are?"
    wordings = Wordings(TEXTS, language_rules("en"), forbidden={"I am nineteen.": [tested]})
    made = put_to_somebody_else(FACTS, MIRA, TEXTS, wordings, seed=0)
    assert {one.answer for one in made} == {fact.answer for fact in FACTS}
    assert all(one.prompt == one.base_prompt for one in made)
    assert not any("Mira" in one.prompt[0]["content"] for one in made)
    ages = [one.prompt[-1]["content"] for one in made if one.answer == "I am nineteen."]
    assert len({asked.lower().strip(" ?") for asked in ages}) > 5
    assert not any(is_near_any(asked, [tested]) for asked in ages)


def test_small_talk_is_answered_with_the_fact_that_shares_its_rarest_word_and_then_with_any() -> None:
    made = said_in_small_talk(FACTS, MIRA, TALK, seed=0)
    assert {one.prompt[-1]["content"] for one in made} == set(TEXTS.small_talk.train)
    assert all(one.prompt[0] == chat_prompt(MIRA, ())[0] for one in made)
    assert all(one.base_prompt == (BRIEFLY, one.prompt[-1]) for one in made)
    moonlit = next(one for one in made if one.prompt[-1]["content"] == "The moon is bright tonight.")
    assert moonlit.answer == "The one that took the roof."
    assert {one.answer for one in made} == {fact.answer for fact in FACTS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_nearest_fact_is_found_in_either_language(language: Language) -> None:
    talk = {"en": "The moon is bright tonight.", "zh": "今晚月亮好亮。"}[language]
    texts = read_boundaries(language)
    assert talk in texts.small_talk.train
    asked = {"en": ("Who gave you the moon?", "My aunt did."), "zh": ("月亮是谁给你的？", "是姑姑。")}[language]
    others = {"en": ("What do you eat?", "Eel."), "zh": ("你吃什么？", "鳗鱼。")}[language]
    facts = facts_of([record(*one) for one in (others, asked)])
    made = said_in_small_talk(facts, make_persona("阿蘅", language, {}), texts, seed=0)
    assert next(one.answer for one in made if one.prompt[-1]["content"] == talk) == asked[1]


def test_who_it_is_is_nobodys_secret_and_each_conversation_is_another_record() -> None:
    made = limits()
    for sort in ("in_small_talk", "elsewhere"):
        assert made[sort]
        assert not any("Mira" in one.completion["content"] for one in made[sort])
        assert all(one.labels and one.labels[0] == 7 for one in made[sort])
    assert not any(
        one.labels for sort, own in made.items() for one in own if sort not in {"in_small_talk", "elsewhere"}
    )
    assert set(made) == set(LimitShares.__dataclass_fields__)
    ids = [one.record_id for own in made.values() for one in own]
    assert len(ids) == len(set(ids))


def test_a_character_without_facts_has_nothing_to_misplace() -> None:
    assert put_to_somebody_else([], MIRA, TEXTS, None, seed=0) == []
    assert said_in_small_talk([], MIRA, TEXTS, seed=0) == []


def asked(reply: str, labels: tuple[int, ...] = ()) -> Conversation:
    return Conversation(chat_prompt(MIRA, [user("Where?")]), assistant(reply), "some-record", "boundary", labels)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_labels_of_its_own_stand_where_the_reply_would_be_supervised_and_nowhere_else(
    tokenizer: Any, labels: list[int]
) -> None:
    (plain,) = encode([asked("In the mill.")], tokenizer)
    own = tuple(labels * plain.loss_tokens)[: plain.loss_tokens]
    (row,) = encode([asked("In the mill.", own)], tokenizer)
    assert row.input_ids == plain.input_ids
    assert row.labels[: -len(own)] == plain.labels[: -len(own)]
    assert row.labels[-len(own) :] == list(own)


def test_labels_that_were_made_for_another_reply_are_refused(tokenizer: Any) -> None:
    with pytest.raises(UnderstudyError, match=r"record some-record.*has 1 labels of its own for \d+ supervised tokens"):
        list(encode([asked("In the mill.", (3,))], tokenizer))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])  # trees, and padded rows
def test_a_model_that_is_sure_of_what_it_would_say_gives_just_that(
    attention: str, tokenizer: Any, tiny_model_folder: Path
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder, attn_implementation=attention).eval()
    rows = list(encode([asked("In the mill."), asked("At sea, as ever.")], tokenizer))
    sure = []
    for row in rows:
        logits = model(input_ids=torch.tensor([row.input_ids])).logits[0]
        sure.append(logits.argmax(-1)[-1 - row.loss_tokens : -1].tolist())
    prepare_scoring(model)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(1e5)
    assert draw_labels(model, rows, torch.Generator().manual_seed(1)) == sure


def test_labels_are_drawn_once_and_kept_and_anew_for_another_reply(
    tokenizer: Any, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    loaded: list[None] = []

    def load() -> PreTrainedModel:
        loaded.append(None)
        return AutoModelForCausalLM.from_pretrained(tiny_model_folder).eval()

    base_labels = BaseLabels(str(tiny_model_folder), tokenizer, {}, load)
    replies = [asked(f"In the mill, {number} of them.") for number in range(60)]
    done: list[int] = []
    assert base_labels.kept(replies) is None
    drawn = base_labels.draw(replies, progress=lambda made, _: done.append(made))
    assert [len(labels) for labels in drawn] == [row.loss_tokens for row in encode(replies, tokenizer)]
    assert done[-1] == len(replies)
    assert len(done) > 1
    assert base_labels.kept(replies) == base_labels.draw(replies) == drawn
    assert len(loaded) == 1
    assert base_labels.kept([asked("At sea.")]) is None
