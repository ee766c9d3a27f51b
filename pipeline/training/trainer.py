"""trl's SFTTrainer, shown its rows in the mixture's order, as prefix trees, with the loss told apart by kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate.utils import broadcast_object_list
from torch.utils.data import Sampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import rotate_checkpoints
from trl import SFTTrainer

from pipeline.conversations.render import CONVERSATION_KINDS
from pipeline.mixture.plan import MixturePlan
from pipeline.tokens.attention import exchanged, tree_inputs
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.scores import TokenScores, score_targets
from pipeline.training.callbacks import FEW_CHARACTERS
from pipeline.training.checkpoints import EXPOSURES_FILE, WHOLE_FILE, mark_whole, sync_folder
from pipeline.training.head import TiledHead
from pipeline.training.identity import read_json
from pipeline.training.saved import find_difference
from pipeline.whole_files import write_json

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

    def begin(self, epoch: int) -> None:
        """Draw the order of this epoch from now on."""
        self.epoch = epoch


class EpochCallback(TrainerCallback):  # type: ignore[misc]
    """Tells the sampler which epoch begins, after a resume too."""

    def __init__(self, sampler: PlanSampler) -> None:
        self.sampler = sampler

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Set the epoch that the state's whole part names."""
        self.sampler.begin(int(state.epoch or 0))


class UnderstudyTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on rows that carry a `record` number and a `kind` number, and counts every record it consumes.

    `plan` orders the records; record i has `variants[i]` consecutive rows in `train_dataset`. `deal` orders the rows of
    each step. `owners` names the
    character of each record, `watched_owners` of each row of `eval_dataset`, where there are several.
    """

    def __init__(
        self,
        *args: Any,
        plan: MixturePlan,
        variants: Sequence[int],
        deal: Callable[[Ints], Ints] | None = None,
        owners: Sequence[str] = (),
        watched_owners: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        named = [name for name in dict.fromkeys(owners) if name]
        self._characters = named if len(named) <= FEW_CHARACTERS else []
        # Of each record its character's number, the last one standing for nobody.
        self._owner = self._numbers(owners or [""] * len(variants))
        self._watched_owner = self._numbers(watched_owners)
        self.sampler = PlanSampler(plan, variants, deal)
        self.resumed: list[dict[str, Any]] = []  # from which steps, and with what changed
        self.head: TiledHead | None = None  # scores hidden states, where the model's own head is left out
        self._at_end = False
        self._exposures = torch.zeros(len(variants), dtype=torch.int64)
        # Per kind: supervised tokens, their summed negative log-probability, hits of the greedy choice, entropy.
        self._sums = torch.zeros(len(CONVERSATION_KINDS), 4, dtype=torch.float64)
        self._sums_of = torch.zeros(len(self._characters) + 1, 4, dtype=torch.float64)  # the same per character
        super().__init__(*args, **kwargs)
        # The same for each held-out record, and how often it was watched: processes fill their last batch with some.
        self._watched = torch.zeros(len(self.eval_dataset or ()), 5, dtype=torch.float64)
        self.add_callback(EpochCallback(self.sampler))

    def _numbers(self, owners: Sequence[str]) -> torch.Tensor:
        number = {name: index for index, name in enumerate(self._characters)}
        return torch.tensor([number.get(name, len(number)) for name in owners], dtype=torch.int64)

    def exposures(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """How often each record has been trained on so far, over all processes: `[n]`. Call it on every process."""
        return self._total(self._exposures).numpy()

    def go_on_from(self, checkpoint: Path, whole: Mapping[str, Any]) -> None:
        """Count on where the run that wrote the checkpoint was, and train no further if it was at its end.

        `whole` is the content of the checkpoint's `whole.json`.
        """
        self._at_end = bool(whole["at_end"])
        self.resumed = list(whole["resumed"])
        if self.is_world_process_zero():  # the processes' counts are added up
            self._exposures += torch.tensor(read_json(checkpoint / EXPOSURES_FILE)["exposures"])

    def _run_epoch(self, **options: Any) -> None:
        if self._at_end:  # transformers would take one step more before it looked whether to stop
            self.control.should_training_stop = True
            return
        super()._run_epoch(**options)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """The checkpoint is written by all processes, on the disk, compared with the model, and marked whole.

        Only then may an older one be removed.

        Raises:
            UnderstudyError: what is on the disk is not what is in memory; on every process.
        """
        checkpoint = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        exposures = self.exposures().tolist()
        if self.is_world_process_zero():
            checkpoint.mkdir(parents=True, exist_ok=True)
            (checkpoint / WHOLE_FILE).unlink(missing_ok=True)
            write_json(checkpoint / EXPOSURES_FILE, {"exposures": exposures})
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        super()._save_checkpoint(model, trial)
        self.args.save_total_limit = limit
        self.check_saved(checkpoint)
        if self.is_world_process_zero():
            notes = {"step": self.state.global_step, "at_end": self.control.should_training_stop}
            mark_whole(checkpoint, notes | {"resumed": self.resumed})
            rotate_checkpoints(self.args.output_dir, limit, self.state.best_model_checkpoint)
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
        found = [find_difference(model, folder, reads=self.is_world_process_zero())]
        if difference := broadcast_object_list(found)[0]:
            raise difference

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Mean negative log-probability of the supervised tokens of the whole step, as trl normalises it.

        It is summed here and divided by the step's supervised tokens over all micro-batches and processes; the
        factor `num_processes` undoes the average that data parallelism takes of the gradients.
        """
        kinds, records = inputs.pop("kinds"), inputs.pop("records")
        scores = self._tree_scores(model, inputs) if "target_nodes" in inputs else self._padded_scores(model, inputs)
        count = len(scores.log_prob) if num_items_in_batch is None else num_items_in_batch
        loss = -scores.log_prob.sum() / torch.as_tensor(count).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        if model.training:
            self._account(scores, kinds, records, tokens=_real_tokens(inputs))
        else:
            self._watch(scores, records)
        return loss

    def _tree_scores(self, model: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> TokenScores:
        """Only the nodes that predict a target reach the LM head."""
        with self._head_left_out():
            kept = model(**tree_inputs(inputs, exchanged=exchanged(self.model))).logits
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

    @torch.no_grad()
    def _account(self, scores: TokenScores, kinds: torch.Tensor, records: torch.Tensor, tokens: int) -> None:
        columns = _columns(scores)
        self._sums.index_add_(0, kinds[scores.row].cpu(), columns)
        self._sums_of.index_add_(0, self._owner[records[scores.row].cpu()], columns)
        self._exposures += torch.bincount(records.cpu(), minlength=len(self._exposures))
        self._total_train_tokens += tokens * self.accelerator.num_processes

    @torch.no_grad()
    def _watch(self, scores: TokenScores, records: torch.Tensor) -> None:
        self._watched[:, :4].index_add_(0, records[scores.row].cpu(), _columns(scores))
        self._watched[:, 4] += torch.bincount(records.cpu(), minlength=len(self._watched))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log what trl logs, and loss and token accuracy for each kind, in training and on what is held out."""
        if "loss" in logs:
            self._put(self._total(self._sums), "train")
            self._put_characters(self._total(self._sums_of), "train")
            self._sums.zero_()
            self._sums_of.zero_()
            self._metrics["train"]["num_tokens"] = [self._total_train_tokens]
        elif "eval_loss" in logs:
            watched = self._total(self._watched)
            self._watched.zero_()
            kinds = torch.tensor(self.eval_dataset["kind"])
            once = watched[:, :4] / watched[:, 4:].clamp(min=1)
            by_kind = torch.zeros_like(self._sums).index_add_(0, kinds, once)
            self._put(by_kind, "eval")
            if self._characters:
                by_character = torch.zeros_like(self._sums_of).index_add_(0, self._watched_owner, once)
                self._put_characters(by_character, "eval")
            logs["eval_loss"] = float(by_kind[:, 1].sum() / by_kind[:, 0].sum())  # of all tokens alike, not of batches
        super().log(logs, start_time)

    def _put(self, sums: torch.Tensor, mode: str) -> None:
        """Hand sums by kind to trl's own metrics, as means."""
        count, _, hits, entropy = sums.sum(0).tolist()
        self._metrics[mode]["entropy"].append(entropy / max(count, 1))
        self._metrics[mode]["mean_token_accuracy"].append(hits / max(count, 1))
        for kind, (count, loss, hits, _) in zip(CONVERSATION_KINDS, sums.tolist(), strict=True):
            if count:
                self._metrics[mode][f"loss_{kind}"].append(loss / count)
                self._metrics[mode][f"accuracy_{kind}"].append(hits / count)

    def _put_characters(self, sums: torch.Tensor, mode: str) -> None:
        """The same for the loss of each character, where there are several, and not too many."""
        for name, (count, loss, _, _) in zip(self._characters, sums.tolist(), strict=False):
            if count:
                self._metrics[mode][f"loss_of_{name}"].append(loss / count)

    def _get_train_sampler(self, train_dataset: Any = None) -> PlanSampler:
        return self.sampler

    def _total(self, counts: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, on the CPU."""
        device = self.accelerator.device
        wide = counts.float() if device.type == "mps" else counts  # which has no float64
        total: torch.Tensor = self.accelerator.reduce(wide.to(device), reduction="sum")
        return total.cpu().to(counts.dtype)


def _columns(scores: TokenScores) -> torch.Tensor:
    """One line a token: 1, its negative log-probability, whether greedy decoding hits it, its entropy; on the CPU."""
    columns = (torch.ones_like(scores.log_prob), -scores.log_prob, scores.is_top1, scores.entropy)
    return torch.stack([column.float() for column in columns], dim=1).cpu().double()


def _real_tokens(inputs: dict[str, torch.Tensor]) -> int:
    """Tokens computed, padding not counted; a prefix tree has none, and its mask is no list of tokens."""
    return inputs["input_ids"].numel() if "target_nodes" in inputs else int(inputs["attention_mask"].sum())
