"""A record's walk from the raw file to tokens, step by step."""

from __future__ import annotations

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

    under: str
    forms: int
    pieces: tuple[Piece, ...]
    tokens: int
    loss_tokens: int


@dataclass(frozen=True, slots=True)
class Exposures:
    """The ledger's row of the record: exposures planned in the first epoch and the run, realised if it is finished."""

    in_first_epoch: int
    planned: int
    realised: int | None


@dataclass(frozen=True, slots=True)
class RecordWalk:
    """All steps of one record; `rows` shows its first form under each instruction.

    `questions` are the messages that the record answers, each once: the user's own wording first, then the others.
    `loss_weight` is that of each of its tokens which the loss sees.
    """

    record: Record
    rows: tuple[RowWalk, ...]
    exposures: Exposures | None  # none where the record is held out, or too long
    questions: tuple[str, ...] = ()
    loss_weight: float = 1.0


def walk_record(
    record: Record,
    conversations: Sequence[Conversation],
    rows: Sequence[TokenRow | None],
    tokenizer: PreTrainedTokenizerBase,
    *,
    persona: Persona,
    exposures: Exposures | None,
) -> RecordWalk:
    """The walk of a record whose conversations became these rows; None is one that was too long."""
    under: dict[str, list[TokenRow]] = {}
    for conversation, row in zip(conversations, rows, strict=True):
        in_chat = conversation.prompt[0]["content"] == persona.system("chat")
        if row:
            under.setdefault("chat" if in_chat else record.kind, []).append(row)
    shown = [
        RowWalk(
            under=instruction,
            forms=len({tuple(row.input_ids) for row in same}),
            pieces=pieces_of(same[0], tokenizer),
            tokens=len(same[0].input_ids),
            loss_tokens=same[0].loss_tokens,
        )
        for instruction, same in under.items()
    ]
    asked = dict.fromkeys(conversation.prompt[-1]["content"] for conversation in conversations)
    return RecordWalk(record, tuple(shown), exposures, tuple(asked) if len(asked) > 1 else ())


def pieces_of(row: TokenRow, tokenizer: PreTrainedTokenizerBase) -> tuple[Piece, ...]:
    """The row cut where its tokens are; tokens that only together make a character are one piece."""
    pieces: list[Piece] = []
    shown, pending = "", 0
    for number, label in enumerate(row.labels, 1):
        # Token by token some tokenizers drop spaces, so each piece is what its token adds to the text before it.
        text = str(tokenizer.decode(row.input_ids[:number], skip_special_tokens=False))
        pending += 1
        if text.endswith("\ufffd") and pending < LONGEST_CHARACTER and number < len(row.labels):
            continue
        pieces.append(Piece(text[len(shown) :], label != IGNORE_INDEX))
        shown, pending = text, 0
    return tuple(pieces)
