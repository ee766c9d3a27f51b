"""The base model's own replies, made once and kept: what a character's training should not unlearn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.atomic_io import write_json
from pipeline.conversations.render import Message
from pipeline.home import understudy_home
from pipeline.models.generate import generate_replies
from pipeline.models.identity import model_identity
from pipeline.models.load import load_base_model

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPLY_TOKENS = 48
SENTENCE_ENDS = ".!?。！？…"


def kept_replies(
    prompts: Sequence[Sequence[Message]], model_name: str, template: str, options: Mapping[str, Any]
) -> list[str] | None:
    """The base model's replies as `base_replies` has kept them; None if it has not made them yet."""
    try:
        kept = json.loads(_path(prompts, model_name, template, options).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, list) and len(kept) == len(prompts) else None


def base_replies(
    prompts: Sequence[Sequence[Message]],
    model_name: str,
    tokenizer: PreTrainedTokenizerBase,
    options: Mapping[str, Any],
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """The model's greedy reply to each prompt, up to the end of its last whole sentence; empty where it has none.

    They are made once and kept by the digest of model, chat template and prompts. `options` go to `load_base_model`,
    `progress` is called with the number of replies made and their total.
    """
    template = str(tokenizer.chat_template)
    kept = kept_replies(prompts, model_name, template, options)
    if kept is not None:
        return kept
    model = load_base_model(model_name, **options)
    if torch.cuda.is_available() and "device_map" not in options:
        model = model.to("cuda")
    replies = generate_replies(model, tokenizer, prompts, max_new_tokens=REPLY_TOKENS, progress=progress)
    whole = [whole_sentences(reply) for reply in replies]
    write_json(_path(prompts, model_name, template, options), whole)
    return whole


def whole_sentences(reply: str) -> str:
    """The reply up to the end of its last whole sentence."""
    end = max((reply.rfind(mark) for mark in SENTENCE_ENDS), default=-1)
    return reply[: end + 1].strip()


def _path(prompts: Sequence[Sequence[Message]], model_name: str, template: str, options: Mapping[str, Any]) -> Path:
    content = json.dumps([*model_identity(model_name, options, template), REPLY_TOKENS, prompts], ensure_ascii=False)
    digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    return understudy_home() / "replies" / f"{digest}.json"
