"""A conversation keeps its turns, forgets on request, and never outgrows the model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.chat import _parser, _sampling
from pipeline.conversations.persona import choose_label, label_personas, make_persona
from pipeline.conversations.render import Message, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.models.generate import Reply
from pipeline.models.load import load_base_model
from pipeline.models.trained import TrainedCharacter
from pipeline.serving import conversation
from pipeline.serving.console import Console, characters_by_label
from pipeline.serving.conversation import Chat
from pipeline.serving.screen import JsonScreen, ReplyStreamer, Screen, TerminalScreen, printable
from pipeline.tokens.encode import encode, prompt_ids

MIRA, BRAM = (make_persona(name, "en", {}) for name in ("Mira", "Bram"))


@pytest.fixture
def chat(tiny_model_folder: Any, tokenizer: Any) -> Chat:
    base = str(tiny_model_folder)
    return Chat(TrainedCharacter(load_base_model(base), tokenizer, MIRA, (MIRA, BRAM), base, False, {}))


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[list[Message]]:
    """The prompts that reach the model, which here only counts them."""
    seen: list[list[Message]] = []

    def reply(model: Any, tokenizer: Any, prompt: Any, *, begun: tuple[int, ...] = (), **options: Any) -> Reply:
        seen.append(list(prompt))
        text = f"reply {len(seen)}"
        return Reply(text, (*begun, len(seen)), is_cut="long" in prompt[-1]["content"] and not begun)

    monkeypatch.setattr(conversation, "generate_turn", reply)
    monkeypatch.setattr(conversation, "generate_reply", lambda *given, **options: reply(*given, **options).text)
    return seen


def converse(chat: Chat, lines: list[str], screen: Screen | None = None) -> None:
    Console(chat, screen or TerminalScreen(chat.trained.tokenizer), characters_by_label([chat.trained])).converse(lines)


def test_every_turn_reaches_the_prompt_under_the_chats_instruction(chat: Chat, prompts: list[list[Message]]) -> None:
    converse(chat, ["Hello?", "", "And now?"])
    assert [message["content"] for message in prompts[1]] == [MIRA.system("chat"), "Hello?", "reply 1", "And now?"]


def test_reset_forgets_and_quit_leaves(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["Hello?", "/reset", "/what", "Again?", "/quit", "Never said."])
    assert [message["content"] for message in prompts[-1]] == [MIRA.system("chat"), "Again?"]
    assert "/reset forgets" in capsys.readouterr().out  # what /what does not mean


def test_an_unknown_command_is_said_to_be_unknown_and_the_known_ones_stand_a_line_each(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["/nonsense", "/recall"])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "(/nonsense is unknown; these are known:"
    assert "/undo takes the last exchange back" in said
    assert said[-1] == "(/recall needs its QUESTION: asks it by itself, greedy, as recall does)"
    converse(chat, ["/exit", "Never said."])
    assert prompts == []


def test_what_begins_with_a_slash_is_said_only_as_me(chat: Chat, prompts: list[list[Message]]) -> None:
    converse(chat, ["/me waves", "/mee", "/help"])
    assert [prompt[-1] for prompt in prompts] == [user("/me waves")]


def test_an_exchange_is_taken_back_or_answered_once_more(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["/undo", "/retry", "Hello?", "And now?", "/retry", "/undo", "So?", "/persona"]
    converse(chat, said)
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
    converse(chat, ["Hello?", f"/save {path}", "/reset", f"/load {path}", "And now?"])
    assert [message["content"] for message in prompts[-1]][1:] == ["Hello?", "reply 1", "And now?"]
    for content in ("", "[]", '{"messages": [{"role": "assistant", "content": "x"}]}', '{"messages": 3}'):
        (tmp_path / "broken.json").write_text(content, encoding="utf-8")
        converse(chat, [f"/load {tmp_path / 'broken.json'}", f"/save {tmp_path}"])
        assert capsys.readouterr().out.count("To fix it: ") == 2
    assert len(chat.turns) == 4  # what cannot be loaded changes nothing


def test_a_message_that_is_too_long_is_not_said_and_what_no_longer_fits_is_told(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["word " * 600])
    assert capsys.readouterr().out.startswith("(message: is ")  # and no character's name stands before it
    converse(chat, ["Hello?", "word " * 600, "And now?"])
    assert "tokens too long for this model" in capsys.readouterr().out
    assert [message["content"] for message in prompts[-1]][1:] == ["Hello?", "reply 1", "And now?"]
    converse(chat, [f"Question {n}: {'and ' * 40}?" for n in range(9)])
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


def test_a_reply_that_was_cut_is_marked_and_goes_on(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["/continue", "A long one, please.", "/continue", "/continue"])
    out = capsys.readouterr().out
    assert out.count("cut off at its longest; /continue goes on") == 1
    assert out.count("the last reply was not cut off") == 2
    assert prompts[0] == prompts[1]
    assert [turn["content"] for turn in chat.turns] == ["A long one, please.", "reply 2"]


def test_a_continued_reply_is_the_one_that_more_room_would_have_given(chat: Chat) -> None:
    def greedy(tokens: int) -> Chat:
        sampling = replace(MIRA.sampling, temperature=0.0, repetition_penalty=1.0, max_new_tokens=tokens)
        return Chat(replace(chat.trained, persona=replace(MIRA, sampling=sampling)))

    whole, parts = greedy(12), greedy(6)
    expected = whole.say("Hello?")
    first = parts.say("Hello?")
    assert first.is_cut
    reply = parts.go_on()
    assert reply.ids[:6] == first.ids
    assert (reply.ids, reply.text, reply.is_cut) == (expected.ids, expected.text, expected.is_cut)
    assert parts.turns == whole.turns


def test_programs_get_a_line_of_json_for_each_exchange(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["Hello?", "A long one.", "/reset", "/load nowhere.json", "word " * 600], JsonScreen())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    exchange = {
        "user": "Hello?",
        "character": "Mira",
        "reply": "reply 1",
        "finish_reason": "stop",
        "forgotten_turns": 0,
    }
    assert lines[0] == exchange
    assert lines[1]["finish_reason"] == "length"
    assert lines[2] == {"note": "forgotten"}
    assert ["error" in line for line in lines[3:]] == [True, True]


def test_the_base_model_can_be_heard_without_changing_the_conversation(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["/compare", "Hello?", "/compare", "/compare And now?", "/recall Where are you?"])
    out = capsys.readouterr().out
    assert "nothing was said yet" in out
    assert out.count("base model: reply") == 3
    contents = [[message["content"] for message in prompt][1:] for prompt in prompts]
    spoken = ["Hello?", "reply 1", "And now?"]
    assert contents == [["Hello?"], ["Hello?"], spoken, spoken, ["Where are you?"], ["Where are you?"]]
    assert [turn["content"] for turn in chat.turns] == ["Hello?", "reply 1"]


def test_another_of_the_characters_begins_anew(
    chat: Chat, prompts: list[list[Message]], capsys: pytest.CaptureFixture[str]
) -> None:
    converse(chat, ["Hello?", "/as Bram", "Hi?", "/as Tam"])
    assert [message["content"] for message in prompts[-1]] == [BRAM.system("chat"), "Hi?"]
    out = capsys.readouterr().out
    assert "Bram is here" in out
    assert "knows no Tam, but Mira, Bram" in out


def test_characters_of_several_runs_go_by_name_and_two_of_one_name_by_their_folders_too() -> None:
    one, other = Path("outputs/one"), Path("outputs/other")
    labelled = label_personas({one: [MIRA, BRAM], other: [MIRA]})
    assert labelled == {"Mira (outputs/one)": (one, MIRA), "Bram": (one, BRAM), "Mira (outputs/other)": (other, MIRA)}
    assert choose_label(None, labelled) == "Mira (outputs/one)"
    assert choose_label("Bram", labelled) == "Bram"
    with pytest.raises(UnderstudyError, match="knows no Mira, but"):
        choose_label("Mira", labelled)
    with pytest.raises(UnderstudyError, match="several characters: Mira, Bram"):
        choose_label(None, label_personas({one: [MIRA, BRAM]}))


def test_half_a_character_is_not_shown_and_nothing_steers_the_terminal(
    tokenizer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    streamer = ReplyStreamer(tokenizer)
    streamer.on_finalized_text("The bells \x1b[2J ring")
    streamer.on_finalized_text(" 好\ufffd", stream_end=True)
    assert capsys.readouterr().out == "The bells [2J ring 好\n"
    assert printable("a\tb\nc\x07\u202e\r\u3000d") == "a\tb\nc\u3000d"


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--temperature", "-1"], "--temperature: is -1.0"),
        (["--top_p", "0"], "above 0, up to 1"),
        (["--max_new_tokens", "0"], "give 1 or more"),
        (["--repetition_penalty", "0"], "--repetition_penalty"),
    ],
)
def test_sampling_out_of_its_range_is_refused(flags: list[str], complaint: str) -> None:
    arguments = _parser().parse_args(["--adapter", "x", *flags])
    with pytest.raises(UnderstudyError, match=complaint):
        _sampling(arguments)
    within = _parser().parse_args(["--adapter", "x", "--temperature", "0", "--max_new_tokens", "9"])
    assert _sampling(within) == {"temperature": 0.0, "max_new_tokens": 9}
