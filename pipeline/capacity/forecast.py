"""What a run will need, and the reasons to refuse it, before its model is loaded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch
from huggingface_hub import try_to_load_from_cache

from pipeline.capacity import checks
from pipeline.capacity.findings import Finding, gib
from pipeline.capacity.launch import Launch
from pipeline.capacity.memory import Memory, StepExecution, estimate
from pipeline.capacity.micro_batches import MicroBatch, largest_batches
from pipeline.capacity.settings import Need, Room, Setting, check_memory, nearest_fitting, room_of
from pipeline.capacity.shape import ModelShape, model_shape
from pipeline.distributed.engines import ZERO2, ZERO3
from pipeline.mixture.dealing import deal_rows
from pipeline.models.load import load_config, resolve_model
from pipeline.models.locate import EMBEDDED, is_local

if TYPE_CHECKING:
    from datasets import Dataset

    from pipeline.mixture.plan import Ints

AFTER_RUNNING_OUT = 0.75  # of what a run that ran out was thought to add to its libraries: the next one is to fit
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """The model of a run, as `from_config` takes it: `lora` is the peft configuration that LoRA would have.

    `dtype` is torch's name of the base's precision, or `auto` for the checkpoint's own.
    """

    name: str
    dtype: str | None
    lora: Any
    quantized: bool = False
    revision: str = "main"
    trust_remote_code: bool = False
    attn_implementation: str | None = None


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The rows of a run as they will be trained on: `lengths[i]` are the tokens of row i of `dataset`.

    `epochs` are the row numbers of the first epochs, cut where the run ends; a step takes `rows_per_step` of them.
    """

    dataset: Dataset
    lengths: Ints
    epochs: Sequence[Ints]
    rows_per_step: int


@dataclass(frozen=True, slots=True)
class Output:
    """Where a run saves, and how many checkpoints it keeps at a time."""

    folder: Path
    checkpoints: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What each process of a run needs, in bytes, and what was found against it; `room` is None if not known."""

    shape: ModelShape
    batch: MicroBatch
    memory: Memory
    room: Room | None
    checkpoint: int
    findings: tuple[Finding, ...]
    smaller: Callable[[], str] = field(repr=False)  # the nearest setting to try should memory run out all the same


def forecast(
    setting: Setting,
    launch: Launch,
    model: ModelSource,
    rows: RowOrder,
    output: Output,
    *,
    padded: bool,
    bf16: bool,
    device_memory: float | None = None,
) -> Forecast:
    """Everything that can be said of a run before its model is loaded.

    `padded`: whether the recipe rules prefix trees out; `bf16`: whether it trains in bfloat16; `device_memory`: GiB of
    the devices, if they are not here.
    """
    shape = functools.cache(functools.partial(_shape_under, model))
    batches = functools.cache(functools.partial(_batches_under, rows))
    libraries = psutil.Process().memory_info().rss
    need = need_of(shape, batches, launch, padded=padded, bf16=bf16, libraries=libraries)
    room = room_of(launch, given=device_memory, gpus=torch.cuda.device_count())
    memory, own = need(setting), shape(setting)
    state = own.trained * own.trained_bytes
    checkpoint = 3 * state  # weights, and two numbers of the optimizer for each
    found = [
        *_check_machine(launch, model, bf16=bf16, elsewhere=device_memory is not None),
        *checks.check_disk(output.folder, checkpoint=checkpoint, kept=output.checkpoints, final=state),
        *check_memory(need, setting, room, launch=launch),
    ]
    lower = memory.libraries + int(AFTER_RUNNING_OUT * (memory.total - memory.libraries))
    smaller = functools.partial(nearest_fitting, need, setting, lower, launch)
    heaviest = max(batches(setting.rows, tree=_as_tree(own, padded=padded)), key=lambda one: one.tokens)
    return Forecast(own, heaviest, memory, room, checkpoint, tuple(found), smaller)


def _check_machine(launch: Launch, model: ModelSource, *, bf16: bool, elsewhere: bool) -> list[Finding]:
    """What is missing of packages, devices and model files; `elsewhere`: the devices are not this machine's."""
    gpus = torch.cuda.device_count()
    bf16_works = bool(gpus) and torch.cuda.is_bf16_supported()
    folder = model_folder(model.name)
    return [
        *checks.check_versions(checks.extras(launch, quantized=model.quantized)),
        *checks.check_private_names(),
        *checks.check_devices(
            launch,
            gpus=launch.on_each_machine if elsewhere else gpus,
            bf16=bf16,
            bf16_works=bf16_works or elsewhere,
        ),
        *(checks.check_weight_files(folder) if folder else ()),
    ]


def need_of(
    shape: Callable[[Setting], ModelShape],
    batches: Callable[..., list[MicroBatch]],
    launch: Launch,
    *,
    padded: bool,
    bf16: bool,
    libraries: int,
) -> Need:
    """The function that estimates a process's memory under a setting; `shape` and `batches` depend on it, too."""

    @functools.cache
    def need(setting: Setting) -> Memory:
        own = shape(setting)
        tree = _as_tree(own, padded=padded)
        autocast = bf16 and setting.engine not in {ZERO2, ZERO3}  # which convert by themselves
        execution = StepExecution(
            setting.engine, launch.processes, launch.on_gpu, tree, setting.checkpointing, autocast
        )
        return estimate(own, batches(setting.rows, tree=tree), execution, libraries=libraries)

    return need


def _shape_under(model: ModelSource, setting: Setting) -> ModelShape:
    """The model's shape as the setting has it trained."""
    options: Mapping[str, Any] = {"trust_remote_code": model.trust_remote_code}
    config = load_config(model.name, revision=model.revision, **options)
    named = config.dtype if model.dtype == "auto" else model.dtype
    dtype = named if isinstance(named, torch.dtype) else getattr(torch, str(named or "float32"))
    return model_shape(
        config,
        dtype=dtype,
        peft_config=model.lora if setting.lora else None,
        four_bits=setting.four_bits,
        engine=setting.engine,
        attn_implementation=model.attn_implementation,
        **options,
    )


def _batches_under(rows: RowOrder, size: int, *, tree: bool) -> list[MicroBatch]:
    """The heaviest micro-batches of `size` rows: as trees, in the order in which they are dealt out."""
    orders = rows.epochs
    if tree:
        orders = [deal_rows(one, rows.lengths, rows_per_step=rows.rows_per_step, rows_per_batch=size) for one in orders]
    return largest_batches(rows.dataset, rows.lengths, orders, rows=size, tree=tree)


def _as_tree(shape: ModelShape, *, padded: bool) -> bool:
    return not padded and shape.prefix_tree_obstacle is None


def model_folder(model: str) -> Path | None:
    """Where the model's files lie on this machine; None if they do not yet."""
    if model == EMBEDDED or is_local(model):
        return Path(resolve_model(model))
    config = try_to_load_from_cache(model, "config.json")
    return Path(config).parent if isinstance(config, str) else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or a CPU."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)
    )


def format_forecast(found: Forecast, launch: Launch, *, rows: int) -> str:
    """A few lines on the run, then the reasons to refuse it."""
    shape, memory, room = found.shape, found.memory, found.room
    parts = ("libraries", "weights", "gradients", "optimizer", "activations", "head")
    of = f" of {gib(room.total)}, {gib(room.free)} free" if room else ""
    adapter = f", and {shape.trained:,} of an adapter, which are trained" if shape.is_lora else ", all trained"
    lines = [
        f"model       {shape.parameters - shape.trained * shape.is_lora:,} weights{adapter}",
        f"processes   {launch.processes}, {launch.engine}, on a {'GPU each' if launch.on_gpu else 'CPU'}",
        f"rows        {rows:,}, all proven; the largest micro-batch has {found.batch.tokens:,} tokens, "
        f"{found.batch.targets:,} of them seen by the loss",
        f"disk        {gib(found.checkpoint)} a checkpoint",
        f"memory      about {gib(memory.total)} a process{of}",
        *(f"            {gib(getattr(memory, part)):>8}  {part}" for part in parts),
    ]
    findings = [str(finding) for finding in found.findings] or ["no reason to refuse it"]
    return "\n".join([*lines, "", *findings])
