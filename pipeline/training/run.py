"""One training run, from a recipe's arguments to a folder that holds all of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import EarlyStoppingCallback, PreTrainedTokenizerBase
from trl import SFTConfig

from pipeline.atomic_io import read_json, share_alike, write_text
from pipeline.capacity.memory import peak_memory
from pipeline.conversations.persona import save_personas
from pipeline.distributed.deadlines import StepDeadline
from pipeline.distributed.engines import engine_of, from_main_process
from pipeline.distributed.signals import StopOnSignalCallback, handling_signals
from pipeline.evaluation.labels import kind_label
from pipeline.evaluation.probes.probe import with_distractors
from pipeline.mixture.ledger import format_agreement, format_ledger
from pipeline.models.digest import base_digest
from pipeline.models.run_card import CARD_FILE, run_card
from pipeline.runs.checkpoints import remove_checkpoints, remove_incomplete, sync_folder
from pipeline.runs.files import COMPLETE_FILE, RUN_FILE
from pipeline.runs.folder import check_changes, exclusive, explain_full_disk, is_done, prepare_folder
from pipeline.runs.identity import run_identity
from pipeline.runs.ledger import write_exposures
from pipeline.runs.read_back import only_safetensors
from pipeline.runs.run_file import commit, versions, write_run
from pipeline.tokens.template import trained_end
from pipeline.training.arguments import RunArguments, resolved
from pipeline.training.builder import build_trainer
from pipeline.training.callbacks.clock import Outlook, RunClock, until
from pipeline.training.callbacks.logs import LogFile
from pipeline.training.callbacks.recall import RecallCallback
from pipeline.training.characters import Characters, sample_probes_by_character
from pipeline.training.data import TrainingData, prepare_data, rows_per_step
from pipeline.training.defaults import with_fastest_dtype
from pipeline.training.outlook import advise_out_of_memory, refuse_hopeless
from pipeline.training.trainer import UnderstudyTrainer

# Distractors of each probe in the recall that runs while training, few, so that it stays quick.
CALLBACK_DISTRACTORS = 3
MAX_NAMED = 5  # records in a log line
LONGER_EPOCH = 1.1  # an epoch that rounding to full steps makes longer than this by a factor is logged


def train(
    arguments: RunArguments,
    characters: Characters,
    tokenizer: PreTrainedTokenizerBase,
    *,
    recipe: str,
    log: Callable[[str], None],
    tell: Callable[[Outlook], None] | None = None,
    began: float | None = None,
) -> None:
    """Train, and save adapter or model, tokenizer, `persona.json` and, last, `run.json`.

    An interrupted run resumes from its last complete checkpoint when it is started again unchanged, or with
    `resume: force` on other processes; a finished one is left as it is. `log` is given what the user should read, on
    the main process only; `tell`, after the first steps, how long the rest takes, which is logged by default. `began`
    is when the command did, by `time.monotonic()`: what it took until now counts as the run's.

    Raises:
        UnderstudyError: the folder is another run's, the disk is full, or what was saved is not what is in memory.
        Stopped: a signal stopped the run, and the checkpoint that it resumes from is saved.
    """
    folder = Path(arguments.training.output_dir)
    # Of the recipe's own arguments: not of the precision that this machine computes fastest in.
    identity = run_identity(
        resolved(arguments),
        data_fingerprint=characters.fingerprint,
        processes=arguments.training.world_size,
        engine=engine_of(arguments.training),
    )
    if from_main_process(is_done, folder, identity, commit()):
        log(f"{folder} holds this very run, finished; remove it to train it again")
        return
    with exclusive(folder), explain_full_disk(folder, is_main=PartialState().is_main_process):
        _train_into(folder, identity, arguments, characters, tokenizer, recipe=recipe, log=log, tell=tell, began=began)


def _train_into(
    folder: Path,
    identity: Mapping[str, Any],
    arguments: RunArguments,
    characters: Characters,
    tokenizer: PreTrainedTokenizerBase,
    *,
    recipe: str,
    log: Callable[[str], None],
    tell: Callable[[Outlook], None] | None,
    began: float | None,
) -> None:
    """Train from the folder's last complete checkpoint, or from the beginning, and save."""
    began = time.monotonic() if began is None else began
    changed = check_changes(folder, identity, force=arguments.character.resume == "force")
    for name in from_main_process(remove_incomplete, folder):
        log(f"{name} is incomplete, and is removed")
    data = prepare_data(arguments, characters, tokenizer)
    _log_data(data, arguments.training, log)
    training = arguments.training
    arguments = with_fastest_dtype(arguments, log, on_gpu=training.device.type != "cpu", bf16=training.bf16)
    forecast = refuse_hopeless(arguments, data, log)
    checkpoint = from_main_process(prepare_folder, folder, identity)
    trainer = build_trainer(arguments, data, tokenizer, log)
    recall, stop_on_signal = _add_callbacks(trainer, arguments, characters, log)
    clock = RunClock(began, tell or (lambda outlook: log(f"the remaining steps: {until(outlook.training)}")), recall)
    trainer.add_callback(clock)
    digest = from_main_process(_base_digest, arguments)  # before training: an unreadable base must not cost a run
    if checkpoint:
        _resume(trainer, checkpoint, changed, log)
    with handling_signals(stop_on_signal), advise_out_of_memory(trainer, forecast):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    memory = {"estimated": forecast.memory.total, "peak": peak_memory()}
    figures = {"base_digest": digest, "recipe": recipe, "memory": memory}
    _save(trainer, arguments, characters, data, figures=figures, clock=clock, log=log)
    log(f"trained in {clock.in_words()}")


def _base_digest(arguments: RunArguments) -> str:
    return base_digest(arguments.model.model_name_or_path, revision=arguments.model.model_revision)


def _log_data(data: TrainingData, training: SFTConfig, log: Callable[[str], None]) -> None:
    """What the run will see, before its first step."""
    rows, plan = data.rows, data.plan
    log(f"proven: in each of {len(rows.dataset)} rows the loss sees the reply and its end-of-turn token, and no more")
    if rows.rejected or rows.shortened:
        log(
            f"over max_length {training.max_length}: {sum(rows.rejected.values())} rows left out, "
            f"{sum(rows.shortened.values())} given less history; {RUN_FILE} names their records"
        )
    if rows.control_words:
        named = ", ".join(f"{record} ({word})" for record, word in list(rows.control_words.items())[:MAX_NAMED])
        log(f"left out: {len(rows.control_words)} records whose text holds a control token of the tokenizer: {named}")
    for name, lessons in data.lessons.items():
        if lessons.reason:
            log(f"{name}: {lessons.reason}" if len(data.lessons) > 1 else lessons.reason)
    if data.held_out:
        log(f"held out and watched: {len(data.held_out)} lines of scenes that are not trained on")
    steps = rows_per_step(training)
    if plan.epoch_length > LONGER_EPOCH * data.unrounded_epoch:
        log(f"an epoch of {data.unrounded_epoch:.0f} rows was made {plan.epoch_length}, to fill steps of {steps}")
    length = f"{training.max_steps} steps" if training.max_steps > 0 else f"{training.num_train_epochs:g} epochs"
    log(f"the mixture of {length}, an epoch being {plan.epoch_length} rows:")
    log(format_ledger(data.ledger()))
    if weighed := {kind: weight for kind, weight in data.loss_weights.items() if weight != 1 and kind in rows.kinds}:
        named = ", ".join(f"{kind} {weight:g}" for kind, weight in weighed.items())
        log(f"weight of a token in the loss (of a settings question {data.loss_weights['setting_qa']:g}): {named}")


def _add_callbacks(
    trainer: UnderstudyTrainer, arguments: RunArguments, characters: Characters, log: Callable[[str], None]
) -> tuple[RecallCallback | None, StopOnSignalCallback]:
    """Add the run's callbacks to the trainer; returned are the one that measures recall, and the one that stops it."""
    log_file = LogFile(Path(arguments.training.output_dir))
    trainer.add_callback(log_file)
    recall = None
    if probes := sample_probes_by_character(characters, arguments.character.recall_items):
        small = [
            (characters.personas[name], with_distractors(of_one, CALLBACK_DISTRACTORS))
            for name, of_one in probes.items()
        ]
        recall = RecallCallback(small, log_file, log)
        trainer.add_callback(recall)
    if arguments.character.early_stopping:  # after the recall, whose metrics it may use
        trainer.add_callback(EarlyStoppingCallback(arguments.character.early_stopping))
    stop_on_signal = StopOnSignalCallback(log, is_main=trainer.is_world_process_zero())
    trainer.add_callback(stop_on_signal)
    if arguments.training.world_size > 1:  # last: it reads what the others have set in `control`
        trainer.add_callback(StepDeadline(arguments.training.ddp_timeout))
    return recall, stop_on_signal


def _resume(trainer: UnderstudyTrainer, checkpoint: Path, changed: list[str], log: Callable[[str], None]) -> None:
    """The trainer's counts continue from the checkpoint; what that means is logged."""
    log(f"resuming from {checkpoint}")
    if changed:
        log(
            f"forced, with other {', '.join(changed)}: the same rows a step in the same order, and the optimizer's "
            "state; the result differs from the uninterrupted run's by rounding, and by dropout's random numbers"
        )
    trainer.resume_counts(checkpoint, from_main_process(read_json, checkpoint / COMPLETE_FILE))
    trainer.resumed.append({"from": checkpoint.name, "changed": changed})


def _save(
    trainer: UnderstudyTrainer,
    arguments: RunArguments,
    characters: Characters,
    data: TrainingData,
    *,
    figures: dict[str, Any],
    clock: RunClock,
    log: Callable[[str], None],
) -> None:
    """The run's folder holds all of it; `run.json` is written last, so that its presence means that all is there."""
    folder = Path(arguments.training.output_dir)
    realised = trainer.exposures()
    if trainer.state.global_step < trainer.state.max_steps:
        log(f"stopped early, after step {trainer.state.global_step} of {trainer.state.max_steps}")
        data = data.until(trainer.state.global_step, rows_per_step(arguments.training))
    trainer.save_model(str(folder))
    if pickled := from_main_process(only_safetensors, folder):
        raise pickled
    trainer.check_saved(folder)
    if trainer.is_world_process_zero():
        save_personas(list(characters.personas.values()), folder, template=str(trainer.processing_class.chat_template))
        rows = data.rows
        write_exposures(folder, rows.record_ids, rows.kinds, data.planned, realised, owners=data.owners)
        description = _describe(trainer, arguments, characters, data)
        ledger = data.ledger(realised)
        clock.mark("saving")
        figures |= {"seconds": round(sum(clock.seconds.values()), 1), "seconds_of": clock.rounded()}
        run = description | {"ledger": ledger, "rows": int(realised.sum())} | figures
        end = trained_end(trainer.processing_class)
        write_text(folder / CARD_FILE, run_card(run, tuple(characters.personas.values()), end=end, label=kind_label))
        share_alike(folder, folder / CARD_FILE)
        write_run(folder, run)
        sync_folder(folder)
        remove_checkpoints(folder)
        log(format_ledger(ledger))
        log(format_agreement(data.planned, realised))
    trainer.accelerator.wait_for_everyone()


def _describe(
    trainer: UnderstudyTrainer, arguments: RunArguments, characters: Characters, data: TrainingData
) -> dict[str, Any]:
    """What `run.json` says of the run, but for its cost and its exposures."""
    return {
        "model": arguments.model.model_name_or_path,
        "commit": commit(),
        "versions": versions(),
        "arguments": resolved(arguments),
        "overlong": {"rejected": dict(data.rows.rejected), "shortened": dict(data.rows.shortened)},
        "held_out": [record.record_id for record in data.held_out],
        "steps": trainer.state.global_step,
        "resumed": trainer.resumed,
        "world_size": trainer.args.world_size,
        "engine": trainer.accelerator.distributed_type.value,
        "device": trainer.accelerator.device.type,
        "data": {"records": len(characters.records), "fingerprint": characters.fingerprint, "read": characters.read},
    }
