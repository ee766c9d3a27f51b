"""Each target's log-probability, the entropy of its distribution, and whether greedy decoding would choose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

# Logits computed with at a time on a CPU: two such chunks in float32 stay in its cache, and keep every core busy.
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class TokenScores:
    """Scores of the supervised tokens of a batch, `[P]` each; `row` is the row of the batch."""

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
    """Log-softmax at the targets; probabilities overwrite the logits and, in the backward, the gradient them."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, ...]:
        probs = logits.detach().float()
        log_prob, entropy = probs.new_empty(len(targets)), probs.new_empty(len(targets))
        best = torch.empty_like(targets)
        rows_a_chunk = max(1, CHUNK // probs.shape[1]) if probs.device.type == "cpu" else max(1, len(targets))
        for start in range(0, len(targets), rows_a_chunk):
            chunk = slice(start, start + rows_a_chunk)
            log_prob[chunk], entropy[chunk], best[chunk] = _softmax_(probs[chunk], targets[chunk])
        ctx.probs, ctx.targets, ctx.dtype = probs, targets, logits.dtype
        is_top1 = best == targets
        ctx.mark_non_differentiable(entropy, is_top1)
        return log_prob, entropy, is_top1

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor, None]:
        # d log p[target] / d logits = onehot(target) - p
        gradient = ctx.probs.mul_(-grad_output[:, None])
        gradient[torch.arange(len(grad_output), device=grad_output.device), ctx.targets] += grad_output
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
