"""A character's records as token rows, with what the mixture needs to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import render
from pipeline.records.record import KINDS, Record
from pipeline.tokens.encode import TokenRow, encode

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

SETTINGS, DIALOGUE = "settings", "dialogue"


@dataclass(frozen=True, slots=True)
class RowSet:
    """Every row of every record, a record's rows one after another: record i has `variants[i]` of them."""

    rows: tuple[TokenRow, ...]
    variants: tuple[int, ...]
    kinds: tuple[str, ...]

    @property
    def sources(self) -> list[str]:
        """For each record the source of the mixture that it is drawn from: settings or dialogue."""
        return [DIALOGUE if kind == "dialogue" else SETTINGS for kind in self.kinds]

    def loss_tokens(self) -> list[float]:
        """For each record the mean number of tokens that the loss sees in one exposure."""
        counts = iter(row.loss_tokens for row in self.rows)
        return [sum(next(counts) for _ in range(variants)) / variants for variants in self.variants]

    def dataset(self) -> Dataset:
        """The rows as a dataset: `input_ids`, `labels`, `kind` (its number in KINDS), `record` (its number)."""
        from datasets import Dataset

        records = [number for number, variants in enumerate(self.variants) for _ in range(variants)]
        return Dataset.from_dict(
            {
                "input_ids": [row.input_ids for row in self.rows],
                "labels": [row.labels for row in self.rows],
                "kind": [KINDS.index(row.kind) for row in self.rows],
                "record": records,
            }
        )


def encode_records(
    records: Sequence[Record],
    persona: Persona,
    tokenizer: PreTrainedTokenizerBase,
    *,
    wordings: int,
    chat_share: float,
    max_length: int | None,
) -> RowSet:
    """Render and encode every record, each wording once however often it will be seen."""
    rendered = [render(record, persona, wordings=wordings, chat_share=chat_share) for record in records]
    flat = [conversation for conversations in rendered for conversation in conversations]
    return RowSet(
        rows=tuple(encode(flat, tokenizer, max_length=max_length)),
        variants=tuple(len(conversations) for conversations in rendered),
        kinds=tuple(record.kind for record in records),
    )
