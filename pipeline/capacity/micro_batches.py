"""The heaviest micro-batches of a run: what a forward and backward of each holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.tokens.collate import padded_batch, prefix_tree_batch
from pipeline.tokens.prefix_tree import IGNORE_INDEX, branches

if TYPE_CHECKING:
    from datasets import Dataset

    from pipeline.mixture.plan import Ints

HEAVIEST = 32  # micro-batches of an epoch of which the trees are built


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """What one forward and backward holds: tokens computed, targets, positions that reach the LM head, keys gathered.

    `mask` is the number of pairs of an attention mask that is kept.
    """

    tokens: int
    targets: int
    scored: int
    keys: int
    mask: int


def largest_batches(
    dataset: Dataset, lengths: Ints, orders: Sequence[Ints], *, rows: int, tree: bool
) -> list[MicroBatch]:
    """The heaviest micro-batches of `rows` rows: `orders` are each epoch's row numbers, `dataset` has the rows.

    `lengths` are the tokens of each row.
    """
    groups = [order[start : start + rows] for order in orders for start in _heaviest(lengths[order], rows, tree=tree)]
    measure = _tree if tree else _padded
    found = (dataset[group.tolist()] for group in groups)
    return [measure(one["input_ids"], one["labels"]) for one in found]


def _heaviest(lengths: Ints, rows: int, *, tree: bool) -> list[int]:
    """Where an epoch's heaviest micro-batches begin: by all of their tokens, or by those of their longest row."""
    starts = np.arange(0, len(lengths), rows)
    weights = (np.add if tree else np.maximum).reduceat(lengths, starts)
    return [int(start) for start in starts[np.argsort(-weights, kind="stable")[:HEAVIEST]]]


def _tree(input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> MicroBatch:
    batch = prefix_tree_batch(input_ids, labels)
    found = branches(batch["position_ids"][0].numpy())
    tokens, targets = batch["input_ids"].numel(), batch["labels"].numel()
    pairs = sum((branch.stop - branch.start) * len(branch.path) for branch in found)
    return MicroBatch(tokens, targets, targets, sum(len(branch.path) for branch in found), pairs)


def _padded(input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> MicroBatch:
    batch = padded_batch(input_ids, labels, pad_token_id=0)
    supervised = batch["labels"][:, 1:] != IGNORE_INDEX
    rows, length = batch["input_ids"].shape
    scored = rows * int(supervised.any(0).sum())
    return MicroBatch(rows * length, int(supervised.sum()), scored, rows * length, rows * length * length)
