"""Rows that are longer than a run allows: refused, left out, or given less history; a reply is never cut."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.conversations.render import Conversation
from pipeline.errors import UnderstudyError
from pipeline.tokens.encode import encode
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def fit(
    conversation: Conversation,
    row: TokenRow,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int | None,
    on_overlong: str,
) -> TokenRow | None:
    """The row, if it has at most `max_length` tokens; else what `on_overlong` makes of it, None if it is rejected.

    `truncate_history` takes the oldest exchanges out of the prompt until it fits, and rejects a row that does not fit
    with its last turn alone.

    Raises:
        UnderstudyError: the row is too long, and that is to be an error.
    """
    if max_length is None or len(row.input_ids) <= max_length:
        return row
    if on_overlong == "error":
        raise UnderstudyError(
            f"record {row.record_id}",
            f"is {len(row.input_ids)} tokens long, and max_length is {max_length}",
            fix="raise max_length in the recipe, split the text, or set on_overlong to reject or truncate_history",
        )
    while on_overlong == "truncate_history" and (shorter := _without_oldest_exchange(conversation)):
        conversation = shorter
        (row,) = encode([conversation], tokenizer)
        if len(row.input_ids) <= max_length:
            return row
    return None


def _without_oldest_exchange(conversation: Conversation) -> Conversation | None:
    """The conversation without its first user turn and the reply to it, or None if there is no more than the last."""
    turns = conversation.prompt
    start = 1 if turns[0]["role"] == "system" else 0
    if len(turns) - start < 3:
        return None
    return replace(conversation, prompt=turns[:start] + turns[start + 2 :])
