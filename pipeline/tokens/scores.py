"""What the logits say of the tokens that followed: log-probability, entropy, and whether greedy decoding agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

# Logits worked on at a time on a CPU: two such pieces in float32 stay in its cache, and give each core enough to do.
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class TokenScores:
    """What a forward says of the supervised tokens of a batch, `[P]` each; `row` is the row of the batch."""

    log_prob: torch.Tensor
    entropy: torch.Tensor
    is_top1: torch.Tensor
    row: torch.Tensor


def score_targets(logits: torch.Tensor, targets: torch.Tensor, rows: torch.Tensor) -> TokenScores:
    """Log-probability of each target, and the entropy of its distribution (in nats): logits `[P, V]`, targets `[P]`.

    Computed in float32: in bfloat16 the loss of a token that is nearly known would round to nothing. Logits that are
    float32 are overwritten: they are the largest tensor of a step by far, and one copy of them is enough.
    """
    log_prob, entropy, is_top1 = _TargetScores.apply(logits, targets)  # type: ignore[no-untyped-call]
    return TokenScores(log_prob, entropy, is_top1, rows)


class _TargetScores(torch.autograd.Function):
    """Log-softmax at the targets, whose probabilities take the logits' place and, going back, the gradient theirs."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, ...]:
        probs = logits.detach().float()
        log_prob, entropy = probs.new_empty(len(targets)), probs.new_empty(len(targets))
        best = torch.empty_like(targets)
        rows_a_piece = max(1, PIECE // probs.shape[1]) if probs.device.type == "cpu" else max(1, len(targets))
        for start in range(0, len(targets), rows_a_piece):
            piece = slice(start, start + rows_a_piece)
            log_prob[piece], entropy[piece], best[piece] = _softmax_(probs[piece], targets[piece])
        ctx.probs, ctx.targets, ctx.dtype = probs, targets, logits.dtype
        is_top1 = best == targets
        ctx.mark_non_differentiable(entropy, is_top1)
        return log_prob, entropy, is_top1

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, towards: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor, None]:
        # d log p[target] / d logits = onehot(target) - p
        gradient = ctx.probs.mul_(-towards[:, None])
        gradient[torch.arange(len(towards), device=towards.device), ctx.targets] += towards
        del ctx.probs
        return gradient.to(ctx.dtype), None


def _softmax_(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Turn logits into probabilities in place; the targets' log-probabilities, the entropies, the greedy choices."""
    peak, best = logits.max(dim=-1)
    logits -= peak[:, None]
    target = logits.gather(-1, targets[:, None])[:, 0]
    exponentials = logits.exp()
    norm = exponentials.sum(-1)
    mean = torch.linalg.vecdot(exponentials, logits) / norm  # E[-log p] = log of the normaliser - E[logit]
    torch.div(exponentials, norm[:, None], out=logits)
    log_norm = norm.log()
    return target - log_norm, log_norm - mean, best
