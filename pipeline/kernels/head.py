"""The LM head of a LoRA run on a CPU: scores of the targets, and where their gradient points, without whole logits.

The logits of a step are its largest tensor by far. Here they are made for a few thousand words of the vocabulary at a
time, in memory that stays in the cache, and what the scores need of them is added up: the normaliser as in a softmax
that sees its inputs one after another (as FlashAttention's does), and, as the head is frozen, the gradient at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from pipeline.kernels.products import matmul
from pipeline.tokens.scores import TokenScores

VOCAB_TILE = 2048  # of the vocabulary at a time: their logits for some hundred targets, and their weights, fit a cache
LOWEST = -1e30  # below any logit, and finite


class TiledHead:
    """A frozen LM head that scores hidden states itself, while the model leaves it out."""

    def __init__(self, head: torch.nn.Linear) -> None:
        self.head: Any = head

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """Within, the model's `logits` are the hidden states that its head would be given."""
        self.head.forward = _hand_on
        try:
            yield
        finally:
            del self.head.forward

    def scores(self, hidden: torch.Tensor, targets: torch.Tensor, rows: torch.Tensor) -> TokenScores:
        """What `score_targets` says of the head's logits: hidden `[P, H]`, targets and rows `[P]`."""
        log_prob, entropy, is_top1 = _HeadScores.apply(  # type: ignore[no-untyped-call]
            hidden.to(self.head.weight.dtype), self.head.weight, targets
        )
        return TokenScores(log_prob, entropy, is_top1, rows)


def tile_head(model: Any) -> TiledHead | None:
    """The model's head, if it is frozen and its product is all that lies between hidden states and logits."""
    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear or head.bias is not None or head.weight.requires_grad:
        return None
    made: list[torch.Tensor] = []
    hook = head.register_forward_hook(lambda _, __, logits: made.append(logits))
    with torch.no_grad():
        logits = model(input_ids=torch.arange(3, device=head.weight.device)[None], use_cache=False).logits
    hook.remove()
    return TiledHead(head) if len(made) == 1 and torch.equal(made[0], logits) else None


def _hand_on(hidden: torch.Tensor) -> torch.Tensor:
    return hidden


class _HeadScores(torch.autograd.Function):
    """Log-probability of each target, the entropy of its distribution, and whether it is the likeliest word."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        count, device = len(targets), hidden.device
        peak = torch.full((count,), LOWEST, device=device)
        # Sums over the words so far, with logits less the peak: of exp(logit), of exp(logit) logit
        norm, moment = torch.zeros(2, count, device=device)
        target_logit, best = torch.zeros(count, device=device), torch.zeros_like(targets)
        weighted_rows = torch.zeros(hidden.shape, device=device)  # and of exp(logit) W, which becomes the mean W
        space = torch.empty(2, count * VOCAB_TILE, device=device)
        for start in range(0, len(weight), VOCAB_TILE):
            tile = weight[start : start + VOCAB_TILE]
            exponentials, terms = (one[: count * len(tile)].view(count, -1) for one in space)
            logits = matmul(hidden, tile.t()).float()
            place = targets - start
            inside = (place >= 0) & (place < len(tile))
            own = logits.gather(1, place.clamp(0, len(tile) - 1)[:, None])[:, 0]
            target_logit = torch.where(inside, own, target_logit)

            top, at = logits.max(dim=1)
            best = torch.where(top > peak, at + start, best)
            higher = torch.maximum(peak, top)
            fall = peak - higher
            shrink, peak = fall.exp(), higher
            torch.exp(logits.sub_(peak[:, None]), out=exponentials)
            moment = moment.addcmul_(norm, fall).mul_(shrink)
            moment += torch.mul(exponentials, logits, out=terms).sum(1)
            norm = norm.mul_(shrink).add_(exponentials.sum(1))
            if ctx.needs_input_grad[0]:
                # Not by oneDNN, which adds up all words in one chain: three times the rounding error.
                weighted_rows.mul_(shrink[:, None])
                if weight.dtype == weighted_rows.dtype:
                    weighted_rows.addmm_(exponentials, tile)
                else:
                    weighted_rows += exponentials.to(weight.dtype) @ tile
        log_norm = norm.log()
        is_top1 = best == targets
        if ctx.needs_input_grad[0]:
            # d log p(target) / d hidden: the target's row of W, less the mean row
            ctx.direction = weighted_rows.div_(norm[:, None]).neg_().add_(weight[targets])
            ctx.dtype = hidden.dtype
        log_prob, entropy = target_logit - peak - log_norm, log_norm - moment / norm
        ctx.mark_non_differentiable(entropy, is_top1)
        return log_prob, entropy, is_top1

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return ctx.direction.mul(grad_output[:, None]).to(ctx.dtype), None, None
