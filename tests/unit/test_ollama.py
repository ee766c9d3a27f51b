"""Ollama's Go template gives the trained prompts, or is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.conversations.persona import Sampling
from pipeline.conversations.render import assistant, chat_prompt, system, user
from pipeline.errors import UnderstudyError
from pipeline.exports.ollama import (
    check_expressible,
    go_template,
    modelfile,
    orders_rendered_otherwise,
    turn_texts,
)
from pipeline.exports.trial import front_end_conversations, make_trial, refused_orders, trial_conversations
from pipeline.tokens.template import normalise_template, render
from tests.conftest import CHATML, make_tokenizer
from tests.exported import MIRA
from tests.families import FAMILIES, IM, Family

CONVERSATIONS = [chat_prompt(MIRA, turns) for turns in trial_conversations()]


def normalised(family: Family) -> Any:
    tokenizer = make_tokenizer(family.template, family.special, family.eos, family.bos)
    tokenizer.chat_template = normalise_template(tokenizer).text
    return tokenizer


@pytest.mark.parametrize("name", FAMILIES)
def test_the_texts_around_turns_put_together_are_the_trained_prompts(name: str) -> None:
    tokenizer = normalised(FAMILIES[name])
    assert check_expressible(tokenizer, turn_texts(tokenizer), CONVERSATIONS) == 20


GREETING, WITHIN, LAST = front_end_conversations()
# What templates of families do not render, and what the Go template does not give as they do.
UNRENDERED = {
    "Qwen3.5 thinking": {WITHIN, LAST}, "Qwen3.5 not thinking": {WITHIN, LAST}, "DeepSeek-R1 distill": {WITHIN, LAST},
    "Mistral": {WITHIN}, "Gemma": {WITHIN}, "Gemma 3": {GREETING, WITHIN}, "Cohere": {GREETING, WITHIN, LAST},
}  # fmt: skip
OTHERWISE = {"DeepSeek-V3": {WITHIN, LAST}}  # its template moves them to the beginning


@pytest.mark.parametrize("name", FAMILIES)
def test_a_greeting_and_later_system_messages_have_headers_of_their_own_or_are_named(name: str) -> None:
    tokenizer = normalised(FAMILIES[name])
    texts = turn_texts(tokenizer)
    refused, otherwise = refused_orders(tokenizer, MIRA), orders_rendered_otherwise(tokenizer, texts, MIRA)
    assert (set(refused), set(otherwise)) == (UNRENDERED.get(name, set()), OTHERWISE.get(name, set()))
    left_out = (*refused, *otherwise)
    shown = [turns for order, some in front_end_conversations().items() if order not in left_out for turns in some]
    trial = make_trial(tokenizer, MIRA, without=otherwise)
    assert list(trial.conversations[20:]) == shown
    prompts = [chat_prompt(MIRA, turns) for turns in trial.conversations]
    assert check_expressible(tokenizer, texts, prompts) == 20 + len(shown)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_greeting_stands_in_a_users_turn(name: str) -> None:
    tokenizer = normalised(FAMILIES[name])
    texts = turn_texts(tokenizer)
    usual = texts.prompt([system("SYSTEM"), user("ASKED"), assistant("REPLIED"), user("AGAIN")])
    before_reply, after_reply = usual.partition("ASKED")[2].split("REPLIED")
    before_greeting, after_greeting = texts.prompt([system("SYSTEM"), assistant("HELLO"), user("AGAIN")]).split("HELLO")
    assert after_greeting == after_reply
    assert before_greeting.split()[-1:] == before_reply.split()[-1:] or before_greeting.endswith(before_reply)


def test_a_folded_system_message_before_a_greeting_is_a_turn_by_itself() -> None:
    tokenizer = normalised(FAMILIES["Gemma"])
    turns = [system("S"), assistant("GREETING"), user("V")]
    assert render(tokenizer, turns, reply_follows=True) == (
        "<bos><start_of_turn>user\nS<end_of_turn>\n<start_of_turn>model\nGREETING<end_of_turn>\n"
        "<start_of_turn>user\nV<end_of_turn>\n<start_of_turn>model\n"
    )


REFUSED = {
    "numbers its turns": CHATML.replace("{{ message['role'] }}", "{{ message['role'] }}{{ loop.index }}"),
    "leaves a reply out": CHATML.replace("{% for message in messages %}", "{% for message in messages[:2] %}"),
    "shortens what is long": CHATML.replace("{{ message['content'] }}", "{{ message['content'][:40] }}"),
    "reads what is said": CHATML.replace("{{ message['content'] }}", "{{ message['content'] | replace('?', '') }}"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_template_that_does_more_is_refused_with_a_way_out(what: str) -> None:
    tokenizer = make_tokenizer(REFUSED[what], IM, "<|im_end|>")
    with pytest.raises(UnderstudyError, match="--to gguf"):
        check_expressible(tokenizer, turn_texts(tokenizer), CONVERSATIONS)


def test_a_bos_that_the_runner_writes_is_left_to_it() -> None:
    tokenizer = normalised(FAMILIES["Llama 3"])
    texts = turn_texts(tokenizer)
    assert "<|begin_of_text|>" in go_template(texts)
    assert "<|begin_of_text|>" not in go_template(texts, without_bos="<|begin_of_text|>")


def test_a_modelfile_names_file_template_persona_stop_and_sampling() -> None:
    text = modelfile("model-q8_0.gguf", "{{ .Content }}", "You are Mira.", "<｜end▁of▁sentence｜>", Sampling())
    assert text.splitlines() == [
        "FROM ./model-q8_0.gguf",
        'TEMPLATE """{{ .Content }}"""',
        'SYSTEM """You are Mira."""',
        'PARAMETER stop "<｜end▁of▁sentence｜>"',
        "PARAMETER temperature 0.7",
        "PARAMETER top_p 0.9",
        "PARAMETER top_k 0",
        "PARAMETER min_p 0.0",
        "PARAMETER repeat_last_n -1",
        "PARAMETER repeat_penalty 1.1",
        "PARAMETER num_predict 160",
    ]


def test_a_persona_that_would_end_its_own_quotes_is_refused() -> None:
    with pytest.raises(UnderstudyError, match="take them out"):
        modelfile("model.gguf", "", 'You are """Mira""".', "</s>", Sampling())
