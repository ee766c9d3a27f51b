"""A model's own replies to prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from pipeline.conversations.persona import Sampling
from pipeline.conversations.render import Message
from pipeline.tokens.encode import prompt_ids
from pipeline.tokens.template import end_of_turn_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TextStreamer

REPLIES_A_BATCH = 16


@torch.inference_mode()
def generate_reply(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: Sequence[Message],
    *,
    sampling: Sampling | None = None,
    max_new_tokens: int = 64,
    streamer: TextStreamer | None = None,
) -> str:
    """The reply's text without its end-of-turn token: greedy and of at most `max_new_tokens`, or as `sampling` says.

    Any special token ends the reply, since in training one follows every reply.
    """
    ids = torch.tensor([prompt_ids(tokenizer, prompt)])
    options = _options(sampling, sampling.max_new_tokens if sampling else max_new_tokens)
    return _generate(model, tokenizer, ids, torch.ones_like(ids), streamer=streamer, **options)[0]


@torch.inference_mode()
def generate_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    *,
    sampling: Sampling | None = None,
    max_new_tokens: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """A reply to each prompt, as `generate_reply` gives it, many at a time: prompts are padded on the left.

    `progress` is called with the number of replies done and their total.
    """
    encoded = [prompt_ids(tokenizer, prompt) for prompt in prompts]
    order = sorted(range(len(encoded)), key=lambda number: len(encoded[number]))  # alike in length, little padding
    replies = [""] * len(encoded)
    for start in range(0, len(order), REPLIES_A_BATCH):
        batch = order[start : start + REPLIES_A_BATCH]
        width = max(len(encoded[number]) for number in batch)
        padding = [[0] * (width - len(encoded[number])) for number in batch]
        ids = torch.tensor([pad + encoded[number] for pad, number in zip(padding, batch, strict=True)])
        mask = torch.tensor([pad + [1] * (width - len(pad)) for pad in padding])
        generated = _generate(model, tokenizer, ids, mask, **_options(sampling, max_new_tokens))
        for number, reply in zip(batch, generated, strict=True):
            replies[number] = reply
        if progress:
            progress(min(start + REPLIES_A_BATCH, len(order)), len(order))
    return replies


def _options(sampling: Sampling | None, max_new_tokens: int) -> dict[str, Any]:
    """The options of `generate`: greedy, or as `sampling` says."""
    if sampling is None:
        return {"do_sample": False, "max_new_tokens": max_new_tokens, "repetition_penalty": 1.0}
    options: dict[str, Any] = {
        "do_sample": sampling.temperature > 0,
        "max_new_tokens": min(sampling.max_new_tokens, max_new_tokens),
        "repetition_penalty": sampling.repetition_penalty,
    }
    if sampling.temperature > 0:
        options |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
    return options


def _generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    ids: torch.Tensor,
    mask: torch.Tensor,
    **options: Any,
) -> list[str]:
    output = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        eos_token_id=sorted(end_of_turn_ids(tokenizer)),
        pad_token_id=tokenizer.pad_token_id,
        **options,
    )
    replies = tokenizer.batch_decode(output[:, ids.shape[1] :], skip_special_tokens=True)
    return [str(reply).strip() for reply in replies]
