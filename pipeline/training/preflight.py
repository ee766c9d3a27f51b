"""What a run needs and what speaks against it, before its model is loaded."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import torch
from huggingface_hub import try_to_load_from_cache
from transformers.trainer_utils import SaveStrategy
from trl import SFTConfig, get_peft_config

from pipeline.mixture.dealing import deal_rows
from pipeline.models.load import load_config, resolve_model
from pipeline.models.locate import EMBEDDED, is_local
from pipeline.training import checks
from pipeline.training.arguments import RunArguments
from pipeline.training.checks import Finding, Launch, Need, Room, Setting
from pipeline.training.identity import engine_of
from pipeline.training.material import Material, rows_a_step, steps_of
from pipeline.training.memory import (
    ZERO2,
    ZERO3,
    Memory,
    MicroBatch,
    ModelShape,
    Placement,
    estimate,
    largest_batches,
    model_shape,
)
from pipeline.training.rows import token_lengths

EPOCHS_LOOKED_AT = 3
AFTER_RUNNING_OUT = 0.75  # of what a run that ran out was thought to add to its libraries: the next one is to fit
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a run needs a process, in bytes, and what was found against it; `room` is None where it is not known."""

    shape: ModelShape
    batch: MicroBatch
    memory: Memory
    room: Room | None
    checkpoint: int
    findings: tuple[Finding, ...]
    smaller: Callable[[], str]  # the nearest setting to try should memory run out all the same


def launch_of(training: SFTConfig) -> Launch:
    """How this process was launched."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", training.world_size))
    return Launch(engine_of(training), training.world_size, here, training.device.type == "cuda")


def preflight(
    arguments: RunArguments, material: Material, launch: Launch, *, bf16: bool, device_memory: float | None = None
) -> Preflight:
    """Everything that can be said of a run before its model is loaded.

    `bf16`: whether the recipe trains in bfloat16; `device_memory`: GiB of the devices, if they are not here.
    """
    gpus = torch.cuda.device_count()
    room = checks.room_of(launch, given=device_memory, gpus=gpus)
    training, model = arguments.training, arguments.model
    setting = Setting(
        rows=training.per_device_train_batch_size,
        accumulation=training.gradient_accumulation_steps,
        checkpointing=bool(training.gradient_checkpointing),
        engine=launch.engine,
        lora=model.use_peft,
        four_bits=model.load_in_4bit,
    )
    shape = shape_of(arguments, setting)
    batches = functools.cache(functools.partial(batches_of, arguments, material, launch))
    need = need_of(arguments, launch, batches, bf16=bf16, libraries=psutil.Process().memory_info().rss)
    wanted = need(setting)
    state = shape.trained * shape.trained_bytes
    checkpoint = 3 * state
    bf16_works = bool(gpus) and torch.cuda.is_bf16_supported()
    findings = [
        *checks.versions(checks.extras(launch, model)),
        *checks.devices(launch, gpus=gpus if device_memory is None else launch.on_each_machine, bf16=bf16,
                        bf16_works=bf16_works or device_memory is not None),
        *(checks.weight_files(folder) if (folder := model_folder(str(model.model_name_or_path))) else ()),
        *checks.disk(
            Path(training.output_dir), checkpoint=checkpoint, kept=kept_checkpoints(training, material), final=state
        ),
        *checks.memory(need, setting, room, launch=launch),
    ]  # fmt: skip
    added = wanted.total - wanted.libraries
    lower = wanted.libraries + int(AFTER_RUNNING_OUT * added)
    smaller = functools.partial(checks.nearest, need, setting, lower, launch)
    batch = max(batches(setting.rows, tree=_tree(arguments, shape)), key=lambda one: one.tokens)
    return Preflight(shape, batch, wanted, room, checkpoint, tuple(findings), smaller)


def need_of(
    arguments: RunArguments, launch: Launch, batches: Callable[..., list[MicroBatch]], *, bf16: bool, libraries: int
) -> Need:
    """What a process needs under any setting of this run; `bf16` as for `preflight`, `batches` is its `batches_of`."""

    @functools.cache
    def need(setting: Setting) -> Memory:
        shape = shape_of(arguments, setting)
        tree = _tree(arguments, shape)
        autocast = bf16 and setting.engine not in {ZERO2, ZERO3}  # which convert by themselves
        placement = Placement(setting.engine, launch.processes, launch.on_gpu, tree, setting.checkpointing, autocast)
        return estimate(shape, batches(setting.rows, tree=tree), placement, libraries=libraries)

    return need


def shape_of(arguments: RunArguments, setting: Setting) -> ModelShape:
    """The model's shape as the setting has it trained."""
    model, trust = arguments.model, arguments.training.trust_remote_code
    config = load_config(str(model.model_name_or_path), revision=model.model_revision, trust_remote_code=trust)
    named = config.dtype if model.dtype == "auto" else model.dtype
    dtype = named if isinstance(named, torch.dtype) else getattr(torch, str(named or "float32"))
    return model_shape(
        config,
        dtype=dtype,
        peft_config=get_peft_config(replace(model, use_peft=setting.lora)),
        four_bits=setting.four_bits,
        engine=setting.engine,
        trust_remote_code=trust,
        attn_implementation=model.attn_implementation,
    )


def batches_of(
    arguments: RunArguments, material: Material, launch: Launch, rows: int, *, tree: bool
) -> list[MicroBatch]:
    """The heaviest micro-batches of the run's first epochs: as trees, in the order in which they are dealt out."""
    here = rows_a_step(arguments.training)
    step = here // arguments.training.world_size * launch.processes  # the launch asked about may not be this one
    left = steps_of(arguments.training, material.plan) * here
    lengths = token_lengths(material.rows.dataset)
    orders = []
    for epoch in range(min(EPOCHS_LOOKED_AT, math.ceil(left / material.plan.epoch_length))):
        order = material.plan.rows(epoch, material.rows.variants)[:left]
        orders.append(deal_rows(order, lengths, rows_a_step=step, rows_a_batch=rows) if tree else order)
        left -= len(orders[-1])
    return largest_batches(material.rows.dataset, lengths, orders, rows=rows, tree=tree)


def _tree(arguments: RunArguments, shape: ModelShape) -> bool:
    return arguments.character.batching != "padded" and shape.why_no_tree is None


def model_folder(model: str) -> Path | None:
    """Where the model's files lie on this machine; None if they do not yet."""
    if model == EMBEDDED or is_local(model):
        return Path(resolve_model(model))
    config = try_to_load_from_cache(model, "config.json")
    return Path(config).parent if isinstance(config, str) else None


def kept_checkpoints(training: SFTConfig, material: Material) -> int:
    """How many checkpoints the run keeps at a time."""
    steps = steps_of(training, material.plan)
    saves: int = {
        SaveStrategy.NO: 0,
        SaveStrategy.STEPS: steps // max(1, int(training.save_steps)),
        SaveStrategy.EPOCH: math.ceil(training.num_train_epochs),
    }.get(SaveStrategy(training.save_strategy), 1)
    return min(saves, int(training.save_total_limit or saves))


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or a CPU."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)
    )
