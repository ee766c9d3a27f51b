"""The folder of a run: its checkpoints, and which of them the same run may go on from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pipeline.training.identity import RUN_FILE, read_json, write_json

FINGERPRINT_FILE = "fingerprint.json"
EXPOSURES_FILE = "exposures.json"


def prepare_folder(folder: Path, fingerprint: str, tell: Callable[[str], None]) -> Path | None:
    """The checkpoint to go on from, or None to begin; checkpoints of another run are removed, aloud."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).unlink(missing_ok=True)  # present only in a folder that is whole
    checkpoints = whole_checkpoints(folder)
    if read_json(folder / FINGERPRINT_FILE).get("fingerprint") == fingerprint and checkpoints:
        tell(f"going on from {checkpoints[-1]}")
        return checkpoints[-1]
    left = list(folder.glob("checkpoint-*"))
    if left:
        tell(f"{folder}: the recipe, the data or the number of processes changed, so training begins anew")
        for checkpoint in left:
            shutil.rmtree(checkpoint)
    write_json(folder / FINGERPRINT_FILE, {"fingerprint": fingerprint})
    return None


def whole_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints that were written to the end, oldest first: the exposures are the last file of each."""
    return sorted(
        (path.parent for path in folder.glob(f"checkpoint-*/{EXPOSURES_FILE}") if read_json(path)),
        key=lambda path: int(path.name.partition("-")[2]),
    )


def remove_checkpoints(folder: Path) -> None:
    """Leave only what was saved at the end."""
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
