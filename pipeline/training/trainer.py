"""trl's SFTTrainer, shown its rows in the mixture's order, as prefix trees, with the loss of each kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate.utils import broadcast_object_list
from torch.utils.data import Sampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import rotate_checkpoints
from trl import SFTTrainer

from pipeline.atomic_io import read_json, write_json
from pipeline.conversations.render import CONVERSATION_KINDS
from pipeline.kernels.head import TiledHead
from pipeline.mixture.plan import MixturePlan
from pipeline.runs.checkpoints import mark_complete, sync_folder
from pipeline.runs.files import CHECKPOINT_PREFIX, COMPLETE_FILE, EXPOSURES_FILE
from pipeline.runs.read_back import find_saved_difference
from pipeline.tokens.attention import tree_inputs, uses_tree_attention
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.scores import TokenScores, score_targets
from pipeline.training.callbacks.averaging import WeightAverage
from pipeline.training.metrics import TokenMetrics

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints


class PlanSampler(Sampler[int]):
    """Row numbers in the order of the plan's current epoch, each step's rows dealt out by `deal`, if it is given.

    The epoch is set by the trainer's callback, not by its dataloader: on several processes a dataloader that skips the
    batches of a resumed epoch no longer reaches its sampler, and would draw epoch 0 again.
    """

    def __init__(self, plan: MixturePlan, variants: Sequence[int], deal: Callable[[Ints], Ints] | None = None) -> None:
        super().__init__()
        self.plan = plan
        self.variants = variants
        self.deal = deal
        self.epoch = 0

    def __len__(self) -> int:
        return self.plan.epoch_length

    def __iter__(self) -> Iterator[int]:
        rows = self.plan.rows(self.epoch, self.variants)
        return iter((self.deal(rows) if self.deal else rows).tolist())

    def start_epoch(self, epoch: int) -> None:
        """Draw this epoch's order from now on. Not named `set_epoch`, which accelerate's dataloader would call."""
        self.epoch = epoch


class EpochCallback(TrainerCallback):  # type: ignore[misc]
    """Sets the sampler's epoch as each epoch begins, after a resume too."""

    def __init__(self, sampler: PlanSampler) -> None:
        self.sampler = sampler

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Set the epoch to the integer part of the state's."""
        self.sampler.start_epoch(int(state.epoch or 0))


class CheckpointCallback(TrainerCallback):  # type: ignore[misc]
    """Completes each checkpoint as soon as the trainer has written it.

    It is the first of the trainer's callbacks: the others may leave the run, or upload the checkpoint, as those of
    `report_to` do. `push_to_hub` pushes within the trainer's writing, so what it pushes has not been read back yet.
    """

    def __init__(self, complete: Callable[[], None]) -> None:
        self.complete = complete

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Check, mark and rotate."""
        self.complete()


class UnderstudyTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on rows that carry a `record` number and a `kind` number, and counts every record it consumes.

    `plan` orders the records; record i has `variants[i]` consecutive rows in `train_dataset`. `deal` orders the rows of
    each step. `owners` names the character of each record, `watched_owners` of each row of `eval_dataset`, where there
    are several. `loss_weights` are the weights of a token in the loss by its row's `kind`. `head` scores hidden states,
    where the model's own head is left out. `checkpoint_limit` is how many checkpoints are kept, None for all. `average`
    makes the mean of the last weights the model.
    """

    def __init__(
        self,
        *args: Any,
        plan: MixturePlan,
        variants: Sequence[int],
        deal: Callable[[Ints], Ints] | None = None,
        owners: Sequence[str] = (),
        watched_owners: Sequence[str] = (),
        loss_weights: Sequence[float] | None = None,
        head: TiledHead | None = None,
        checkpoint_limit: int | None = None,
        average: WeightAverage | None = None,
        **kwargs: Any,
    ) -> None:
        self.sampler = PlanSampler(plan, variants, deal)
        self.resumed: list[dict[str, Any]] = []  # each resume: from which checkpoint, and what had changed
        self.head = head
        self._checkpoint_limit = checkpoint_limit
        self._average = average
        self._loss_weights = torch.tensor(loss_weights or [1.0] * len(CONVERSATION_KINDS))
        self._resumed_at_end = False
        self._resumed_step = 0
        self._tokens_trained = 0  # by all processes, as far as they compute alike
        super().__init__(*args, **kwargs)
        watched_kinds = self.eval_dataset["kind"] if self.eval_dataset is not None else ()
        self._token_metrics = TokenMetrics(len(variants), owners, watched_kinds, watched_owners)
        self.add_callback(EpochCallback(self.sampler))
        if average:  # before those that measure what training has ended with
            self.callback_handler.callbacks.insert(0, average)
        self.callback_handler.callbacks.insert(0, CheckpointCallback(self.complete_checkpoint))

    def exposures(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """How often each record has been trained on so far, over all processes: `[n]`. Call it on every process."""
        return self._total(self._token_metrics.exposures).numpy()

    def resume_counts(self, checkpoint: Path, complete: Mapping[str, Any]) -> None:
        """Continue the counts of the run that wrote the checkpoint, and train no further if it was at its end.

        `complete` is the content of the checkpoint's `whole.json`.
        """
        self._resumed_at_end = bool(complete["at_end"])
        self._resumed_step = int(complete["step"])
        self.resumed = list(complete["resumed"])
        if self._average:
            self._average.load(checkpoint)
        if self.is_world_process_zero():  # the processes' counts are added up
            self._token_metrics.exposures += torch.tensor(read_json(checkpoint / EXPOSURES_FILE)["exposures"])

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Evaluate as trl does; nothing before the first step of a resumed run, whose logs have that one already."""
        if self._resumed_step and self.state.global_step == self._resumed_step:
            return {}
        with self.averaged():
            metrics: dict[str, float] = super().evaluate(*args, **kwargs)
        return metrics

    def averaged(self) -> AbstractContextManager[None]:
        """Within the block the model is what the run would save: where it averages, the mean of its weights so far."""
        return self._average.applied() if self._average else contextlib.nullcontext()

    def _run_epoch(self, **options: Any) -> None:
        if self._resumed_at_end:  # transformers would take one step more before it looked whether to stop
            self.control.should_training_stop = True
            return
        super()._run_epoch(**options)

    def save_model(self, output_dir: str | None = None, **kwargs: Any) -> None:
        """Save as trl does; a checkpoint is not complete from now on, until it is marked so again."""
        if self.is_world_process_zero() and output_dir:
            (Path(output_dir) / COMPLETE_FILE).unlink(missing_ok=True)
        super().save_model(output_dir, **kwargs)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None of trl's, which knows no base model and no character: the finished run's folder has one of its own."""

    def complete_checkpoint(self) -> None:
        """The checkpoint just written is on the disk, compared with the model, and marked complete, by all processes.

        Only then may an older one be removed.

        Raises:
            UnderstudyError: what is on the disk is not what is in memory; on every process.
        """
        checkpoint = Path(self.args.output_dir) / f"{CHECKPOINT_PREFIX}{self.state.global_step}"
        exposures = self.exposures().tolist()
        if self.is_world_process_zero():
            write_json(checkpoint / EXPOSURES_FILE, {"exposures": exposures})
        self.check_saved(checkpoint)
        if self.is_world_process_zero():
            if self._average:  # no weights of the model, so after the comparison with it
                self._average.save(checkpoint)
            notes = {"step": self.state.global_step, "at_end": self.control.should_training_stop}
            mark_complete(checkpoint, notes | {"resumed": self.resumed})
            rotate_checkpoints(self.args.output_dir, self._checkpoint_limit, self.state.best_model_checkpoint)
        self.accelerator.wait_for_everyone()

    def check_saved(self, folder: Path) -> None:
        """All that the processes wrote into the folder is on the disk, and its weights are the model's, bit for bit.

        Raises:
            UnderstudyError: they are not; on every process.
        """
        self.accelerator.wait_for_everyone()  # until all have written
        if self.accelerator.is_local_main_process:  # each machine answers for its own writes
            sync_folder(folder)
        self.accelerator.wait_for_everyone()
        model = self.accelerator.unwrap_model(self.model, keep_torch_compile=False)
        found = [find_saved_difference(model, folder, reads=self.is_world_process_zero())]
        if difference := broadcast_object_list(found)[0]:
            raise difference

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Mean negative log-probability of the supervised tokens of an optimizer step, as trl normalises it.

        It is summed here, in training each token times its kind's weight, and divided by the step's supervised tokens
        over all micro-batches and processes, not by their weights: a step of little weight shall move the model
        little. The factor `num_processes` undoes the average that data parallelism takes of the gradients.
        """
        kinds, records = inputs.pop("kinds"), inputs.pop("records")
        scores = self._tree_scores(model, inputs) if "target_nodes" in inputs else self._padded_scores(model, inputs)
        count = len(scores.log_prob) if num_items_in_batch is None else num_items_in_batch
        log_probs = scores.log_prob
        if model.training:
            log_probs = log_probs * self._loss_weights.to(log_probs.device)[kinds][scores.row]
        loss = -log_probs.sum() / torch.as_tensor(count).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        if model.training:
            self._token_metrics.add_trained(scores, kinds, records)
            self._tokens_trained += _real_tokens(inputs) * self.accelerator.num_processes
        else:
            self._token_metrics.add_watched(scores, records)
        return loss

    def _tree_scores(self, model: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> TokenScores:
        """Only the nodes that predict a target reach the LM head."""
        with self._head_left_out():
            kept = model(**tree_inputs(inputs, tree_attention=uses_tree_attention(self.model))).logits
        return self._score(kept.squeeze(0), inputs["labels"][0], inputs["target_rows"][0])

    def _padded_scores(self, model: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> TokenScores:
        """The same of padded rows: on a GPU trl's own fused LM head, which on a CPU would score every position."""
        names = ("input_ids", "attention_mask")
        forward = {name: inputs[name] for name in names} | {"use_cache": False}
        if inputs["input_ids"].device.type == "cpu":
            targets = inputs["labels"][:, 1:]
            supervised = targets != IGNORE_INDEX
            places = supervised.any(0).nonzero()[:, 0]  # where any row has a target
            with self._head_left_out():
                kept = model(**forward, logits_to_keep=places).logits
            mask = supervised[:, places]
            return self._score(kept[mask], targets[:, places][mask], mask.nonzero()[:, 0])
        outputs = model(**forward, labels=inputs["labels"], fused_lm_head=True)
        mask = outputs.label_mask
        return TokenScores(outputs.log_probs[mask], outputs.entropy[mask], outputs.is_top1[mask], mask.nonzero()[:, 0])

    def _head_left_out(self) -> contextlib.AbstractContextManager[None]:
        return self.head.left_out() if self.head else contextlib.nullcontext()

    def _score(self, kept: torch.Tensor, targets: torch.Tensor, rows: torch.Tensor) -> TokenScores:
        """Scores of what the model gave for the supervised places: logits, or hidden states for `self.head`."""
        return (self.head.scores if self.head else score_targets)(kept, targets, rows)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log what trl logs, and loss and token accuracy for each kind, in training and on what is held out."""
        if "loss" in logs:
            logs |= self._token_metrics.take_trained(self._total) | {"num_tokens": self._tokens_trained}
        elif "eval_loss" in logs:
            logs["eval_loss"], means = self._token_metrics.take_watched(self._total)
            logs |= {f"eval_{name}": value for name, value in means.items()}
        super().log(logs, start_time)

    def _get_train_sampler(self, train_dataset: Any = None) -> PlanSampler:
        return self.sampler

    def _total(self, counts: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, on the CPU."""
        device = self.accelerator.device
        wide = counts.float() if device.type == "mps" else counts  # which has no float64
        total: torch.Tensor = self.accelerator.reduce(wide.to(device), reduction="sum")
        return total.cpu().to(counts.dtype)


def _real_tokens(inputs: dict[str, torch.Tensor]) -> int:
    """Tokens computed, padding not counted; a prefix tree has none, and its mask is no list of tokens."""
    return inputs["input_ids"].numel() if "target_nodes" in inputs else int(inputs["attention_mask"].sum())
