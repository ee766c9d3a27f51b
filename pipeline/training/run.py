"""One training run, from a recipe's arguments to a folder that holds all of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from accelerate import PartialState
from accelerate.utils import DistributedType, broadcast_object_list
from transformers import PreTrainedTokenizerBase, ProgressCallback
from trl import SFTConfig, get_peft_config, get_quantization_config

from pipeline.conversations.persona import Persona, save_persona
from pipeline.errors import UnderstudyError
from pipeline.mixture.ledger import format_ledger, make_ledger
from pipeline.mixture.plan import MixturePlan, plan_mixture
from pipeline.models.load import load_base_model
from pipeline.models.precision import bfloat16_pays
from pipeline.recall.probes import Probe, choose, with_distractors
from pipeline.records.record import Record
from pipeline.tokens.attention import use_tree_attention, why_no_tree
from pipeline.tokens.collate import PaddedCollator, PrefixTreeCollator
from pipeline.training.arguments import RunArguments
from pipeline.training.callbacks import LogFile, ReadableProgress, RecallCallback
from pipeline.training.checkpoints import is_done, prepare_folder, remove_checkpoints, why_not_here
from pipeline.training.identity import RUN_FILE, commit, resolved, run_identity, versions, write_json
from pipeline.training.lora import fuse_lora
from pipeline.training.rows import DIALOGUE, SETTINGS, RowSet, encode_records
from pipeline.training.trainer import UnderstudyTrainer

Found = TypeVar("Found")
# The small recall that runs inside training: few other answers to tell the right one from, so that it stays quick.
SMALL_RECALL_DISTRACTORS = 3
# Engines under which each process of a CPU run holds every parameter whole.
WHOLE_PARAMETERS = (DistributedType.NO, DistributedType.MULTI_CPU)


@dataclass(frozen=True, slots=True)
class Character:
    """What is to be learnt, and how it is asked for."""

    records: Sequence[Record]
    probes: Sequence[Probe]
    persona: Persona
    fingerprint: str


def train(
    arguments: RunArguments,
    character: Character,
    tokenizer: PreTrainedTokenizerBase,
    *,
    recipe: str,
    tell: Callable[[str], None],
) -> None:
    """Train, and save adapter or model, tokenizer, `persona.json` and, last, `run.json`.

    A run that was cut off goes on from its last whole checkpoint when it is started again unchanged; one that is done
    is left as it is. `tell` is given what the user should read, on the main process only.
    """
    began = time.monotonic()
    folder = Path(arguments.training.output_dir)
    identity = run_identity(arguments, character.fingerprint, arguments.training.world_size)
    if _agreed(is_done, folder, identity, commit()):
        tell(f"{folder} holds this very run already; remove it to train anew")
        return
    if refusal := _agreed(why_not_here, folder, identity):
        raise UnderstudyError(folder, refusal, fix="name another output_dir, or remove the folder")
    rows = _encode(arguments, character, tokenizer)
    plan = _plan(arguments, rows)
    planned = plan.planned_steps(_steps(arguments.training, plan), _rows_a_step(arguments.training))
    tell(f"the mixture of {arguments.training.num_train_epochs:g} epochs of {plan.epoch_length} rows:")
    tell(format_ledger(make_ledger(rows.kinds, rows.loss_tokens(), planned)))

    trainer = build_trainer(arguments, rows, plan, tokenizer, tell)
    _add_callbacks(trainer, arguments, character, folder, tell)
    checkpoint = _agreed(prepare_folder, folder, identity)
    if checkpoint:
        tell(f"going on from {checkpoint}")
        trainer.load_exposures(checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    realised = trainer.exposures()
    ledger = make_ledger(rows.kinds, rows.loss_tokens(), planned, realised)
    trainer.save_model(str(folder))
    if trainer.is_world_process_zero():
        save_persona(character.persona, folder)
        description = {
            "recipe": recipe,
            "model": arguments.model.model_name_or_path,
            "commit": commit(),
            "versions": versions(),
            "arguments": resolved(arguments),
            "ledger": ledger,
            "rows": int(realised.sum()),
            "steps": trainer.state.global_step,
            "seconds": round(time.monotonic() - began, 1),
            "world_size": trainer.args.world_size,
            "engine": trainer.accelerator.distributed_type.value,
            "device": trainer.accelerator.device.type,
            "data": {"records": len(character.records), "fingerprint": character.fingerprint},
        }
        write_json(folder / RUN_FILE, description)
        remove_checkpoints(folder)
        tell(format_ledger(ledger))
    trainer.accelerator.wait_for_everyone()


def build_trainer(
    arguments: RunArguments,
    rows: RowSet,
    plan: MixturePlan,
    tokenizer: PreTrainedTokenizerBase,
    tell: Callable[[str], None],
) -> UnderstudyTrainer:
    """The trainer of a run, its model loaded and, for LoRA, wrapped."""
    model_arguments, training = arguments.model, arguments.training
    _choose_dtype(arguments, tell)
    quantization = get_quantization_config(model_arguments)
    options: dict[str, Any] = {
        "dtype": model_arguments.dtype,
        "revision": model_arguments.model_revision,
        "trust_remote_code": training.trust_remote_code,
        "attn_implementation": model_arguments.attn_implementation,
    }
    if quantization is not None:
        options |= {"quantization_config": quantization, "device_map": {"": PartialState().local_process_index}}
    model = load_base_model(str(model_arguments.model_name_or_path), **options)
    reason = why_no_tree(model)
    batching = _batching(arguments, reason)
    tell(f"batches: {batching}" + (f" ({reason})" if batching == "padded" and reason else ""))
    if batching == "prefix_tree":
        use_tree_attention(model)
    trainer = UnderstudyTrainer(
        model=model,
        args=training,
        train_dataset=rows.dataset(),
        processing_class=tokenizer,
        data_collator=PrefixTreeCollator()
        if batching == "prefix_tree"
        else PaddedCollator(int(tokenizer.pad_token_id)),
        peft_config=get_peft_config(model_arguments),
        plan=plan,
        variants=rows.variants,
    )
    if trainer.accelerator.device.type == "cpu" and trainer.accelerator.distributed_type in WHOLE_PARAMETERS:
        fuse_lora(trainer.model)
    if not training.disable_tqdm:
        trainer.remove_callback(ProgressCallback)
        trainer.add_callback(ReadableProgress())
    return trainer


def _choose_dtype(arguments: RunArguments, tell: Callable[[str], None]) -> None:
    """Settle what `bf16_if_faster` asks for: measured by the main process alone, so that all processes agree."""
    if arguments.character.bf16_if_faster and arguments.training.device.type == "cpu":
        faster = [bfloat16_pays() if PartialState().is_main_process else False]
        arguments.model.dtype = "bfloat16" if broadcast_object_list(faster)[0] else arguments.model.dtype
        tell(f"base model in {arguments.model.dtype}, the faster on this machine")


def _batching(arguments: RunArguments, reason: str | None) -> str:
    wanted = arguments.character.batching
    if wanted == "auto":
        return "padded" if reason else "prefix_tree"
    if wanted == "prefix_tree" and reason:
        raise UnderstudyError(
            "recipe key 'batching'",
            f"is prefix_tree, which {arguments.model.model_name_or_path} cannot compute: {reason}",
            fix="set `batching: auto`",
        )
    return wanted


def _encode(arguments: RunArguments, character: Character, tokenizer: PreTrainedTokenizerBase) -> RowSet:
    return encode_records(
        character.records,
        character.persona,
        tokenizer,
        wordings=arguments.character.rewordings,
        chat_share=arguments.character.chat_share,
        max_length=arguments.training.max_length,
    )


def _plan(arguments: RunArguments, rows: RowSet) -> MixturePlan:
    seed = arguments.training.data_seed
    return plan_mixture(
        rows.sources,
        {SETTINGS: arguments.character.settings_weight, DIALOGUE: 1.0},
        seed=arguments.training.seed if seed is None else seed,
    )


def _add_callbacks(
    trainer: UnderstudyTrainer,
    arguments: RunArguments,
    character: Character,
    folder: Path,
    tell: Callable[[str], None],
) -> None:
    log_file = LogFile(folder)
    trainer.add_callback(log_file)
    probes = choose(character.probes, arguments.character.recall_items)
    if probes:
        small = with_distractors(probes, SMALL_RECALL_DISTRACTORS)
        steps = arguments.character.recall_steps
        trainer.add_callback(RecallCallback(small, character.persona, steps, log_file, tell))


def _agreed(find: Callable[..., Found], *arguments: Any) -> Found:
    """What the main process finds in the folder, told to the others, which may not see it."""
    found: list[Any] = [find(*arguments) if PartialState().is_main_process else None]
    return cast(Found, broadcast_object_list(found)[0])


def _rows_a_step(training: SFTConfig) -> int:
    return int(training.per_device_train_batch_size * training.gradient_accumulation_steps * training.world_size)


def _steps(training: SFTConfig, plan: MixturePlan) -> int:
    """Optimizer steps of the run, as the trainer counts them."""
    epoch = math.ceil(plan.epoch_length / _rows_a_step(training))
    return int(training.max_steps) if training.max_steps > 0 else math.ceil(training.num_train_epochs * epoch)
