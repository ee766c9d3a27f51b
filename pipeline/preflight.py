"""Check a run before it begins: versions, devices, model files, rows, disk, and the memory that it will need."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import entry_point
from pipeline.models.locate import prepare_environment
from pipeline.recipe import value_of

if TYPE_CHECKING:
    from pipeline.training.checks import Launch
    from pipeline.training.preflight import Preflight


@entry_point
def main() -> None:
    """Read the command line, check, and exit with 2 if the run would surely fail."""
    parser = argparse.ArgumentParser(
        prog="understudy preflight",
        description=__doc__,
        epilog="--key value overrides the recipe, as in training.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    parser.add_argument(
        "--accelerate", type=Path, metavar="FILE", help="the accelerate configuration it will run under"
    )
    parser.add_argument(
        "--device_memory", type=float, metavar="GIB", help="memory of each device, where the devices are not here"
    )
    arguments, overrides = parser.parse_known_args()
    sys.exit(check_recipe(arguments.config, overrides, arguments.accelerate, arguments.device_memory))


def check_recipe(recipe: Path, overrides: list[str], accelerate: Path | None, device_memory: float | None) -> int:
    """Print what the run needs and what speaks against it; the exit code."""
    prepare_environment(str(value_of(recipe, overrides, "model_name_or_path")))
    import torch

    from pipeline.train import load_cast, tell_line
    from pipeline.training.arguments import ON_A_CPU, parse_run
    from pipeline.training.checks import read_launch
    from pipeline.training.material import prepare_material
    from pipeline.training.preflight import launch_of, preflight
    from pipeline.training.run import choose_dtype

    gpus = torch.cuda.device_count()
    # Only the tokenizer is needed, so a recipe for GPUs can be checked without one.
    run = parse_run(recipe, overrides if gpus else [*ON_A_CPU, *overrides])
    launch = read_launch(accelerate, gpus=gpus) if accelerate else launch_of(run.training)
    run.training.gradient_accumulation_steps *= launch.processes  # the plan's steps, as all processes will take them
    cast, tokenizer = load_cast(run, tell_line)
    material = prepare_material(run.character, run.training, cast, tokenizer)
    run.training.gradient_accumulation_steps //= launch.processes
    if not launch.on_gpu:
        choose_dtype(run, tell_line)
    bf16 = str(value_of(recipe, overrides, "bf16")).lower() == "true"
    found = preflight(run, material, launch, bf16=bf16, device_memory=device_memory)
    tell_line(format_preflight(found, launch, rows=len(material.rows.dataset)))
    return 2 if any(finding.fatal for finding in found.findings) else 0


def format_preflight(found: Preflight, launch: Launch, *, rows: int) -> str:
    """A few lines on the run, then what speaks against it."""
    from pipeline.training.checks import gib

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
    told = [str(finding) for finding in found.findings] or ["nothing speaks against it"]
    return "\n".join([*lines, "", *told])


if __name__ == "__main__":
    main()
