"""A running mean of the weights of late steps, which knows a fact in more wordings than the last weights do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.atomic_io import sync
from pipeline.runs.files import AVERAGE_FILE


class WeightAverage(TrainerCallback):  # type: ignore[misc]
    """A running mean of the trained weights by polynomial decay (arXiv:1212.1824): of late steps, whenever one looks.

    Step `t` of `n` weighs about `t` to the power of `2 * start / (1 - start)`, so that the mean lies where that of the
    steps after `start * n` would. It is kept in float32, is what evaluations see, and is the model once training has
    ended. A checkpoint has the weights of its step, and the mean so far beside them.
    """

    def __init__(self, start: float) -> None:
        self.power = 2 * start / (1 - start)
        self.mean: dict[str, torch.Tensor] = {}
        self._parameters: Mapping[str, torch.nn.Parameter] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The weights that are trained are those to average."""
        model: torch.nn.Module = kwargs["model"]
        self._parameters = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self.mean = {
            name: self.mean.get(name, weight).detach().to(weight.device, torch.float32, copy=True)
            for name, weight in self._parameters.items()
        }

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Add the step's weights to the mean."""
        share = (1 + self.power) / (state.global_step + self.power)
        now = [self._parameters[name].detach().float() for name in self.mean]
        add = get_ema_multi_avg_fn(1 - share)  # type: ignore[no-untyped-call]
        add(list(self.mean.values()), now, None)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The mean is the model from now on."""
        self._put(self.mean)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the model has the mean."""
        kept = {name: self._parameters[name].detach().clone() for name in self.mean}
        self._put(self.mean)
        try:
            yield
        finally:
            self._put(kept)

    def save(self, checkpoint: Path) -> None:
        """The mean so far stands in the checkpoint."""
        save_file({name: weight.contiguous() for name, weight in self.mean.items()}, checkpoint / AVERAGE_FILE)
        sync(checkpoint / AVERAGE_FILE)

    def load(self, checkpoint: Path) -> None:
        """Continue with what `save` wrote; earlier versions wrote none in a run's first part."""
        if (checkpoint / AVERAGE_FILE).is_file():
            self.mean = load_file(checkpoint / AVERAGE_FILE)

    @torch.no_grad()
    def _put(self, weights: Mapping[str, torch.Tensor]) -> None:
        for name, weight in weights.items():
            self._parameters[name].copy_(weight)
