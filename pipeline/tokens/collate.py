"""Token rows to the tensors of one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pipeline.tokens.prefix_tree import IGNORE_INDEX, build_prefix_tree


def prefix_tree_batch(input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
    """Rows merged into a prefix tree of T tokens with P targets, for `attention.tree_inputs` and `score_targets`.

    `input_ids`, `position_ids`, `tree_ends`: `[1, T]`; `labels`, `target_nodes`, `target_rows`: `[1, P]`.
    `labels[0, p]` is what the logits at position `target_nodes[0, p]` predict.
    """
    tree = build_prefix_tree(input_ids, labels)
    return {
        "input_ids": torch.from_numpy(tree.tokens)[None],
        "position_ids": torch.from_numpy(tree.position)[None],
        "tree_ends": torch.from_numpy(tree.end)[None],
        "labels": torch.from_numpy(tree.target_token)[None],
        "target_nodes": torch.from_numpy(tree.target_node)[None],
        "target_rows": torch.from_numpy(tree.target_row)[None],
    }


def padded_batch(
    input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]], *, pad_token_id: int
) -> dict[str, torch.Tensor]:
    """Rows padded on the right: `input_ids`, `labels`, `attention_mask`: `[B, L]`.

    Padding is never supervised and never attended, whatever the pad token is.
    """
    return {
        "input_ids": _pad(input_ids, pad_token_id),
        "labels": _pad(labels, IGNORE_INDEX),
        "attention_mask": _pad([[1] * len(ids) for ids in input_ids], 0),
    }


@dataclass(frozen=True, slots=True)
class PrefixTreeCollator:
    """Collates dataset rows (`input_ids`, `labels`, `kind`, `record`) into a prefix-tree batch.

    Beside the tensors of `prefix_tree_batch` come `shift_labels` (by which the trainer counts supervised tokens, and
    which are not to be shifted), and `kinds` and `records`, one number a row.
    """

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """Collate the rows of one micro-batch."""
        batch = prefix_tree_batch([row["input_ids"] for row in rows], [row["labels"] for row in rows])
        return batch | {"shift_labels": batch["labels"]} | _row_numbers(rows)


@dataclass(frozen=True, slots=True)
class PaddedCollator:
    """Collates dataset rows into a `padded_batch`, with `kinds` and `records`, one number a row."""

    pad_token_id: int

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """Collate the rows of one micro-batch."""
        ids, labels = [row["input_ids"] for row in rows], [row["labels"] for row in rows]
        return padded_batch(ids, labels, pad_token_id=self.pad_token_id) | _row_numbers(rows)


def _pad(values: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
    tensors = [torch.tensor(value) for value in values]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=fill)


def _row_numbers(rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    return {f"{name}s": torch.tensor([row[name] for row in rows]) for name in ("kind", "record")}
