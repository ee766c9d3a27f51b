"""Whether a run can start at all: versions, devices, precision, model files, disk."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

from pipeline.capacity.findings import Finding, gib
from pipeline.capacity.launch import Launch
from pipeline.distributed.engines import ZERO2, ZERO3
from pipeline.private_names import missing_names

DISTRIBUTION = "understudy"


def check_versions(needs: Sequence[str]) -> Iterator[Finding]:
    """Packages that are missing or too old, `needs` being the extras that the run uses."""
    for text in importlib.metadata.requires(DISTRIBUTION) or ():
        wanted = Requirement(text)
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *needs)):
            continue
        try:
            installed = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(wanted.name, "is not installed", f"`pip install '{wanted.name}{wanted.specifier}'`")
            continue
        if not wanted.specifier.contains(installed, prereleases=True):
            yield Finding(
                wanted.name,
                f"is {installed}, and {wanted.specifier} is needed",
                f"`pip install '{wanted.name}{wanted.specifier}'`",
            )


def check_private_names() -> Iterator[Finding]:
    """Private names of other packages that Understudy uses and the installed versions no longer have."""
    wanted = map(Requirement, importlib.metadata.requires(DISTRIBUTION) or ())
    bounds = {one.name: one.specifier for one in wanted}
    for gone in missing_names():
        yield Finding(
            gone.package,
            f"{importlib.metadata.version(gone.package)} has no {gone}, which {gone.reason}",
            f"`pip install '{gone.package}{bounds.get(gone.package, '')}'`",
        )


def extras(launch: Launch, *, quantized: bool) -> list[str]:
    """The optional packages that a run needs."""
    return ["deepspeed"] * (launch.engine in {ZERO2, ZERO3}) + ["quantized"] * quantized


def check_devices(launch: Launch, *, gpus: int, bf16: bool, bf16_works: bool) -> Iterator[Finding]:
    """Launches with more processes than GPUs, on GPUs that are not here, or in a precision that they do not support."""
    if not launch.on_gpu:
        return
    if gpus == 0:
        yield Finding(
            "accelerate configuration",
            "is for GPUs, and torch sees none on this machine, so its devices are not checked",
            "run this on the machine that will train, or give --device_memory GIB to have the memory compared",
            fatal=False,
        )
        return
    if launch.on_each_machine > gpus:
        yield Finding(
            "num_processes",
            f"is {launch.on_each_machine} on a machine with {gpus} GPUs",
            f"launch with --num_processes {gpus}",
        )
    if bf16 and not bf16_works:
        yield Finding(
            "bf16",
            "is true, and this GPU does not compute in bfloat16",
            "set `bf16: false`, `fp16: true` and `dtype: float16`",
        )


def check_weight_files(folder: Path) -> Iterator[Finding]:
    """Shards that the model's index names and the folder lacks, and safetensors files that are cut off."""
    shards: set[str] = set()
    for index in folder.glob("*.safetensors.index.json"):
        try:
            shards |= set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError):
            yield Finding(str(index), "cannot be read", "copy it again")
    for name in sorted(shards):
        if not (folder / name).is_file():
            yield Finding(str(folder / name), "is missing: the index names it", "copy the complete model folder")
    for file in sorted(folder.glob("*.safetensors")):
        wanted = _safetensors_size(file)
        if wanted != file.stat().st_size:
            yield Finding(
                str(file),
                f"has {file.stat().st_size} bytes, and its header says {wanted}: it is cut off",
                "copy it again",
            )


def _safetensors_size(file: Path) -> int:
    """The size that a file's own header gives it: 8 bytes of length, the header, and the tensors up to the last end."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(min(length, 100_000_000)))
            ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return 8 + length
    return int(8 + length + max(ends, default=0))


def check_disk(folder: Path, *, checkpoint: int, kept: int, final: int) -> Iterator[Finding]:
    """Whether the checkpoints that are kept, the one that is being written, and the result have room."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    free, needed = shutil.disk_usage(there).free, checkpoint * (kept + 1) + final
    if needed > free:
        yield Finding(
            str(folder),
            f"needs {gib(needed)} for {kept + 1} checkpoints and the result, and {there} has {gib(free)} free",
            "free some space, lower save_total_limit, or name another output_dir",
        )
