"""Rows that share beginnings, as one sequence in which every shared beginning stands once. No torch here.

Rows are merged into a trie of tokens and laid out depth-first. `position[t]` is the depth of token t and `end[t]` the
index after its subtree, so a query q may attend to a key k exactly if `k <= q < end[k]`: causal, and ancestors only.
A node can be followed by several rows' different next tokens, so what is predicted are pairs (node, token).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

IGNORE_INDEX = -100  # what cross-entropy skips


@dataclass(frozen=True, slots=True)
class PrefixTree:
    """A forest of token rows in one sequence of T tokens with P targets.

    `tokens`, `position`, `end`: `[T]`. `target_node`, `target_token`, `target_row`: `[P]`, row by row in the order
    given, within a row in its order: the logits at `target_node` predict `target_token` of row `target_row`.
    """

    tokens: Ints
    position: Ints
    end: Ints
    target_node: Ints
    target_token: Ints
    target_row: Ints

    def attention_mask(self) -> NDArray[np.bool_]:
        """`[T, T]`: whether query q (row) may attend to key k (column)."""
        index = np.arange(len(self.tokens))
        return (index[None, :] <= index[:, None]) & (index[:, None] < self.end[None, :])


@dataclass(frozen=True, slots=True)
class Branch:
    """The nodes `start` to `stop`, each the child of the one before. `path`: all nodes from the root to the last."""

    start: int
    stop: int
    path: Ints


def branches(position: Ints) -> list[Branch]:
    """A tree's nodes as branches, in order, from its positions: `[T]`.

    In a depth-first layout a node is one deeper than the node before it exactly if it is its child.
    """
    starts = np.flatnonzero(np.diff(position, prepend=-2) != 1)
    path, found = _NONE, []
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(position)], strict=True):
        path = np.concatenate([path[: position[start]], np.arange(start, stop)])
        found.append(Branch(start, stop, path))
    return found


def build_prefix_tree(input_ids: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> PrefixTree:
    """Merge rows into a prefix tree. Linear in their tokens, but for sorting the rows.

    `labels[r][i]` is what is to be predicted in the place of `input_ids[r][i]`, as a rule that token itself, and -100
    where nothing is. A row's first token cannot be a target: nothing predicts it. A row's last token is only a target:
    nothing follows from it, so it has no node of its own.
    """
    order = sorted(range(len(input_ids)), key=lambda row: list(input_ids[row]))
    tokens: list[int] = []
    position: list[int] = []
    end: list[int] = []
    path: list[int] = []  # nodes of the row before, from its root
    targets: list[tuple[Ints, Ints]] = [(_NONE, _NONE)] * len(input_ids)
    before: Sequence[int] = ()
    for row in order:
        ids = input_ids[row][:-1]
        shared = _common_prefix(before, ids)
        for node in path[shared:]:
            end[node] = len(tokens)
        path = path[:shared] + list(range(len(tokens), len(tokens) + len(ids) - shared))
        tokens += ids[shared:]
        position += range(shared, len(ids))
        end += [-1] * (len(ids) - shared)
        predicted = np.asarray(labels[row][1:])
        wanted = np.flatnonzero(predicted != IGNORE_INDEX)
        targets[row] = (np.asarray(path)[wanted], predicted[wanted])
        before = ids
    for node in path:
        end[node] = len(tokens)
    return PrefixTree(
        tokens=np.asarray(tokens),
        position=np.asarray(position),
        end=np.asarray(end),
        target_node=np.concatenate([node for node, _ in targets]),
        target_token=np.concatenate([token for _, token in targets]),
        target_row=np.repeat(np.arange(len(targets)), [len(node) for node, _ in targets]),
    )


_NONE = np.zeros(0, dtype=np.int64)


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    length = min(len(a), len(b))
    differs = np.flatnonzero(np.asarray(a[:length]) != np.asarray(b[:length]))
    return int(differs[0]) if len(differs) else length
