"""A run's arguments and rows as the plain values that `capacity` forecasts from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers.trainer_utils import SaveStrategy
from trl import SFTConfig, get_peft_config

from pipeline.capacity.findings import Finding, gib
from pipeline.capacity.forecast import (
    Forecast,
    ModelSource,
    Output,
    RowOrder,
    forecast,
    format_forecast,
    is_out_of_memory,
)
from pipeline.capacity.launch import Launch, launch_of, read_launch
from pipeline.capacity.packages import check_packages, lacks_attention
from pipeline.capacity.settings import Setting
from pipeline.distributed.engines import SHARDED_WEIGHTS, from_main_process
from pipeline.errors import UnderstudyError
from pipeline.recipe import value_of
from pipeline.terminal import print_line
from pipeline.tokens.row_set import token_lengths
from pipeline.training.arguments import ON_A_CPU, RunArguments, parse_run
from pipeline.training.characters import load_characters
from pipeline.training.data import TrainingData, prepare_data, rows_per_step, total_steps
from pipeline.training.defaults import with_fastest_dtype, with_learning_rate

if TYPE_CHECKING:
    from pipeline.training.trainer import UnderstudyTrainer

EPOCHS_LOOKED_AT = 3


def forecast_run(
    arguments: RunArguments,
    data: TrainingData,
    launch: Launch,
    *,
    bf16: bool,
    device_memory: float | None = None,
) -> Forecast:
    """What a run needs under a launch, and the reasons to refuse it; see `forecast`."""
    training, model = arguments.training, arguments.model
    a_step = rows_per_step(training, launch.processes)
    setting = Setting(
        rows=training.per_device_train_batch_size,
        accumulation=training.gradient_accumulation_steps,
        checkpointing=bool(training.gradient_checkpointing),
        engine=launch.engine,
        lora=model.use_peft,
        four_bits=model.load_in_4bit,
    )
    source = ModelSource(
        name=str(model.model_name_or_path),
        dtype=model.dtype,
        lora=get_peft_config(replace(model, use_peft=True)),
        quantized=bool(model.load_in_4bit or model.load_in_8bit),
        revision=model.model_revision,
        trust_remote_code=training.trust_remote_code,
        attn_implementation=None if lacks_attention(model.attn_implementation) else model.attn_implementation,
    )
    steps = total_steps(training, data.plan, a_step)
    found = forecast(
        setting,
        launch,
        source,
        _first_rows(data, steps * a_step, a_step),
        Output(Path(training.output_dir), kept_checkpoints(training, steps)),
        padded=arguments.character.batching == "padded",
        bf16=bf16,
        device_memory=device_memory,
    )
    return replace(found, findings=(*found.findings, *_checks(arguments, launch, here=device_memory is None)))


def _checks(arguments: RunArguments, launch: Launch, *, here: bool) -> Iterator[Finding]:
    """What packages the recipe needs, and whether its engine can average the weights."""
    yield from check_packages(arguments.training, arguments.model.attn_implementation, here=here)
    if arguments.character.averages_weights and launch.engine in SHARDED_WEIGHTS:
        what = f"averages whole weights, of which each process has a part under {launch.engine}"
        yield Finding("recipe key 'swa_start'", what, "set `swa_start: 1`, or launch with ddp.yaml or zero2.yaml")


def refuse_hopeless(arguments: RunArguments, data: TrainingData, log: Callable[[str], None]) -> Forecast:
    """What the run needs; what may go wrong is logged, and what surely would ends it, on all processes alike.

    Raises:
        UnderstudyError: something would end the run.
    """
    found = forecast_run(arguments, data, launch_of(arguments.training), bf16=arguments.training.bf16)
    for finding in found.findings:
        if not finding.fatal:
            log(str(finding))
    fatal = from_main_process(lambda: [finding for finding in found.findings if finding.fatal])
    if fatal:
        more = "".join(f"\n{finding}" for finding in fatal[1:])
        raise UnderstudyError(fatal[0].where, fatal[0].what, fix=f"{fatal[0].fix}{more}")
    log(f"memory: about {gib(found.memory.total)} a process")
    return found


@contextmanager
def advise_out_of_memory(trainer: UnderstudyTrainer, found: Forecast) -> Iterator[None]:
    """Out-of-memory errors within the block name the setting to change, instead of a traceback."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UnderstudyError(
            f"step {trainer.state.global_step + 1}",
            f"ran out of memory ({str(error).strip().splitlines()[0]})",
            fix=found.smaller(),
        ) from error


def preflight_recipe(
    recipe: Path, overrides: list[str], *, accelerate: Path | None, device_memory: float | None
) -> bool:
    """Print what the recipe's run needs and the reasons to refuse it; returns whether there are none.

    `accelerate` is the configuration it will be launched under, `device_memory` GiB of devices that are not here.
    """
    gpus = torch.cuda.device_count()
    # Only the tokenizer is needed, so a recipe for GPUs can be checked without one.
    run = parse_run(recipe, overrides if gpus else [*ON_A_CPU, *overrides])
    launch = read_launch(accelerate, gpus=gpus) if accelerate else launch_of(run.training)
    characters, tokenizer = load_characters(run, print_line, looks_only=True)
    data = prepare_data(run, characters, tokenizer, processes=launch.processes)
    run = with_learning_rate(run, print_line)
    said = {key: str(value_of(recipe, overrides, key)).lower() for key in ("bf16", "fp16")}
    bf16 = said["bf16"] == "true" or (launch.on_gpu and said["bf16"] == "none" and said["fp16"] != "true")
    run = with_fastest_dtype(run, print_line, on_gpu=launch.on_gpu, bf16=bf16)
    found = forecast_run(run, data, launch, bf16=bf16, device_memory=device_memory)
    print_line(format_forecast(found, launch, rows=len(data.rows.dataset)))
    return not any(finding.fatal for finding in found.findings)


def _first_rows(data: TrainingData, left: int, rows_per_step: int) -> RowOrder:
    """The rows of the first epochs, of the `left` that the run takes in all."""
    epochs = []
    for epoch in range(min(EPOCHS_LOOKED_AT, math.ceil(left / data.plan.epoch_length))):
        order = data.plan.rows(epoch, data.rows.variants)[:left]
        epochs.append(order)
        left -= len(order)
    return RowOrder(data.rows.dataset, token_lengths(data.rows.dataset), epochs, rows_per_step)


def kept_checkpoints(training: SFTConfig, steps: int) -> int:
    """How many checkpoints a run of so many steps keeps at a time."""
    saves: int = {
        SaveStrategy.NO: 0,
        SaveStrategy.STEPS: steps // max(1, int(training.save_steps)),
        SaveStrategy.EPOCH: math.ceil(training.num_train_epochs),
    }.get(SaveStrategy(training.save_strategy), 1)
    return min(saves, int(training.save_total_limit or saves))
