"""A fact's answer where it does not belong is supervised as what the base model would say there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, PreTrainedModel

from pipeline.augmentation.base_labels import base_labels, kept_labels
from pipeline.augmentation.boundaries import read_boundaries, without_names
from pipeline.augmentation.facts import Fact, facts_of
from pipeline.augmentation.items import Wordings, is_near_any
from pipeline.augmentation.limits import LimitShares, limit_conversations
from pipeline.augmentation.misplaced import put_to_somebody_else, said_in_small_talk
from pipeline.augmentation.questions import language_rules
from pipeline.augmentation.replies import BaseModel
from pipeline.conversations.persona import LANGUAGES, Language, Persona, make_persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.models.scores import draw_labels, draw_tokens, prepare_scoring
from pipeline.records.record import Record
from pipeline.tokens.encode import encode
from pipeline.tokens.prefix_tree import IGNORE_INDEX

MIRA = make_persona("Mira Vale", "en", {})
TEXTS = read_boundaries("en")
TALK = TEXTS.small_talk.train


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


def labelled(conversations: Sequence[Conversation]) -> list[tuple[int, ...]]:
    short = [(), (3,), (3, 4)]  # no longer than an opening
    return [
        short[n % 3] if "(out)" in one.completion["content"] else (3, 4, 7, 8) for n, one in enumerate(conversations)
    ]


def limits(
    facts: Sequence[Fact] = FACTS, persona: Persona = MIRA, forbidden: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[Conversation]]:
    base_model = BaseModel(lambda asked: ["Well."] * len(asked), labelled)
    return limit_conversations(facts, RECORDS, persona, TEXTS, base_model, seed=0, forbidden=forbidden or {})


def last(prompt: Sequence[Message]) -> str:
    return prompt[-1]["content"]


def test_somebody_else_is_asked_for_each_fact_in_other_words_and_never_as_it_is_tested() -> None:
    tested = "Do you know how old you are?"
    wordings = Wordings(TEXTS, language_rules("en"), forbidden={"I am nineteen.": [tested]})
    made = put_to_somebody_else(FACTS, MIRA, TEXTS, wordings, seed=0)
    assert {answer for _, answer in made} == {fact.answer for fact in FACTS}
    assert not any("Mira" in prompt[0]["content"] for prompt, _ in made)
    ages = [last(prompt) for prompt, answer in made if answer == "I am nineteen."]
    assert len({asked.lower().strip(" ?") for asked in ages}) > 5
    assert not any(is_near_any(asked, [tested]) for asked in ages)


def test_what_tests_a_fact_is_not_asked_of_somebody_else_where_facts_come_as_copies_either() -> None:
    to_her = {"Where do you live?": "In the mill.", "What do you eat?": "Eel.", "Where were you born?": "At sea."}
    of_her = ("Where does Mira Vale live?", "What does Mira Vale eat?", "Where was Mira Vale born?")
    about = facts_of([record(asked, answer) for asked, answer in zip(of_her, to_her.values(), strict=True)])
    assert {last(one.prompt) for one in limits(about)["elsewhere"]} & set(to_her)
    made = limits(about, forbidden={answer: [asked] for asked, answer in to_her.items()})["elsewhere"]
    assert {last(one.prompt) for one in made} == set(of_her)


def test_nobody_of_the_run_is_somebody_else() -> None:
    names = {"Ines Okafor", "Grace Mbeki", "Ines"}
    assert names & set(TEXTS.other_names.train)
    left = without_names(TEXTS, ["Grace Mbeki", "Ines"]).other_names
    assert not names & {*left.train, *left.test}
    assert left.train


def test_a_chat_prompt_that_does_not_name_the_character_is_nobody_elses() -> None:
    nameless = make_persona("Mira Vale", "en", {"chat": "You are Mira Vale, who mills."})
    made = limits(persona=nameless)
    assert made["elsewhere"] == made["somebody_else"] == []
    assert made["in_small_talk"]


def test_small_talk_is_answered_with_a_fact_that_shares_its_rarest_word_and_then_with_any() -> None:
    made = said_in_small_talk(FACTS, MIRA, TALK, seed=0)
    assert {last(prompt) for prompt, _ in made} == set(TALK)
    assert all(prompt[0] == chat_prompt(MIRA, ())[0] for prompt, _ in made)
    moonlit = next(answer for prompt, answer in made if last(prompt) == "The moon is bright tonight.")
    assert moonlit == "The one that took the roof."
    assert {answer for _, answer in made} == {fact.answer for fact in FACTS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_nearest_fact_is_found_in_either_language(language: Language) -> None:
    said = {"en": "The moon is bright tonight.", "zh": "今晚月亮好亮。"}[language]
    talk = read_boundaries(language).small_talk.train
    assert said in talk
    asked = {"en": ("Who gave you the moon?", "My aunt did."), "zh": ("月亮是谁给你的？", "是姑姑。")}[language]
    others = {"en": ("What do you eat?", "Eel."), "zh": ("你吃什么？", "鳗鱼。")}[language]
    facts = facts_of([record(*one) for one in (others, asked)])
    made = said_in_small_talk(facts, make_persona("阿蘅", language, {}), talk, seed=0)
    assert next(answer for prompt, answer in made if last(prompt) == said) == asked[1]


def test_small_talk_that_asks_for_a_fact_is_no_small_talk() -> None:
    asks = "How are you today?"
    assert asks in TALK
    cold = facts_of([record(asks, "Cold as ever."), record("Where do you live?", "In the mill.")])
    made = limits(cold)
    assert asks not in {last(one.prompt) for one in [*made["in_small_talk"], *made["small_talk"]]}
    assert asks in {last(one.prompt) for one in limits()["in_small_talk"]}


def test_what_it_is_called_is_nobodys_secret_and_each_conversation_is_another_record() -> None:
    made = limits()
    # Only under somebody else's name does its opening count.
    not_said = {"in_small_talk": (IGNORE_INDEX, IGNORE_INDEX, 7, 8), "elsewhere": (3, 4, 7, 8)}
    for sort, labels in not_said.items():
        assert made[sort]
        assert not any("Mira" in one.completion["content"] for one in made[sort])
        assert all(one.labels == labels for one in made[sort])
    assert not any(one.labels for sort, own in made.items() for one in own if sort not in not_said)
    assert set(made) == set(LimitShares.__dataclass_fields__)
    ids = [one.record_id for own in made.values() for one in own]
    assert len(ids) == len(set(ids))


def test_what_has_no_labels_where_it_is_supervised_is_left_out() -> None:
    made = limits(facts_of([record("What do you write?", "That. (out)"), record("Where do you live?", "In the mill.")]))
    assert {one.completion["content"] for one in made["in_small_talk"]} == {"In the mill."}
    assert all(one.labels for one in made["elsewhere"])


def test_a_character_without_facts_has_nothing_to_misplace() -> None:
    assert put_to_somebody_else([], MIRA, TEXTS, Wordings(TEXTS), seed=0) == []
    assert said_in_small_talk([], MIRA, TALK, seed=0) == []


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


def test_a_token_is_drawn_as_often_as_it_is_likely_and_never_where_it_cannot_be() -> None:
    shares = torch.tensor([0.0, 0.5, 0.0, 0.2, 0.3, 0.0])
    drawn = draw_tokens(shares.log().repeat(20_000, 1), torch.Generator().manual_seed(0))
    found = drawn.bincount(minlength=len(shares)) / len(drawn)
    assert torch.allclose(found, shares, atol=0.015)
    assert torch.equal(found == 0, shares == 0)


def test_labels_are_drawn_once_and_kept_and_anew_for_another_reply(
    tokenizer: Any, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    loaded: list[None] = []

    def load() -> PreTrainedModel:
        loaded.append(None)
        return AutoModelForCausalLM.from_pretrained(tiny_model_folder).eval()

    replies = [f"In the mill, {'many ' * (number * 7 % 11)}of them." for number in range(60)]  # in no order
    rows = list(encode(map(asked, replies), tokenizer))
    model = (str(tiny_model_folder), "template", {"dtype": "float32"})
    done: list[int] = []
    assert kept_labels(rows, *model) is None
    drawn = base_labels(rows, *model, load, progress=lambda made, _: done.append(made))
    assert [len(labels) for labels in drawn] == [row.loss_tokens for row in rows]
    assert done[-1] == len(rows)
    assert len(done) > 1
    assert kept_labels(rows, *model) == base_labels(rows, *model, load) == drawn
    assert len(loaded) == 1
    on_another_device = (*model[:2], {**model[2], "device_map": {"": 1}})
    assert kept_labels(rows, *on_another_device) == drawn
    assert kept_labels(rows[:-1], *model) is None
