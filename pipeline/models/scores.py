"""Teacher-forced scores of rows by a model: what it would say, known without generating a word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from pipeline.tokens.attention import prefix_tree_obstacle, tree_inputs, use_tree_attention, uses_tree_attention
from pipeline.tokens.collate import padded_batch, prefix_tree_batch
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.row import TokenRow
from pipeline.tokens.scores import score_targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class ReplyScore:
    """A reply's summed log-probability (in nats) over its tokens, and those that greedy decoding would get wrong.

    `misses` are their numbers from 0, each token judged after the right ones before it. The end-of-turn token may be
    among them; to the sum and to the count it does not belong.
    """

    log_prob: float
    tokens: int
    misses: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """Whether greedy decoding gives this reply, and stops."""
        return not self.misses

    @property
    def mean_log_prob(self) -> float:
        """Per token: what answers of different lengths are compared by."""
        return self.log_prob / max(self.tokens, 1)


@dataclass(frozen=True, slots=True)
class RowScore:
    """Log-probabilities (in nats) of a row's targets in order, and those that greedy decoding misses."""

    log_probs: tuple[float, ...]
    misses: tuple[int, ...]

    def as_reply(self) -> ReplyScore:
        """The score of a reply whose last target is its end of turn.

        That token belongs to an exact reply, but not to the comparison of answers.
        """
        return ReplyScore(math.fsum(self.log_probs[:-1]), len(self.log_probs) - 1, self.misses)


def prepare_scoring(model: PreTrainedModel) -> None:
    """The model computes trees by tree attention, if it can compute them at all."""
    if not prefix_tree_obstacle(model):
        use_tree_attention(model)


@torch.no_grad()
def score_rows(model: Any, rows: Sequence[TokenRow]) -> list[RowScore]:
    """The scores of rows in one forward; what they share is computed once. See `prepare_scoring`."""
    scores = score_targets(*_target_logits(model, rows))
    results = []
    for row in range(len(rows)):
        own = scores.row == row
        misses = (~scores.is_top1[own].bool()).nonzero()[:, 0].tolist()
        results.append(RowScore(tuple(scores.log_prob[own].tolist()), tuple(misses)))
    return results


@torch.no_grad()
def draw_labels(model: Any, rows: Sequence[TokenRow], generator: torch.Generator) -> list[list[int]]:
    """For each target of each row, a token drawn from the model's distribution in its place. See `prepare_scoring`."""
    logits, _, at = _target_logits(model, rows)
    drawn = draw_tokens(logits, generator)
    return [drawn[at.cpu() == row].tolist() for row in range(len(rows))]


def draw_tokens(logits: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """A token for each row of the logits `[rows, vocabulary]`, as likely as they say.

    By one random number a row: `torch.multinomial` draws one for each token of the vocabulary, which takes longer than
    the rest of it.
    """
    cumulative = logits.float().softmax(-1).cpu().cumsum(-1)
    at = torch.rand(len(cumulative), 1, generator=generator) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, at, right=True)[:, 0].clamp_(max=logits.shape[-1] - 1)


def _target_logits(model: Any, rows: Sequence[TokenRow]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The logits in the place of each target of the rows, the target, and its row."""
    ids, labels = [row.input_ids for row in rows], [row.labels for row in rows]
    return (_padded if prefix_tree_obstacle(model) else _as_tree)(model, ids, labels)


def _as_tree(
    model: Any, ids: Sequence[list[int]], labels: Sequence[list[int]]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the rows share is computed once."""
    batch = {name: tensor.to(model.device) for name, tensor in prefix_tree_batch(ids, labels).items()}
    logits = model(**tree_inputs(batch, tree_attention=uses_tree_attention(model))).logits.squeeze(0)
    return logits, batch["labels"][0], batch["target_rows"][0]


def _padded(
    model: Any, ids: Sequence[list[int]], labels: Sequence[list[int]]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The same for a model that cannot compute a tree."""
    batch = {name: tensor.to(model.device) for name, tensor in padded_batch(ids, labels, pad_token_id=0).items()}
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits[:, :-1]
    targets = batch["labels"][:, 1:]
    mask = targets != IGNORE_INDEX
    return logits[mask], targets[mask], mask.nonzero()[:, 0]
