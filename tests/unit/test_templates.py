"""Whatever a tokenizer's template does, training and chat show the model the same."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, system, user
from pipeline.conversations.render import render as render_record
from pipeline.errors import UnderstudyError
from pipeline.records.record import KINDS, Record, Turn
from pipeline.tokens.encode import encode, prompt_ids
from pipeline.tokens.template import end_of_turn_ids, normalise_template, render
from tests.conftest import CHATML, make_tokenizer
from tests.families import FAMILIES, IM, Family

MIRA = make_persona("Mira", "en", {})
SCENE = (Turn("Bram", "Ready?"), Turn("Mira", "No."), Turn("Bram", "Now!"))
RECORDS = {
    "background": Record("b", "background", "Character Story 1", "Mira rings the bells.", (), "Mira", "a.json#0"),
    "setting_qa": Record("s", "setting_qa", "Where were you born?", "In Saltmere, by the sea.", (), "Mira", "a.json#1"),
    "dialogue": Record("d", "dialogue", "The tower", "Mind your ears, 好吗?", SCENE, "Mira", "a.txt:3"),
}


def normalised(family: Family) -> Any:
    tokenizer = make_tokenizer(family.template, family.special, family.eos, family.bos)
    tokenizer.chat_template = normalise_template(tokenizer).text
    return tokenizer


@pytest.fixture(params=FAMILIES, scope="module")
def tokenizer_of_a_family(request: pytest.FixtureRequest) -> Any:
    return normalised(FAMILIES[request.param])


@pytest.mark.parametrize("kind", KINDS)
def test_the_prompts_of_training_are_those_of_chat_token_for_token(tokenizer_of_a_family: Any, kind: str) -> None:
    tokenizer = tokenizer_of_a_family
    conversations = render_record(RECORDS[kind], MIRA, chat_share=0.5)
    rows = list(encode(conversations, tokenizer))
    under_chat = 0
    for conversation, row in zip(conversations, rows, strict=True):
        turns = conversation.prompt[1:]
        prompt = (
            chat_prompt(MIRA, turns)
            if conversation.prompt[0]["content"] == MIRA.system("chat")
            else (system(MIRA.system(kind)), *turns)  # type: ignore[arg-type]
        )
        under_chat += prompt[0]["content"] == MIRA.system("chat")
        chatted = prompt_ids(tokenizer, prompt)
        assert row.input_ids[: len(chatted)] == chatted
        assert row.labels[: len(chatted)] == [-100] * len(chatted)
        assert row.labels[len(chatted) :] == row.input_ids[len(chatted) :]
        assert row.labels[-1] in end_of_turn_ids(tokenizer)
        assert tokenizer.decode(row.labels[len(chatted) : -1]).strip() == RECORDS[kind].text
    assert under_chat == (0 if kind == "background" else len(rows) / 2)


def test_the_instruction_and_every_turn_stand_in_the_prompt_once(tokenizer_of_a_family: Any) -> None:
    turns = [user("First?"), assistant("Once."), user("Second?")]
    prompt = render(tokenizer_of_a_family, chat_prompt(MIRA, turns), reply_follows=True)
    places = [prompt.index(text) for text in (MIRA.system("chat"), "First?", "Once.", "Second?")]
    assert places == sorted(places)
    assert all(prompt.count(text) == 1 for text in (MIRA.system("chat"), "First?", "Once.", "Second?"))


def test_normalising_a_normalised_template_changes_nothing(tokenizer_of_a_family: Any) -> None:
    assert normalise_template(tokenizer_of_a_family).text == tokenizer_of_a_family.chat_template


def test_a_template_that_needs_nothing_is_left_to_the_letter() -> None:
    for name in ("ChatML", "Qwen2.5", "Llama 3", "Phi-3", "Yi", "InternLM2", "DeepSeek-LLM"):
        assert normalised(FAMILIES[name]).chat_template == FAMILIES[name].template, name


NOTES = {
    "Gemma": "takes no system turn",
    "Mistral": "takes no system turn",
    "Qwen3": "opens a reply otherwise",
    "DeepSeek-R1 distill": "opens a reply otherwise",
    "no generation marks": "opens a reply otherwise",
    "GLM-4": "ends a reply with no special token",
    "Llama 3.2": "writes the date",
    "no template at all": "has no chat template",
}


@pytest.mark.parametrize("name", NOTES)
def test_what_is_done_to_a_template_is_said(name: str) -> None:
    family = FAMILIES[name]
    notes = normalise_template(make_tokenizer(family.template, family.special, family.eos, family.bos)).notes
    assert any(NOTES[name] in note for note in notes)


def test_qwen3_replies_after_a_closed_thought_as_its_own_no_thinking_mode_does() -> None:
    family = FAMILIES["Qwen3"]
    own = make_tokenizer(family.template, family.special, family.eos)
    asked: list[Message] = list(chat_prompt(MIRA, [user("Where?")]))
    without_thought = own.apply_chat_template(asked, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    assert render(normalised(family), asked, reply_follows=True) == without_thought


def test_the_instruction_stands_before_the_first_question_where_there_is_no_system_turn() -> None:
    prompt = render(normalised(FAMILIES["Gemma"]), chat_prompt(MIRA, [user("Where?")]), reply_follows=True)
    assert f"<start_of_turn>user\n{MIRA.system('chat')}\n\nWhere?<end_of_turn>" in prompt


FAULTS = {
    "gives the model an identity": "<|im_start|>system\nYou are Qwen, a helpful assistant.<|im_end|>\n" + CHATML,
    "renders a prompt differently": CHATML.replace("{% for", "{{ messages | length }}{% for"),
    "shows a reply 0 times": CHATML.replace(
        "message['content']", "(message['content'][:9] if message['role'] == 'assistant' else message['content'])"
    ),
    "takes no question": "{{ raise_exception('No.') }}",
}


@pytest.mark.parametrize("complaint", FAULTS)
def test_a_template_that_cannot_be_normalised_is_refused_by_name(complaint: str) -> None:
    broken = make_tokenizer(FAULTS[complaint], IM, eos="<|im_end|>")
    wanted = "shows neither" if complaint == "takes no question" else complaint
    with pytest.raises(UnderstudyError, match=f"chat template of .*{wanted}"):
        normalise_template(broken)


def test_a_template_that_drops_the_end_token_is_mended_with_a_note_and_the_token_is_supervised() -> None:
    dropping = make_tokenizer(CHATML.replace("<|im_end|>\n{% endfor %}", "\n{% endfor %}"), IM, eos="<|im_end|>")
    mended = normalise_template(dropping)
    assert any("ends a reply with no special token; <|im_end|> is trained" in note for note in mended.notes)
    dropping.chat_template = mended.text
    (row,) = encode([Conversation(chat_prompt(MIRA, [user("Where?")]), assistant("Here."), "r", "dialogue")], dropping)
    assert dropping.decode(row.labels[-1:]) == "<|im_end|>"
