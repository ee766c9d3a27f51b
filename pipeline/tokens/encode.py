"""Conversations to token rows; ids and labels are decided here, together, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from pipeline.conversations.render import Conversation, Message
from pipeline.errors import UnderstudyError
from pipeline.records.record import Kind
from pipeline.tokens.prefix_tree import IGNORE_INDEX

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A conversation in tokens. `labels` is `input_ids` on the reply and its end-of-turn token, -100 elsewhere."""

    input_ids: list[int]
    labels: list[int]
    record_id: str
    kind: Kind

    @property
    def loss_tokens(self) -> int:
        """How many tokens the loss sees."""
        return sum(label != IGNORE_INDEX for label in self.labels)


def render_prompt(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """The prompt's text through the tokenizer's own template, up to where the reply begins."""
    return _render(tokenizer, messages, add_generation_prompt=True)


def _render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], **options: bool) -> str:
    try:
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, **options))
    except TemplateError as error:
        raise UnderstudyError(
            f"chat template of {tokenizer.name_or_path}",
            f"refuses {' '.join(message['role'] for message in messages)}: {error}",
            fix="use a model whose template takes a system turn before the user's",
        ) from error


def tokenize(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of rendered texts; templates write the special tokens themselves, so none are added."""
    return list(tokenizer(list(texts), add_special_tokens=False)["input_ids"])


def encode(
    conversations: Sequence[Conversation], tokenizer: PreTrainedTokenizerBase, *, max_length: int | None
) -> list[TokenRow]:
    """One row a conversation, in order.

    Raises:
        UnderstudyError: the tokenizer's template cannot be trained on (the prompt that the model will see at inference
            is no token prefix of what it would be trained on, or the reply has no end-of-turn token), or a row is
            longer than `max_length`.
    """
    if not conversations:
        return []
    if not tokenizer.chat_template:
        raise UnderstudyError(
            tokenizer.name_or_path, "has no chat template", fix="use the chat or instruct version of the model"
        )
    prompts = [render_prompt(tokenizer, conversation.prompt) for conversation in conversations]
    whole = [_render(tokenizer, [*conversation.prompt, conversation.completion]) for conversation in conversations]
    ends = end_of_turn_ids(tokenizer)
    rows = []
    for conversation, prompt_ids, ids in zip(
        conversations, tokenize(tokenizer, prompts), tokenize(tokenizer, whole), strict=True
    ):
        row = _row(conversation, prompt_ids, ids, ends)
        learnt = str(tokenizer.decode(row.input_ids[len(prompt_ids) : -1]))
        if "".join(conversation.completion["content"].split()) != "".join(learnt.split()):
            raise UnderstudyError(
                f"record {row.record_id}",
                f"the loss would see {learnt[:60]!r} instead of its text: the template writes more, or the text holds "
                "a special token",
                fix="use a model with a plain chat template, or take the special token out of the text",
            )
        if max_length is not None and len(row.input_ids) > max_length:
            raise UnderstudyError(
                f"record {row.record_id}",
                f"is {len(row.input_ids)} tokens long, and max_length is {max_length}",
                fix="raise max_length in the recipe, or split the text",
            )
        rows.append(row)
    return rows


def end_of_turn_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Ids of every special token: the one that follows a reply ends the turn."""
    special = {token_id for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(special | set(tokenizer.all_special_ids))


def _row(conversation: Conversation, prompt: list[int], ids: list[int], ends: frozenset[int]) -> TokenRow:
    start = len(prompt)
    if ids[:start] != prompt:
        differs = next(i for i, (a, b) in enumerate(zip(prompt, [*ids, -1], strict=False)) if a != b)
        raise UnderstudyError(
            f"record {conversation.record_id}",
            f"the chat template renders its prompt differently once the reply is there (token {differs})",
            fix="use a model whose template renders a prompt the same with and without its reply",
        )
    end = next((i for i in range(start, len(ids)) if ids[i] in ends), None)
    if end is None:
        raise UnderstudyError(
            f"record {conversation.record_id}",
            "the chat template ends its reply without an end-of-turn token, so the model would never stop",
            fix="use a template that ends every turn with a special token",
        )
    # What a template writes after the end-of-turn token (ChatML's newline) is never generated, so it is left out.
    kept = ids[: end + 1]
    return TokenRow(kept, [IGNORE_INDEX] * start + kept[start:], conversation.record_id, conversation.kind)
