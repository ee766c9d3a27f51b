"""A model's own reply to a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from pipeline.conversations.persona import Sampling
from pipeline.conversations.render import Message
from pipeline.tokens.encode import prompt_ids
from pipeline.tokens.template import end_of_turn_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TextStreamer


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
    """The reply's text without its end-of-turn token: greedy, or sampled as `sampling` says.

    Any special token ends the reply, since in training one follows every reply.
    """
    ids = torch.tensor([prompt_ids(tokenizer, prompt)])
    options: dict[str, Any] = {"do_sample": False, "max_new_tokens": max_new_tokens, "repetition_penalty": 1.0}
    if sampling is not None:
        options = {
            "do_sample": sampling.temperature > 0,
            "max_new_tokens": sampling.max_new_tokens,
            "repetition_penalty": sampling.repetition_penalty,
        }
        if sampling.temperature > 0:
            options |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
    ids = ids.to(model.device)
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        eos_token_id=sorted(end_of_turn_ids(tokenizer)),
        pad_token_id=tokenizer.pad_token_id,
        streamer=streamer,
        **options,
    )
    return str(tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)).strip()
