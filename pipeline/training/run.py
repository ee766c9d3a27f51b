"""One training run, from a recipe's arguments to a folder that holds all of it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from accelerate import PartialState
from accelerate.utils import DistributedType, broadcast_object_list
from filelock import FileLock
from transformers import EarlyStoppingCallback, PreTrainedTokenizerBase, ProgressCallback
from transformers.trainer_utils import IntervalStrategy
from trl import SFTConfig, get_peft_config, get_quantization_config

from pipeline.conversations.persona import save_personas
from pipeline.errors import UnderstudyError
from pipeline.mixture.dealing import deal_rows
from pipeline.mixture.ledger import agreement, format_ledger, write_exposures
from pipeline.models.load import load_base_model
from pipeline.models.precision import bfloat16_pays
from pipeline.recall.probes import with_distractors
from pipeline.tokens.attention import use_tree_attention, why_no_tree
from pipeline.tokens.collate import PaddedCollator, PrefixTreeCollator
from pipeline.training.arguments import RunArguments
from pipeline.training.blocks import fuse_blocks
from pipeline.training.callbacks import LogFile, ReadableProgress, RecallCallback
from pipeline.training.checkpoints import (
    LOCK_FILE,
    WHOLE_FILE,
    identity_before,
    is_done,
    prepare_folder,
    remove_broken,
    remove_checkpoints,
    sync_folder,
    take,
    telling_a_full_disk,
)
from pipeline.training.checks import gib
from pipeline.training.head import tile_head
from pipeline.training.identity import (
    RUN_FILE,
    changes,
    commit,
    read_json,
    resolved,
    run_identity,
    versions,
    why_not_go_on,
)
from pipeline.training.leaving import LeaveCallback, leaving_on_signals
from pipeline.training.lora import fuse_lora
from pipeline.training.material import Cast, Material, prepare_material, probed, rows_a_step
from pipeline.training.memory import peak_memory
from pipeline.training.preflight import Preflight, launch_of, preflight, ran_out
from pipeline.training.processes import StepDeadline
from pipeline.training.rows import token_lengths
from pipeline.training.saved import only_safetensors
from pipeline.training.trainer import UnderstudyTrainer
from pipeline.whole_files import write_json

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints

Found = TypeVar("Found")
# The small recall that runs inside training: few other answers to tell the right one from, so that it stays quick.
SMALL_RECALL_DISTRACTORS = 3
PADDED_EPOCH = 1.1  # an epoch made longer than this by rounding to whole steps is worth a word
# Engines under which each process of a CPU run holds every parameter whole.
WHOLE_PARAMETERS = (DistributedType.NO, DistributedType.MULTI_CPU)


def train(
    arguments: RunArguments,
    cast: Cast,
    tokenizer: PreTrainedTokenizerBase,
    *,
    recipe: str,
    tell: Callable[[str], None],
) -> None:
    """Train, and save adapter or model, tokenizer, `persona.json` and, last, `run.json`.

    A run that was cut off goes on from its last whole checkpoint when it is started again unchanged, or with
    `resume: force` on other processes; one that is done is left as it is. `tell` is given what the user should read, on
    the main process only.

    Raises:
        UnderstudyError: the folder is another run's, the disk is full, or what was saved is not what is in memory.
        Stopped: a signal asked the run to leave, and what it goes on from is saved.
    """
    began = time.monotonic()
    folder = Path(arguments.training.output_dir)
    identity = run_identity(arguments, cast.fingerprint, arguments.training.world_size)
    if _agreed(is_done, folder, identity, commit()):
        tell(f"{folder} holds this very run already; remove it to train anew")
        return
    with _alone_in(folder), telling_a_full_disk(folder, is_main=PartialState().is_main_process):
        changed = _changes_allowed(folder, identity, force=arguments.character.resume == "force")
        for name in _agreed(remove_broken, folder):
            tell(f"{name} was not written to the end, and is removed")
        material = prepare_material(arguments.character, arguments.training, cast, tokenizer)
        _tell_material(material, arguments.training, tell)

        outlook = _look_ahead(arguments, material, tell)

        checkpoint = _agreed(prepare_folder, folder, identity)
        arguments.training.eval_on_start &= checkpoint is None
        trainer = build_trainer(arguments, material, tokenizer, tell)
        leave = _add_callbacks(trainer, arguments, cast, folder, tell)
        if checkpoint:
            _go_on(trainer, checkpoint, changed, tell)
        with leaving_on_signals(leave), _advising(trainer, outlook):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

        figures = {
            "seconds": round(time.monotonic() - began, 1),
            "memory": {"estimated": outlook.memory.total, "peak": peak_memory()},
        }
        _save(trainer, arguments, cast, material, recipe=recipe, figures=figures, tell=tell)


def _look_ahead(arguments: RunArguments, material: Material, tell: Callable[[str], None]) -> Preflight:
    """What the run needs; what may go wrong is said, and what surely would ends it, on all processes alike.

    Raises:
        UnderstudyError: something would end the run.
    """
    choose_dtype(arguments, tell)
    outlook = preflight(arguments, material, launch_of(arguments.training), bf16=arguments.training.bf16)
    for finding in outlook.findings:
        if not finding.fatal:
            tell(str(finding))
    fatal = _agreed(lambda: [finding for finding in outlook.findings if finding.fatal])
    if fatal:
        more = "".join(f"\n{finding}" for finding in fatal[1:])
        raise UnderstudyError(fatal[0].where, fatal[0].what, fix=f"{fatal[0].fix}{more}")
    tell(f"memory: about {gib(outlook.memory.total)} a process")
    return outlook


@contextmanager
def _advising(trainer: UnderstudyTrainer, outlook: Preflight) -> Iterator[None]:
    """A step that runs out of memory ends in the setting to turn, instead of a traceback."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        raise UnderstudyError(
            f"step {trainer.state.global_step + 1}",
            f"ran out of memory ({str(error).strip().splitlines()[0]})",
            fix=outlook.smaller(),
        ) from error


def _changes_allowed(folder: Path, identity: dict[str, Any], *, force: bool) -> list[str]:
    """In what this run differs from the one whose checkpoints lie in the folder, in words.

    Raises:
        UnderstudyError: it must not, or not without force.
    """
    before = _agreed(identity_before, folder)
    if before is None or before == identity:
        return []
    told = changes(before, identity)
    refusal = why_not_go_on(before, identity)
    if _agreed((folder / RUN_FILE).exists):
        refusal = f"holds another run, which differs in {', '.join(told[:8])}", "name another output_dir, or remove it"
    if refusal is None and not force:
        refusal = (
            f"holds another run, which differs in {', '.join(told[:8])}",
            "change it back, add `--resume force` to go on with its checkpoints all the same, or name another "
            "output_dir",
        )
    if refusal:
        raise UnderstudyError(folder, refusal[0], fix=refusal[1])
    return told


def _go_on(trainer: UnderstudyTrainer, checkpoint: Path, changed: list[str], tell: Callable[[str], None]) -> None:
    """The trainer counts on from the checkpoint; what that means is told."""
    tell(f"going on from {checkpoint}")
    if changed:
        tell(
            f"by force, with other {', '.join(changed)}: the same rows a step in the same order, and the optimizer's "
            "state; equal to the run as it was but for rounding, and for dropout, whose random numbers are others"
        )
    trainer.go_on_from(checkpoint, _agreed(read_json, checkpoint / WHOLE_FILE))
    trainer.resumed.append({"from": checkpoint.name, "changed": changed})


def _save(
    trainer: UnderstudyTrainer,
    arguments: RunArguments,
    cast: Cast,
    material: Material,
    *,
    recipe: str,
    figures: dict[str, Any],
    tell: Callable[[str], None],
) -> None:
    """The run's folder holds all of it; `run.json` is written last, so that its presence means that all is there."""
    folder = Path(arguments.training.output_dir)
    realised = trainer.exposures()
    if trainer.state.global_step < trainer.state.max_steps:
        tell(f"stopped early, after step {trainer.state.global_step} of {trainer.state.max_steps}")
        material = material.until(trainer.state.global_step, rows_a_step(arguments.training))
    trainer.save_model(str(folder))
    if pickled := _agreed(only_safetensors, folder):
        raise pickled
    trainer.check_saved(folder)
    if trainer.is_world_process_zero():
        save_personas(list(cast.personas.values()), folder, template=str(trainer.processing_class.chat_template))
        rows, owners = material.rows, material.owners
        write_exposures(folder, rows.record_ids, rows.kinds, material.planned, realised, owners=owners)
        ledger = material.ledger(realised)
        description = {
            "recipe": recipe,
            "model": arguments.model.model_name_or_path,
            "commit": commit(),
            "versions": versions(),
            "arguments": resolved(arguments),
            "ledger": ledger,
            "overlong": {"rejected": dict(material.rows.rejected), "shortened": dict(material.rows.shortened)},
            "held_out": [record.record_id for record in material.held_out],
            "rows": int(realised.sum()),
            "steps": trainer.state.global_step,
            "resumed": trainer.resumed,
            **figures,
            "world_size": trainer.args.world_size,
            "engine": trainer.accelerator.distributed_type.value,
            "device": trainer.accelerator.device.type,
            "data": {"records": len(cast.records), "fingerprint": cast.fingerprint},
        }
        write_json(folder / RUN_FILE, description)
        sync_folder(folder)
        remove_checkpoints(folder)
        tell(format_ledger(ledger))
        tell(agreement(material.planned, realised))
    trainer.accelerator.wait_for_everyone()


def _tell_material(material: Material, training: SFTConfig, tell: Callable[[str], None]) -> None:
    """What the run will see, before its first step."""
    rows, plan = material.rows, material.plan
    tell(f"proven: in each of {len(rows.dataset)} rows the loss sees the reply and its end-of-turn token, and no more")
    if rows.rejected or rows.shortened:
        tell(
            f"over max_length {training.max_length}: {sum(rows.rejected.values())} rows left out, "
            f"{sum(rows.shortened.values())} given less history; run.json names their records"
        )
    if material.held_out:
        tell(f"held out and watched: {len(material.held_out)} lines of scenes that are not trained on")
    steps = rows_a_step(training)
    if plan.epoch_length > PADDED_EPOCH * material.wanted:
        tell(f"an epoch of {material.wanted:.0f} rows was made {plan.epoch_length}, to fill whole steps of {steps}")
    length = f"{training.max_steps} steps" if training.max_steps > 0 else f"{training.num_train_epochs:g} epochs"
    tell(f"the mixture of {length}, an epoch being {plan.epoch_length} rows:")
    tell(format_ledger(material.ledger()))


def build_trainer(
    arguments: RunArguments,
    material: Material,
    tokenizer: PreTrainedTokenizerBase,
    tell: Callable[[str], None],
) -> UnderstudyTrainer:
    """The trainer of a run, its model loaded and, for LoRA, wrapped."""
    model_arguments, training = arguments.model, arguments.training
    if material.watched is None:
        training.eval_strategy, training.eval_on_start = IntervalStrategy.NO, False
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
        train_dataset=material.rows.dataset,
        eval_dataset=material.watched.dataset if material.watched else None,
        processing_class=tokenizer,
        data_collator=PrefixTreeCollator()
        if batching == "prefix_tree"
        else PaddedCollator(int(tokenizer.pad_token_id)),
        peft_config=get_peft_config(model_arguments),
        plan=material.plan,
        variants=material.rows.variants,
        deal=_deal(material, training) if batching == "prefix_tree" else None,
        owners=material.owners,
        watched_owners=material.watched_owners,
    )
    if trainer.accelerator.device.type == "cpu" and trainer.accelerator.distributed_type in WHOLE_PARAMETERS:
        fuse_lora(trainer.model)
        fuse_blocks(trainer.model)
        trainer.head = tile_head(trainer.model)
    if not training.disable_tqdm:
        trainer.remove_callback(ProgressCallback)
        trainer.add_callback(ReadableProgress())
    return trainer


def _deal(material: Material, training: SFTConfig) -> Callable[[Ints], Ints]:
    """Deals a step's rows out to the micro-batches of all processes. A padded one is as long as its longest row."""
    return functools.partial(
        deal_rows,
        lengths=token_lengths(material.rows.dataset),
        rows_a_step=rows_a_step(training),
        rows_a_batch=training.per_device_train_batch_size,
    )


def choose_dtype(arguments: RunArguments, tell: Callable[[str], None]) -> None:
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


def _add_callbacks(
    trainer: UnderstudyTrainer,
    arguments: RunArguments,
    cast: Cast,
    folder: Path,
    tell: Callable[[str], None],
) -> LeaveCallback:
    """What watches the run is added to the trainer; what leaves when asked to is returned."""
    log_file = LogFile(folder)
    trainer.add_callback(log_file)
    if probes := probed(cast, arguments.character.recall_items):
        small = [
            (cast.personas[name], with_distractors(of_one, SMALL_RECALL_DISTRACTORS)) for name, of_one in probes.items()
        ]
        trainer.add_callback(RecallCallback(small, log_file, tell))
    if arguments.character.early_stopping:  # after the recall, whose figures it may go by
        trainer.add_callback(EarlyStoppingCallback(arguments.character.early_stopping))
    leave = LeaveCallback(tell, is_main=trainer.is_world_process_zero())
    trainer.add_callback(leave)
    if arguments.training.world_size > 1:  # last: it goes by what the others have asked for
        trainer.add_callback(StepDeadline(arguments.training.ddp_timeout))
    return leave


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other run writes into the folder meanwhile, such as the processes that a killed launcher left behind.

    Raises:
        UnderstudyError: another one does.
    """
    lock = FileLock(folder / LOCK_FILE)
    if not _agreed(take, lock):
        raise UnderstudyError(
            folder,
            "is being trained in by another process",
            fix="wait for it, or end it: a launcher that was killed leaves its processes (pipeline.train) behind",
        )
    try:
        yield
    finally:
        if PartialState().is_main_process:
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _agreed(find: Callable[..., Found], *arguments: Any) -> Found:
    """What the main process finds in the folder, told to the others, which may not see it."""
    found: list[Any] = [find(*arguments) if PartialState().is_main_process else None]
    told: Found = broadcast_object_list(found)[0]
    return told
