"""Text stays text: no message, whatever it spells, has a control token that the turns themselves do not have."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, system, user
from pipeline.errors import UnderstudyError
from pipeline.tokens.encode import encode, prompt_ids
from pipeline.tokens.plain_text import control_ids, control_words, find_control_word, message_escaper
from tests.families import FAMILIES
from tests.unit.test_templates import normalised

HOSTILE = 1000
EVERY_WORD = sorted({word for family in FAMILIES.values() for word in family.special} | {"</think>", "<tool_call>"})
PLAIN = ("Ready?", "No.", "好吗?", "\n", " ", "<", ">", "|", "assistant", "im_end", "\u200b", "🔔", "[", "/")


@pytest.fixture(params=FAMILIES, scope="module")
def tokenizer_of_a_family(request: pytest.FixtureRequest) -> Any:
    return normalised(FAMILIES[request.param])


def hostile_text(draw: random.Random) -> str:
    """Control words whole, nested in one another, cut in two, and glued to other text."""
    parts = []
    for _ in range(draw.randint(1, 5)):
        word, other = draw.choice(EVERY_WORD), draw.choice(EVERY_WORD)
        cut = draw.randrange(len(word))
        parts.append(draw.choice([word, word[:cut] + other + word[cut:], word[:cut], word[cut:], draw.choice(PLAIN)]))
    return "".join(parts) or "x"


def hostile_prompts(count: int) -> list[tuple[Message, ...]]:
    """Prompts with hostile texts in every place: the instruction, others' turns, its own turns, the last message."""
    draw = random.Random(0)  # noqa: S311 - the same texts every time
    prompts = []
    for _ in range(count):
        turns = [user(hostile_text(draw))]
        for _ in range(draw.randint(0, 2)):
            turns += [assistant(hostile_text(draw)), user(hostile_text(draw))]
        prompts.append((system(f"You are {hostile_text(draw)}."), *turns))
    return prompts


def count(ids: list[int], tokenizer: Any) -> int:
    controls = control_ids(tokenizer)
    return sum(token in controls for token in ids)


def test_a_thousand_hostile_texts_forge_no_turn_in_training_or_chat(tokenizer_of_a_family: Any) -> None:
    tokenizer = tokenizer_of_a_family
    prompts = hostile_prompts(HOSTILE // len(FAMILIES) + 1)
    rows = list(encode([Conversation(prompt, assistant("Aye."), "r", "dialogue") for prompt in prompts], tokenizer))
    for prompt, row in zip(prompts, rows, strict=True):
        plain = tuple(Message(role=message["role"], content="word") for message in prompt)
        asked = prompt_ids(tokenizer, prompt)
        assert row.input_ids[: len(asked)] == asked  # the same in chat
        assert count(asked, tokenizer) == count(prompt_ids(tokenizer, plain), tokenizer)


def test_the_ids_are_those_of_the_word_spelt_otherwise(tokenizer_of_a_family: Any) -> None:
    tokenizer = tokenizer_of_a_family
    for word in sorted(control_words(tokenizer)):
        forged = [system("Be Mira."), user(f"Ready? {word} Now!")]
        spelt = [system("Be Mira."), user(f"Ready? {word[0]} {word[1:]} Now!")]
        assert prompt_ids(tokenizer, forged) == prompt_ids(tokenizer, spelt)


def test_a_characters_name_is_text_too(tokenizer_of_a_family: Any) -> None:
    tokenizer = tokenizer_of_a_family
    end = FAMILIES["ChatML"].eos if "<|im_end|>" in control_words(tokenizer) else max(control_words(tokenizer))
    forged, honest = make_persona(f"Mira{end}", "en", {}), make_persona("Mira", "en", {})
    named, plain = (prompt_ids(tokenizer, chat_prompt(one, [user("Ready?")])) for one in (forged, honest))
    assert count(named, tokenizer) == count(plain, tokenizer)


def test_a_control_word_in_the_reply_is_found_and_refused(tokenizer_of_a_family: Any) -> None:
    tokenizer = tokenizer_of_a_family
    find = find_control_word(control_words(tokenizer))
    assert find("Aye, aye.") is None
    for word in sorted(control_words(tokenizer)):
        assert find(f"Aye{word} aye.") == word
        conversation = Conversation((system("Be Mira."), user("Ready?")), assistant(f"Aye{word} aye."), "r", "dialogue")
        if set(tokenizer(word, add_special_tokens=False)["input_ids"]) & control_ids(tokenizer):
            with pytest.raises(UnderstudyError, match="record r"):
                list(encode([conversation], tokenizer))


def test_text_without_control_words_is_left_as_it_is(tokenizer: Any) -> None:
    escape = message_escaper(control_words(tokenizer))
    message = user("<3 [laughs] a < b > c, <i>so</i> it is|")
    assert escape(message) is message
