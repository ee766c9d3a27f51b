"""A conversation keeps its turns, forgets on request, and never outgrows the model."""

from __future__ import annotations

from pathlib import Path
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
    assert "/reset forgets" in capsys.readouterr().out  # what /what does not mean


def test_what_begins_with_a_slash_is_said_only_as_me(chat: Chat, prompts: list[list[Message]]) -> None:
    converse(chat, ["/me waves", "/mee", "/help"], streamer=None, name="Mira")  # type: ignore[arg-type]
    assert [prompt[-1] for prompt in prompts] == [user("/me waves")]


def test_an_exchange_is_taken_back_or_answered_once_more(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["/undo", "/retry", "Hello?", "And now?", "/retry", "/undo", "So?", "/persona"]
    converse(chat, said, streamer=None, name="Mira")  # type: ignore[arg-type]
    contents = [[message["content"] for message in prompt][1:] for prompt in prompts]
    assert contents == [
        ["Hello?"],
        ["Hello?", "reply 1", "And now?"],
        ["Hello?", "reply 1", "And now?"],
        ["Hello?", "reply 1", "So?"],
    ]
    out = capsys.readouterr().out
    assert "nothing was said yet" in out
    assert MIRA.system("chat") in out


def test_a_conversation_goes_on_where_it_was_saved(
    chat: Chat, prompts: list[list[Message]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my talk.json"
    converse(chat, ["Hello?", f"/save {path}", "/reset", f"/load {path}", "And now?"], streamer=None, name="Mira")  # type: ignore[arg-type]
    assert [message["content"] for message in prompts[-1]][1:] == ["Hello?", "reply 1", "And now?"]
    for content in ("", "[]", '{"messages": [{"role": "assistant", "content": "x"}]}', '{"messages": 3}'):
        (tmp_path / "broken.json").write_text(content, encoding="utf-8")
        converse(chat, [f"/load {tmp_path / 'broken.json'}", f"/save {tmp_path}"], streamer=None, name="Mira")  # type: ignore[arg-type]
        assert capsys.readouterr().out.count("To fix it: ") == 2
    assert len(chat.turns) == 4  # what cannot be loaded changes nothing


def test_a_message_that_is_too_long_is_not_said_and_what_no_longer_fits_is_told(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["Hello?", "word " * 600, "And now?"], streamer=None, name="Mira")  # type: ignore[arg-type]
    assert "tokens too long for this model" in capsys.readouterr().out
    assert [message["content"] for message in prompts[-1]][1:] == ["Hello?", "reply 1", "And now?"]
    converse(chat, [f"Question {n}: {'and ' * 40}?" for n in range(9)], streamer=None, name="Mira")  # type: ignore[arg-type]
    assert "turns no longer fit" in capsys.readouterr().out
    assert prompts[-1][0] == {"role": "system", "content": MIRA.system("chat")}
    assert len(chat.turns) == 2 * 11  # what the model no longer sees is still there to be saved


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
