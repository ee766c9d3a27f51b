"""The base model's own replies, made once, checked and kept: what a character's training should not unlearn."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.atomic_io import write_json
from pipeline.augmentation.reply_checks import first_sentences, has_first_sentences, reply_objection
from pipeline.conversations.persona import Language, Sampling
from pipeline.conversations.render import Conversation, Message
from pipeline.home import kept_file, read_kept_list
from pipeline.models.generate import generate_replies
from pipeline.models.identity import model_identity

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

REPLY_TOKENS = 48
TRIES, SEED = 3, 1  # drawn where the greedy reply is not fit; another seed whenever others would be drawn
SAMPLING = Sampling(temperature=0.5, top_p=0.9, repetition_penalty=1.1, max_new_tokens=REPLY_TOKENS)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the base model is asked, a pattern of what its reply must not say, and the language it is to reply in."""

    prompt: tuple[Message, ...]
    unwanted: str
    language: Language


@dataclass(frozen=True, slots=True)
class BaseModel:
    """What the base model is asked for; empty where it has nothing that is fit, or is not asked yet.

    `replies`: its reply to each prompt. `labels`: of each conversation, a token it would say in the place of each that
    the loss sees.
    """

    replies: Callable[[Sequence[Asked]], Sequence[str]]
    labels: Callable[[Sequence[Conversation]], Sequence[Sequence[int]]]


def kept_replies(
    asked: Sequence[Asked], model_name: str, template: str, options: Mapping[str, Any]
) -> list[str] | None:
    """The base model's replies as `base_replies` has kept them; None if it has not made them yet."""
    return read_kept_list(_path(asked, model_name, template, options), len(asked))


def base_replies(
    asked: Sequence[Asked],
    model_name: str,
    tokenizer: PreTrainedTokenizerBase,
    options: Mapping[str, Any],
    load: Callable[[], PreTrainedModel],
    *,
    log: Callable[[str], None],
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """The first sentences of the model's reply to each prompt; empty where it has none that is fit to be taught.

    The greedy reply is taken, or where something speaks against it the first fit one of `TRIES` drawn, the same ones
    each time. They are made once and kept by the digest of model, chat template, prompts and checks. `load` loads the
    model, with `options`; `progress` is called with the number of replies made and their total, and `log` is told what
    was left out, by reason.
    """
    template = str(tokenizer.chat_template)
    kept = kept_replies(asked, model_name, template, options)
    if kept is not None:
        return kept
    model = load()
    prompts = [one.prompt for one in asked]
    generate = functools.partial(generate_replies, model, tokenizer, is_enough=has_first_sentences, progress=progress)
    greedy = generate(prompts, max_new_tokens=REPLY_TOKENS)
    replies, objections = _fit(asked, [[reply] for reply in greedy])
    again = [number for number, objection in enumerate(objections) if objection]
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(SEED)
        tried = [asked[number].prompt for number in again for _ in range(TRIES)]
        drawn = generate(tried, sampling=SAMPLING)
    offered = [drawn[start : start + TRIES] for start in range(0, len(drawn), TRIES)]
    for number, reply in zip(again, _fit([asked[number] for number in again], offered)[0], strict=True):
        replies[number] = reply
    left_out = Counter(str(objections[number]) for number in again if not replies[number])
    log(_describe(replies, left_out))
    write_json(_path(asked, model_name, template, options), replies)
    return replies


def _fit(asked: Sequence[Asked], offered: Sequence[Sequence[str]]) -> tuple[list[str], list[str | None]]:
    """The first reply offered for each that is fit, empty for none, and what speaks against the first one offered."""
    replies: list[str] = []
    objections: list[str | None] = []
    for one, own in zip(asked, offered, strict=True):
        said = one.prompt[-1]["content"]
        begun = [first_sentences(reply) for reply in own]
        objected = [reply_objection(reply, said, one.unwanted, one.language) for reply in begun]
        replies.append(next((reply for reply, objection in zip(begun, objected, strict=True) if not objection), ""))
        objections.append(objected[0])
    return replies, objections


def _describe(replies: Sequence[str], left_out: Counter[str]) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
    return f"replies: {sum(map(bool, replies))} of {len(replies)} are fit{f'; left out: {reasons}' if reasons else ''}"


def _path(asked: Sequence[Asked], model_name: str, template: str, options: Mapping[str, Any]) -> Path:
    """Where they are kept: by all that decides them, the checks' own text included."""
    checks = Path(__file__).with_name("reply_checks.py").read_text(encoding="utf-8")
    decisive = [*model_identity(model_name, options, template), astuple(SAMPLING), TRIES, SEED, checks]
    return kept_file("replies", [decisive, [astuple(one) for one in asked]])
