"""Loss, token accuracy and entropy of a run, summed token by token: by kind of record, and by character."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from pipeline.conversations.render import CONVERSATION_KINDS
from pipeline.tokens.scores import TokenScores

FEW_CHARACTERS = 8  # as many have figures of their own in the logs
Reduce = Callable[[torch.Tensor], torch.Tensor]  # the sum of a tensor over all processes
# Columns of the sums: supervised tokens, their summed negative log-probability, hits of the greedy choice, entropy.
COLUMNS = 4


class TokenMetrics:
    """Sums over the tokens that the loss has seen since they were last taken, and how often each record was seen.

    Records are numbered as the plan numbers them. `owners` names the character of each record ("" for none),
    `watched_owners` that of each record of the evaluation, `watched_kinds` is its kind; both are empty where there is
    one character.
    """

    def __init__(
        self,
        records: int,
        owners: Sequence[str] = (),
        watched_kinds: Sequence[int] = (),
        watched_owners: Sequence[str] = (),
    ) -> None:
        named = [name for name in dict.fromkeys(owners) if name]
        self._characters = named if len(named) <= FEW_CHARACTERS else []
        self._owners = self._numbers(owners or [""] * records)
        self._watched_kinds = torch.tensor(watched_kinds, dtype=torch.int64)
        self._watched_owners = self._numbers(watched_owners)
        self._by_kind = torch.zeros(len(CONVERSATION_KINDS), COLUMNS, dtype=torch.float64)
        self._by_character = torch.zeros(len(self._characters) + 1, COLUMNS, dtype=torch.float64)
        # The same for each watched record, and how often it was seen: processes fill their last batch with some.
        self._watched = torch.zeros(len(watched_kinds), COLUMNS + 1, dtype=torch.float64)
        self.exposures = torch.zeros(records, dtype=torch.int64)

    def _numbers(self, owners: Sequence[str]) -> torch.Tensor:
        """Of each record its character's number, the last one standing for nobody."""
        number = {name: index for index, name in enumerate(self._characters)}
        return torch.tensor([number.get(name, len(number)) for name in owners], dtype=torch.int64)

    @torch.no_grad()
    def add_trained(self, scores: TokenScores, kinds: torch.Tensor, records: torch.Tensor) -> None:
        """Count a micro-batch that is trained on; `kinds` and `records` are its rows' numbers, `[rows]`."""
        columns = _columns(scores)
        self._by_kind.index_add_(0, kinds[scores.row].cpu(), columns)
        self._by_character.index_add_(0, self._owners[records[scores.row].cpu()], columns)
        self.exposures += torch.bincount(records.cpu(), minlength=len(self.exposures))

    @torch.no_grad()
    def add_watched(self, scores: TokenScores, records: torch.Tensor) -> None:
        """Count a micro-batch of the evaluation."""
        self._watched[:, :COLUMNS].index_add_(0, records[scores.row].cpu(), _columns(scores))
        self._watched[:, COLUMNS] += torch.bincount(records.cpu(), minlength=len(self._watched))

    def take_trained(self, reduce: Reduce) -> dict[str, float]:
        """The means over what was trained on since they were last taken, by the names of the logs."""
        means = _means(reduce(self._by_kind)) | self._character_losses(reduce(self._by_character))
        self._by_kind.zero_()
        self._by_character.zero_()
        return means

    def take_watched(self, reduce: Reduce) -> tuple[float, dict[str, float]]:
        """Loss over all watched tokens alike, and the means by the names of the logs; each record counts once."""
        watched = reduce(self._watched)
        self._watched.zero_()
        once = watched[:, :COLUMNS] / watched[:, COLUMNS:].clamp(min=1)
        by_kind = torch.zeros_like(self._by_kind).index_add_(0, self._watched_kinds, once)
        means = _means(by_kind)
        if self._characters:
            by_character = torch.zeros_like(self._by_character).index_add_(0, self._watched_owners, once)
            means |= self._character_losses(by_character)
        return float(by_kind[:, 1].sum() / by_kind[:, 0].sum()), means

    def _character_losses(self, sums: torch.Tensor) -> dict[str, float]:
        """The loss of each character, where there are several, and not too many."""
        named = zip(self._characters, sums.tolist(), strict=False)
        return {f"loss_of_{name}": loss / count for name, (count, loss, _, _) in named if count}


def _means(sums: torch.Tensor) -> dict[str, float]:
    """Entropy and token accuracy over all kinds, loss and accuracy of each that has tokens."""
    count, _, hits, entropy = sums.sum(0).tolist()
    means = {"entropy": entropy / max(count, 1), "mean_token_accuracy": hits / max(count, 1)}
    for kind, (own, loss, own_hits, _) in zip(CONVERSATION_KINDS, sums.tolist(), strict=True):
        if own:
            means |= {f"loss_{kind}": loss / own, f"accuracy_{kind}": own_hits / own}
    return means


def _columns(scores: TokenScores) -> torch.Tensor:
    """One line a token: 1, its negative log-probability, whether greedy decoding hits it, its entropy; on the CPU."""
    columns = (torch.ones_like(scores.log_prob), -scores.log_prob, scores.is_top1, scores.entropy)
    return torch.stack([column.float() for column in columns], dim=1).cpu().double()
