"""Checkpoints: which are complete, and how one is marked so.

A checkpoint is written by several processes and in many files, so none of those tells that it is complete. `whole.json`
does: it is written when all processes are done and all they wrote is on the disk and was read back, and it names every
file with its size.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.atomic_io import read_json, sync, write_json
from pipeline.runs.files import CHECKPOINT_PREFIX, COMPLETE_FILE


def remove_incomplete(folder: Path) -> list[str]:
    """Remove incomplete checkpoints, which would fill the disk, and return their names."""
    incomplete = list_incomplete_checkpoints(folder)
    for checkpoint in incomplete:
        shutil.rmtree(checkpoint)
    return [checkpoint.name for checkpoint in incomplete]


def mark_complete(checkpoint: Path, notes: Mapping[str, Any]) -> None:
    """Write the checkpoint's mark of completeness; call it when all processes have written, after `sync_folder`."""
    sizes = {
        path.relative_to(checkpoint).as_posix(): path.stat().st_size
        for path in sorted(checkpoint.rglob("*"))
        if path.is_file() and path.name != COMPLETE_FILE
    }
    write_json(checkpoint / COMPLETE_FILE, {**notes, "files": sizes})
    sync(checkpoint)
    sync(checkpoint.parent)


def sync_folder(folder: Path) -> None:
    """All that was written under the folder is on the disk; the checkpoints of a run's folder not looked at."""
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith(CHECKPOINT_PREFIX):
            sync_folder(path)
        elif path.is_file():
            sync(path)
    sync(folder)


def is_complete(checkpoint: Path) -> bool:
    """Whether the checkpoint was written to the end and every file still has its size."""
    sizes = read_json(checkpoint / COMPLETE_FILE).get("files", {})
    return bool(sizes) and all(
        (checkpoint / name).is_file() and (checkpoint / name).stat().st_size == size for name, size in sizes.items()
    )


def list_complete_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints that were written to the end, oldest first."""
    return [checkpoint for checkpoint in checkpoints_of(folder) if is_complete(checkpoint)]


def list_incomplete_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints that were cut off while they were written or removed, or that have lost something since."""
    return [checkpoint for checkpoint in checkpoints_of(folder) if not is_complete(checkpoint)]


def checkpoints_of(folder: Path) -> list[Path]:
    """All checkpoints, complete or not, by their step."""
    steps = {path: path.name.removeprefix(CHECKPOINT_PREFIX) for path in folder.glob(f"{CHECKPOINT_PREFIX}*")}
    numbered = [path for path, step in steps.items() if path.is_dir() and step.isdigit()]
    return sorted(numbered, key=lambda path: int(steps[path]))


def remove_checkpoints(folder: Path) -> None:
    """Leave only what was saved at the end."""
    for checkpoint in folder.glob(f"{CHECKPOINT_PREFIX}*"):
        shutil.rmtree(checkpoint)
