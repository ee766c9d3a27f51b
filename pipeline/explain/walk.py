"""A record's walk through the line, gathered step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Conversation
from pipeline.records.record import Record
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LONGEST_CHARACTER = 4  # bytes, and so the most byte-level tokens that one character takes


@dataclass(frozen=True, slots=True)
class Piece:
    """A token's text, or that of the few tokens that share a character, and whether the loss sees it."""

    text: str
    supervised: bool


@dataclass(frozen=True, slots=True)
class RowWalk:
    """One of the `forms` that the record has under an instruction, and its row in tokens."""

    conversation: Conversation
    under: str
    forms: int
    pieces: tuple[Piece, ...]
    tokens: int
    loss_tokens: int


@dataclass(frozen=True, slots=True)
class Exposures:
    """The ledger's row of the record: exposures planned, by epoch and in the whole run, and realised if it was run."""

    in_first_epoch: int
    planned: int
    realised: int | None
    epochs: float


@dataclass(frozen=True, slots=True)
class Walk:
    """All steps of one record; `rows` shows its first form under each instruction."""

    record: Record
    rows: tuple[RowWalk, ...]
    exposures: Exposures | None  # none where the record is held out, or too long


def walk_record(
    record: Record,
    conversations: Sequence[Conversation],
    rows: Sequence[TokenRow],
    tokenizer: PreTrainedTokenizerBase,
    *,
    persona: Persona,
    exposures: Exposures | None,
) -> Walk:
    """The walk of a record whose conversations were encoded to these rows."""
    under = [
        "chat" if conversation.prompt[0]["content"] == persona.system("chat") else record.kind
        for conversation in conversations
    ]
    shown = []
    for instruction, forms in Counter(under).items():
        first = under.index(instruction)
        pieces = pieces_of(rows[first], tokenizer)
        tokens, loss_tokens = len(rows[first].input_ids), rows[first].loss_tokens
        shown.append(RowWalk(conversations[first], instruction, forms, pieces, tokens, loss_tokens))
    return Walk(record, tuple(shown), exposures)


def pieces_of(row: TokenRow, tokenizer: PreTrainedTokenizerBase) -> tuple[Piece, ...]:
    """The row cut where its tokens are; tokens that only together make a character are one piece."""
    pieces: list[Piece] = []
    begun: list[int] = []
    for token, label in zip(row.input_ids, row.labels, strict=True):
        begun.append(token)
        text = str(tokenizer.decode(begun, skip_special_tokens=False))
        if "\ufffd" not in text or len(begun) == LONGEST_CHARACTER:
            pieces.append(Piece(text, label != IGNORE_INDEX))
            begun = []
    return tuple(pieces)
