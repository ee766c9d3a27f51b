"""A conversation keeps its turns, forgets on request, and never outgrows the model."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Message, chat_prompt, user
from pipeline.models.load import load_base_model
from pipeline.serving import conversation
from pipeline.serving.conversation import Chat, converse
from pipeline.tokens.encode import encode, prompt_ids

MIRA = make_persona("Mira", "en", {})


@pytest.fixture
def chat(tiny_model_folder: Any, tokenizer: Any) -> Chat:
    return Chat(load_base_model(str(tiny_model_folder)), tokenizer, MIRA)


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[list[Message]]:
    """The prompts that reach the model, which here only counts them."""
    seen: list[list[Message]] = []

    def reply(model: Any, tokenizer: Any, prompt: Any, **options: Any) -> str:
        seen.append(list(prompt))
        return f"reply {len(seen)}"

    monkeypatch.setattr(conversation, "generate_reply", reply)
    return seen


def test_every_turn_reaches_the_prompt_under_the_chats_instruction(chat: Chat, prompts: list[list[Message]]) -> None:
    converse(chat, ["Hello?", "", "And now?"], streamer=None, name="Mira")  # type: ignore[arg-type]
    assert [message["content"] for message in prompts[1]] == [MIRA.system("chat"), "Hello?", "reply 1", "And now?"]


def test_reset_forgets_and_quit_leaves(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["Hello?", "/reset", "/what", "Again?", "/quit", "Never said."], streamer=None, name="Mira")  # type: ignore[arg-type]
    assert [message["content"] for message in prompts[-1]] == [MIRA.system("chat"), "Again?"]
    assert "/reset forgets" in capsys.readouterr().out


def test_the_oldest_turns_go_when_the_context_is_full(chat: Chat, prompts: list[list[Message]], tokenizer: Any) -> None:
    for number in range(40):
        chat.say(f"Question number {number}, which is a rather long one?")
    for prompt in prompts:
        assert len(prompt_ids(tokenizer, prompt)) <= 512 - MIRA.sampling.max_new_tokens
        assert [message["role"] for message in prompt] == [
            "system",
            *["user", "assistant"] * ((len(prompt) - 2) // 2),
            "user",
        ]
    assert prompts[-1][-1] == user("Question number 39, which is a rather long one?")
    assert len(prompts[-1]) > 4


def test_chat_shows_the_model_the_tokens_of_its_training(tokenizer: Any) -> None:
    from pipeline.conversations.render import render
    from pipeline.records.record import Record

    question = Record("id", "setting_qa", "Where?", "Here.", (), "Mira", "a.json#0")
    (row,) = encode(render(question, MIRA, chat_share=1), tokenizer)
    chatted = prompt_ids(tokenizer, chat_prompt(MIRA, [user("Where?")]))
    assert row.input_ids[: len(chatted)] == chatted
    assert all(label == -100 for label in row.labels[: len(chatted)])
    assert row.labels[len(chatted)] != -100
