"""The LM head of a LoRA run on a CPU: the targets' scores and the gradient, tile by tile of the vocabulary.

The logits of a step are its largest tensor by far. Here they are computed for a few thousand tokens of the vocabulary
at a time, in memory that stays in the cache, and what the scores need of them is summed: the normaliser by an online
softmax, as FlashAttention's, and, as the head is frozen, the gradient in the same pass.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from pipeline.kernels.products import matmul
from pipeline.tokens.scores import TokenScores

VOCAB_TILE = 2048  # tokens of the vocabulary: their logits for some hundred targets, and their weights, fit a cache
LOWEST = -1e30  # below any logit, and finite


class TiledHead:
    """A frozen LM head that scores hidden states itself, while the model skips it."""

    def __init__(self, head: torch.nn.Linear) -> None:
        self.head: Any = head

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """Within, the model's `logits` are the hidden states that its head would be given."""
        own = vars(self.head).get("forward")
        self.head.forward = _identity
        try:
            yield
        finally:
            del self.head.forward
            if own is not None:
                self.head.forward = own

    def scores(self, hidden: torch.Tensor, targets: torch.Tensor, rows: torch.Tensor) -> TokenScores:
        """The scores that `score_targets` gives for the head's logits: hidden `[P, H]`, targets and rows `[P]`."""
        log_prob, entropy, is_top1 = _HeadScores.apply(  # type: ignore[no-untyped-call]
            hidden.to(self.head.weight.dtype), self.head.weight, targets
        )
        return TokenScores(log_prob, entropy, is_top1, rows)


def tile_head(model: Any) -> TiledHead | None:
    """The model's head, if it is frozen, without bias, and gives the logits as they are; None otherwise."""
    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear or head.bias is not None or head.weight.requires_grad:
        return None
    seen: list[torch.Tensor] = []
    hook = head.register_forward_hook(lambda _, __, logits: seen.append(logits))
    with torch.no_grad():
        logits = model(input_ids=torch.arange(3, device=head.weight.device)[None], use_cache=False).logits
    hook.remove()
    return TiledHead(head) if len(seen) == 1 and torch.equal(seen[0], logits) else None


def _identity(hidden: torch.Tensor) -> torch.Tensor:
    return hidden


@dataclass(slots=True)
class _OnlineSoftmax:
    """Softmax statistics of P targets' logits, over the tiles of the vocabulary so far.

    `peak`: the largest logit `[P]`, `argmax`: its token. Sums, of logits less `peak`: `norm` of exp(logit), `moment` of
    exp(logit) logit, and `weighted_rows` `[P, H]` of exp(logit) times the token's row of the weight, for the gradient.
    """

    peak: torch.Tensor
    argmax: torch.Tensor
    norm: torch.Tensor
    moment: torch.Tensor
    target_logit: torch.Tensor
    weighted_rows: torch.Tensor | None
    buffers: torch.Tensor

    @classmethod
    def before_any_tile(cls, hidden: torch.Tensor, targets: torch.Tensor, *, with_gradient: bool) -> _OnlineSoftmax:
        count, device = len(targets), hidden.device
        norm, moment = torch.zeros(2, count, device=device)
        return cls(
            peak=torch.full((count,), LOWEST, device=device),
            argmax=torch.zeros_like(targets),
            norm=norm,
            moment=moment,
            target_logit=torch.zeros(count, device=device),
            weighted_rows=torch.zeros(hidden.shape, device=device) if with_gradient else None,
            buffers=torch.empty(2, count * VOCAB_TILE, device=device),
        )

    def add_tile(self, hidden: torch.Tensor, tile: torch.Tensor, targets: torch.Tensor, *, start: int) -> None:
        """Include the tokens from `start` on, whose rows of the head's weight are `tile`."""
        exponentials, terms = (one[: len(targets) * len(tile)].view(len(targets), -1) for one in self.buffers)
        logits = matmul(hidden, tile.t()).float()
        at = targets - start
        inside = (at >= 0) & (at < len(tile))
        own = logits.gather(1, at.clamp(0, len(tile) - 1)[:, None])[:, 0]
        self.target_logit = torch.where(inside, own, self.target_logit)

        tile_peak, tile_argmax = logits.max(dim=1)
        self.argmax = torch.where(tile_peak > self.peak, tile_argmax + start, self.argmax)
        peak = torch.maximum(self.peak, tile_peak)
        fall, self.peak = self.peak - peak, peak
        shrink = fall.exp()
        torch.exp(logits.sub_(peak[:, None]), out=exponentials)
        self.moment.addcmul_(self.norm, fall).mul_(shrink)
        self.moment += torch.mul(exponentials, logits, out=terms).sum(1)
        self.norm.mul_(shrink).add_(exponentials.sum(1))
        if self.weighted_rows is not None:
            self._add_rows(self.weighted_rows.mul_(shrink[:, None]), exponentials, tile)

    @staticmethod
    def _add_rows(weighted_rows: torch.Tensor, exponentials: torch.Tensor, tile: torch.Tensor) -> None:
        # Not by oneDNN, which sums all tokens in one chain: three times the rounding error.
        if tile.dtype == weighted_rows.dtype:
            weighted_rows.addmm_(exponentials, tile)
        else:
            weighted_rows += exponentials.to(tile.dtype) @ tile


class _HeadScores(torch.autograd.Function):
    """Log-probability of each target, the entropy of its distribution, and whether it is the likeliest token."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        softmax = _OnlineSoftmax.before_any_tile(hidden, targets, with_gradient=ctx.needs_input_grad[0])
        for start in range(0, len(weight), VOCAB_TILE):
            softmax.add_tile(hidden, weight[start : start + VOCAB_TILE], targets, start=start)
        log_norm = softmax.norm.log()
        is_top1 = softmax.argmax == targets
        if softmax.weighted_rows is not None:
            # d log p(target) / d hidden: the target's row of W, less the mean row
            mean_rows = softmax.weighted_rows.div_(softmax.norm[:, None])
            ctx.grad_hidden = mean_rows.neg_().add_(weight[targets])
            ctx.dtype = hidden.dtype
        log_prob, entropy = softmax.target_logit - softmax.peak - log_norm, log_norm - softmax.moment / softmax.norm
        ctx.mark_non_differentiable(entropy, is_top1)
        return log_prob, entropy, is_top1

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return ctx.grad_hidden.mul(grad_output[:, None]).to(ctx.dtype), None, None
