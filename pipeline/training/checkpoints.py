"""The folder of a run: its checkpoints, which of them are whole, and what becomes of it when the disk is full.

A checkpoint is written by several processes and in many files, so none of those tells that it is whole. `whole.json`
does: it is written when all processes are done and all they wrote is on the disk and was read back, and it names every
file with its size.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.errors import UnderstudyError
from pipeline.training.identity import RUN_FILE, read_json
from pipeline.whole_files import sync, write_json

IDENTITY_FILE = "identity.json"
EXPOSURES_FILE = "exposures.json"
WHOLE_FILE = "whole.json"
LOCK_FILE = "training.lock"
# The disk, the quota or the largest file allowed is full.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_IN_WORDS = (*(f"os error {number}" for number in FULL), "PytorchStreamWriter", "inline_container")


def is_done(folder: Path, identity: Mapping[str, Any], commit: str | None) -> bool:
    """Whether the folder holds the very same run, of the same code, finished."""
    run = read_json(folder / RUN_FILE)
    return bool(run) and run.get("commit") == commit and read_json(folder / IDENTITY_FILE) == identity


def identity_before(folder: Path) -> dict[str, Any] | None:
    """The identity of the run whose result or checkpoints lie in the folder; None if there is nothing to lose."""
    if any(folder.glob("checkpoint-*")) or (folder / RUN_FILE).exists():
        return read_json(folder / IDENTITY_FILE)
    return None


def remove_broken(folder: Path) -> list[str]:
    """Names of the checkpoints that were not whole, and are gone: they would fill the disk."""
    broken = broken_checkpoints(folder)
    for checkpoint in broken:
        shutil.rmtree(checkpoint)
    return [checkpoint.name for checkpoint in broken]


def prepare_folder(folder: Path, identity: Mapping[str, Any]) -> Path | None:
    """The checkpoint to go on from, or None to begin; from now on the folder is this run's."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).unlink(missing_ok=True)  # present only in a folder that is whole
    checkpoints = whole_checkpoints(folder)
    write_json(folder / IDENTITY_FILE, identity)
    return checkpoints[-1] if checkpoints else None


def mark_whole(checkpoint: Path, notes: Mapping[str, Any]) -> None:
    """The checkpoint is whole. Call it when every process has written its part, and `sync_folder` was called."""
    sizes = {
        path.relative_to(checkpoint).as_posix(): path.stat().st_size
        for path in sorted(checkpoint.rglob("*"))
        if path.is_file() and path.name != WHOLE_FILE
    }
    write_json(checkpoint / WHOLE_FILE, {**notes, "files": sizes})
    sync(checkpoint)
    sync(checkpoint.parent)


def sync_folder(folder: Path) -> None:
    """All that was written under the folder is on the disk; the checkpoints of a run's folder not looked at."""
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("checkpoint-"):
            sync_folder(path)
        elif path.is_file():
            sync(path)
    sync(folder)


def is_whole(checkpoint: Path) -> bool:
    """Whether the checkpoint was written to the end and every file still has its size."""
    sizes = read_json(checkpoint / WHOLE_FILE).get("files", {})
    return bool(sizes) and all(
        (checkpoint / name).is_file() and (checkpoint / name).stat().st_size == size for name, size in sizes.items()
    )


def whole_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints that were written to the end, oldest first."""
    return [checkpoint for checkpoint in _checkpoints(folder) if is_whole(checkpoint)]


def broken_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints that were cut off while they were written or removed, or that have lost something since."""
    return [checkpoint for checkpoint in _checkpoints(folder) if not is_whole(checkpoint)]


def _checkpoints(folder: Path) -> list[Path]:
    numbered = [path for path in folder.glob("checkpoint-*") if path.is_dir() and path.name[11:].isdigit()]
    return sorted(numbered, key=lambda path: int(path.name[11:]))


def remove_checkpoints(folder: Path) -> None:
    """Leave only what was saved at the end."""
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)


def take(lock: FileLock) -> bool:
    """Whether the folder is this process's alone until the lock is released, or the process gone, however it went."""
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except NotImplementedError:  # a file system without locks
        return True
    return True


@contextmanager
def telling_a_full_disk(folder: Path, *, is_main: bool) -> Iterator[None]:
    """A write that finds no room becomes an error that says so; what was half written is removed.

    Raises:
        UnderstudyError: there was no room.
    """
    try:
        yield
    except Exception as error:
        reason = _no_room(error)
        if not reason:
            raise
        for checkpoint in broken_checkpoints(folder) if is_main else ():
            shutil.rmtree(checkpoint, ignore_errors=True)
        whole = whole_checkpoints(folder)
        goes_on = f"goes on from {whole[-1].name}, which is whole" if whole else "begins anew"
        raise UnderstudyError(
            folder,
            f"could not be written: {reason} ({shutil.disk_usage(folder).free >> 20} MiB are free)",
            fix=f"make room, and give the same command again: it {goes_on}",
        ) from error


def _no_room(error: BaseException | None) -> str | None:
    """What was said of a full disk, by the error or one before it; libraries wrap it in their own."""
    while error is not None:
        full = error.errno in FULL if isinstance(error, OSError) else any(word in str(error) for word in FULL_IN_WORDS)
        if full:
            return str(error).split("\n", 1)[0]
        error = error.__cause__ or error.__context__
    return None
