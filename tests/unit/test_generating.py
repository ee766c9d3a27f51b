"""Replies generated many at a time are those of each prompt alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, TemperatureLogitsWarper, TopPLogitsWarper

from pipeline.conversations.persona import Sampling, make_persona
from pipeline.conversations.render import chat_prompt, user
from pipeline.models import generate
from pipeline.models.generate import NucleusSampler, generate_replies, generate_reply
from pipeline.tokens.attention import prefix_tree_obstacle

MIRA = make_persona("Mira", "en", {})
WORDS = (
    "Where were you born?",
    "Eel?",
    "What do you eat when the tide is out and the bells are silent?",
    "好吗？",
    "Aye",
)


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def model(request: pytest.FixtureRequest, tiny_model_folder: Path) -> Any:
    loaded = AutoModelForCausalLM.from_pretrained(tiny_model_folder, attn_implementation=request.param).eval()
    torch.manual_seed(1)
    head = loaded.get_output_embeddings().weight  # so sharp that no rounding decides which token is likeliest
    torch.nn.init.normal_(head, std=3.0)
    return loaded


@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([1, 4, 9, 40])), min_size=1, max_size=6),
    st.integers(1, 7),
)
@settings(max_examples=15, deadline=None)
def test_replies_are_those_of_each_prompt_alone(
    model: Any, tokenizer: Any, asked: list[tuple[str, int]], width: int
) -> None:
    prompts = [chat_prompt(MIRA, (user(text),)) for text, _ in asked]
    longest = [most for _, most in asked]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "REPLIES_A_BATCH", width)
        patch.setattr(generate, "TOKENS_A_ROUND", 5)
        found = generate_replies(model, tokenizer, prompts, max_new_tokens=longest)
    alone = [
        generate_reply(model, tokenizer, prompt, max_new_tokens=most)
        for prompt, most in zip(prompts, longest, strict=True)
    ]
    assert found == alone


def test_no_prompt_has_no_reply(model: Any, tokenizer: Any) -> None:
    assert generate_replies(model, tokenizer, []) == []


def test_a_reply_that_has_ended_is_computed_no_further(tokenizer: Any, tiny_model_folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder).eval()
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    torch.nn.init.zeros_(model.get_output_embeddings().weight)
    bias = torch.nn.functional.one_hot(torch.tensor(end), len(tokenizer)).float()
    model.get_output_embeddings().bias = torch.nn.Parameter(bias)
    forwards: list[int] = []
    model.register_forward_hook(lambda *_: forwards.append(1))
    prompts = [chat_prompt(MIRA, (user(text),)) for text in WORDS]
    assert generate_replies(model, tokenizer, prompts, max_new_tokens=64) == [""] * len(WORDS)
    assert len(forwards) <= 2  # what the prompts share, and the rest of them


def test_a_reply_that_says_enough_is_begun_alike_and_computed_no_further(model: Any, tokenizer: Any) -> None:
    prompts = [chat_prompt(MIRA, (user(text),)) for text in WORDS]
    whole = generate_replies(model, tokenizer, prompts, max_new_tokens=40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "TOKENS_A_ROUND", 5)
        begun = generate_replies(
            model, tokenizer, prompts, max_new_tokens=40, is_enough=lambda text: text.count(" ") > 2
        )
    assert all(long.startswith(short) for long, short in zip(whole, begun, strict=True))
    if not prefix_tree_obstacle(model):
        assert sum(map(len, begun)) < sum(map(len, whole))


@pytest.mark.parametrize("temperature", [0.5, 1.7])
@pytest.mark.parametrize("top_p", [0.05, 0.9, 1.0])
@pytest.mark.parametrize(("vocabulary", "sharpness"), [(8, 2.0), (600, 4.0), (600, 0.01)])
def test_what_is_drawn_is_as_likely_as_transformers_own_warpers_make_it(
    temperature: float, top_p: float, vocabulary: int, sharpness: float
) -> None:
    torch.manual_seed(0)
    scores = sharpness * torch.randn(1, vocabulary)
    warped = TopPLogitsWarper(top_p)(None, TemperatureLogitsWarper(temperature)(None, scores))  # type: ignore[arg-type]
    draws = 1000
    left = NucleusSampler(temperature, top_p)(None, scores.expand(draws, -1))  # type: ignore[arg-type]
    assert (left.isfinite().sum(-1) == 1).all()
    frequencies = left.isfinite().float().mean(0)
    # at the border a sum from above and one from below may round to different sides
    assert ((frequencies > 0) & ~warped[0].isfinite()).sum() <= 1
    # a frequency of n draws has a standard deviation of sqrt(p(1 - p) / n), at most .016
    assert (frequencies - warped[0].softmax(-1)).abs().max() < 0.08


def test_sampling_is_repeatable(model: Any, tokenizer: Any) -> None:
    prompts = [chat_prompt(MIRA, (user(text),)) for text in WORDS]
    sampling = Sampling(temperature=1.0, top_p=0.9, repetition_penalty=1.1, max_new_tokens=20)

    def replies() -> list[str]:
        torch.manual_seed(3)
        return generate_replies(model, tokenizer, prompts, sampling=sampling)

    assert replies() == replies()
