"""The trainer of a run: its model loaded, its batches chosen, its LoRA layers fused where that is exact."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from accelerate.utils import DistributedType
from transformers import PreTrainedModel, PreTrainedTokenizerBase, ProgressCallback
from transformers.trainer_utils import IntervalStrategy
from trl import SFTConfig, get_peft_config

from pipeline.conversations.render import CONVERSATION_KINDS
from pipeline.errors import UnderstudyError
from pipeline.kernels.blocks import fuse_blocks
from pipeline.kernels.head import tile_head
from pipeline.kernels.lora import fuse_lora
from pipeline.mixture.dealing import deal_rows
from pipeline.models.load import load_base_model
from pipeline.tokens.attention import prefix_tree_obstacle, use_tree_attention
from pipeline.tokens.collate import PaddedCollator, PrefixTreeCollator
from pipeline.tokens.row_set import token_lengths
from pipeline.training.arguments import RunArguments, model_options
from pipeline.training.callbacks.averaging import WeightAverage
from pipeline.training.callbacks.logs import ReadableProgress
from pipeline.training.data import TrainingData, rows_per_step
from pipeline.training.trainer import UnderstudyTrainer

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints

# Engines under which each process of a CPU run holds every parameter unsharded.
REPLICATED_PARAMETERS = (DistributedType.NO, DistributedType.MULTI_CPU)


def build_trainer(
    arguments: RunArguments, data: TrainingData, tokenizer: PreTrainedTokenizerBase, log: Callable[[str], None]
) -> UnderstudyTrainer:
    """The trainer of a run, its model loaded and, for LoRA, wrapped."""
    model = load_base_model(str(arguments.model.model_name_or_path), **model_options(arguments))
    collator = choose_collator(arguments, model, int(tokenizer.pad_token_id), log)
    as_trees = isinstance(collator, PrefixTreeCollator)
    if as_trees:
        use_tree_attention(model)
    training, recipe = arguments.training, arguments.character
    trainer = UnderstudyTrainer(
        model=model,
        args=trainer_arguments(training, evaluates=data.watched is not None),
        train_dataset=data.rows.dataset,
        eval_dataset=data.watched.dataset if data.watched else None,
        processing_class=tokenizer,
        data_collator=collator,
        peft_config=get_peft_config(arguments.model),
        plan=data.plan,
        variants=data.rows.variants,
        deal=_deal(data, training) if as_trees else None,
        owners=data.owners,
        watched_owners=data.watched_owners,
        checkpoint_limit=training.save_total_limit,
        loss_weights=[data.loss_weights[kind] for kind in CONVERSATION_KINDS],
        average=WeightAverage(recipe.swa_start) if recipe.averages_weights else None,
    )
    if trainer.accelerator.device.type == "cpu" and trainer.accelerator.distributed_type in REPLICATED_PARAMETERS:
        fuse_lora(trainer.model)
        fuse_blocks(trainer.model)
        trainer.head = tile_head(trainer.model)
    if not training.disable_tqdm:
        trainer.remove_callback(ProgressCallback)
        trainer.add_callback(ReadableProgress())
    return trainer


def choose_collator(
    arguments: RunArguments, model: PreTrainedModel, pad_token_id: int, log: Callable[[str], None]
) -> PrefixTreeCollator | PaddedCollator:
    """The recipe's collator: prefix trees where the model can compute them, unless it says `padded`.

    Raises:
        UnderstudyError: the recipe asks for prefix trees, and the model cannot compute them.
    """
    wanted, reason = arguments.character.batching, prefix_tree_obstacle(model)
    if wanted == "prefix_tree" and reason:
        raise UnderstudyError(
            "recipe key 'batching'",
            f"is prefix_tree, which {arguments.model.model_name_or_path} cannot compute: {reason}",
            fix="set `batching: auto`",
        )
    if wanted != "padded" and not reason:
        log("batches: prefix_tree")
        return PrefixTreeCollator()
    log("batches: padded" + (f" ({reason})" if reason else ""))
    return PaddedCollator(pad_token_id)


def trainer_arguments(training: SFTConfig, *, evaluates: bool) -> SFTConfig:
    """The trainer's own copy of the arguments: it removes no checkpoint by itself, and evaluates if there is a set."""
    own = copy.copy(training)
    own.save_total_limit = None
    if not evaluates:
        own.eval_strategy, own.eval_on_start = IntervalStrategy.NO, False
    return own


def _deal(data: TrainingData, training: SFTConfig) -> Callable[[Ints], Ints]:
    """Deals a step's rows out to the micro-batches of all processes. A padded one is as long as its longest row."""
    return functools.partial(
        deal_rows,
        lengths=token_lengths(data.rows.dataset),
        rows_per_step=rows_per_step(training),
        rows_per_batch=training.per_device_train_batch_size,
    )
