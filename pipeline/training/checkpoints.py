"""The folder of a run: its checkpoints, and which of them the same run may go on from."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.trainer import TRAINER_STATE_NAME

from pipeline.training.identity import RUN_FILE, read_json
from pipeline.whole_files import write_json

IDENTITY_FILE = "identity.json"
EXPOSURES_FILE = "exposures.json"


def is_done(folder: Path, identity: Mapping[str, Any], commit: str | None) -> bool:
    """Whether the folder holds the very same run, of the same code, finished."""
    run = read_json(folder / RUN_FILE)
    return bool(run) and run.get("commit") == commit and read_json(folder / IDENTITY_FILE) == identity


def why_not_here(folder: Path, identity: Mapping[str, Any]) -> str | None:
    """What speaks against training in this folder: another run's result or checkpoints, which would be lost."""
    other = read_json(folder / IDENTITY_FILE)
    if other == identity or not (any(folder.glob("checkpoint-*")) or (folder / RUN_FILE).exists()):
        return None
    differing = [key for key in identity.keys() | other.keys() if identity.get(key) != other.get(key)]
    return f"holds another run, which differs in {', '.join(sorted(differing)[:8])}"


def prepare_folder(folder: Path, identity: Mapping[str, Any]) -> Path | None:
    """The checkpoint to go on from, or None to begin; from now on the folder is this run's."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).unlink(missing_ok=True)  # present only in a folder that is whole
    checkpoints = whole_checkpoints(folder)
    write_json(folder / IDENTITY_FILE, identity)
    return checkpoints[-1] if checkpoints else None


def whole_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints that were written to the end, oldest first: the trainer's state is the last file of each."""
    return sorted(
        (
            path.parent
            for path in folder.glob(f"checkpoint-*/{EXPOSURES_FILE}")
            if read_json(path) and read_json(path.parent / TRAINER_STATE_NAME)
        ),
        key=lambda path: int(path.name.partition("-")[2]),
    )


def remove_checkpoints(folder: Path) -> None:
    """Leave only what was saved at the end."""
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
