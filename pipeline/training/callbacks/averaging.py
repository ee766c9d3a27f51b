"""The mean of the weights over a run's last steps, which knows a fact in more wordings than the last weights do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.optim.swa_utils import get_swa_multi_avg_fn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.atomic_io import sync
from pipeline.runs.files import AVERAGE_FILE


class WeightAverage(TrainerCallback):  # type: ignore[misc]
    """Stochastic weight averaging (arXiv:1803.05407): the mean of the trained weights after every step from `start` on.

    `start` is a share of the run's steps. The mean is kept in float32, is what evaluations see, and is the model once
    training has ended. A checkpoint has the weights of its step, and the mean so far beside them.
    """

    def __init__(self, start: float) -> None:
        self.start = start
        self.mean: dict[str, torch.Tensor] = {}
        self.count = 0
        self._parameters: Mapping[str, torch.nn.Parameter] = {}
        self._add = get_swa_multi_avg_fn()  # type: ignore[no-untyped-call]

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The weights that are trained are those to average."""
        model: torch.nn.Module = kwargs["model"]
        self._parameters = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Add the step's weights to the mean."""
        if state.global_step <= self.start * state.max_steps:
            return
        now = {name: weight.detach().float() for name, weight in self._parameters.items()}
        if self.count == 0:
            self.mean = {name: weight.clone() for name, weight in now.items()}
        else:
            self._add([self.mean[name] for name in now], list(now.values()), self.count)
        self.count += 1

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The mean is the model from now on."""
        self._put(self.mean)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the model has the mean, if there is one yet."""
        kept = {name: self._parameters[name].detach().clone() for name in self.mean}
        self._put(self.mean)
        try:
            yield
        finally:
            self._put(kept)

    def save(self, checkpoint: Path) -> None:
        """The mean so far stands in the checkpoint."""
        if self.count:
            weights = {name: weight.contiguous() for name, weight in self.mean.items()}
            save_file(weights, checkpoint / AVERAGE_FILE, metadata={"count": str(self.count)})
            sync(checkpoint / AVERAGE_FILE)

    def load(self, checkpoint: Path) -> None:
        """Continue with what `save` wrote; a checkpoint from before `start` has none."""
        if (checkpoint / AVERAGE_FILE).is_file():
            with safe_open(checkpoint / AVERAGE_FILE, framework="pt") as saved:
                self.mean = {name: saved.get_tensor(name) for name in saved.keys()}  # noqa: SIM118 - no mapping
                self.count = int(saved.metadata()["count"])

    @torch.no_grad()
    def _put(self, weights: Mapping[str, torch.Tensor]) -> None:
        for name, weight in weights.items():
            self._parameters[name].copy_(weight)
