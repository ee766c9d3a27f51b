"""The folder of a run: whose it is, what lies in it already, and what becomes of it when the disk is full."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accelerate import PartialState
from filelock import FileLock, Timeout

from pipeline.atomic_io import read_json, write_json
from pipeline.distributed.engines import from_main_process
from pipeline.errors import UnderstudyError
from pipeline.runs.checkpoints import list_complete_checkpoints, list_incomplete_checkpoints
from pipeline.runs.files import CHECKPOINT_PREFIX, IDENTITY_FILE, LOCK_FILE, RUN_FILE
from pipeline.runs.identity import changes, reason_not_to_resume

# The disk, the quota or the largest file allowed is full.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_IN_WORDS = (*(f"os error {number}" for number in FULL), "PytorchStreamWriter", "inline_container")
ANOTHER = "name another output_dir, or remove it; either way training begins anew, from the base model"
MOST_CHANGES = 8  # that an error names


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """No other run writes into the folder meanwhile, such as the processes that a killed launcher left behind.

    Raises:
        UnderstudyError: another one does.
    """
    lock = FileLock(folder / LOCK_FILE)
    if not from_main_process(_take, lock):
        raise UnderstudyError(
            folder,
            "is being trained in by another process",
            fix="wait for it, or end it: a launcher that was killed leaves its processes (pipeline.train) behind",
        )
    try:
        yield
    finally:
        if PartialState().is_main_process:
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def is_done(folder: Path, identity: Mapping[str, Any], commit: str | None) -> bool:
    """Whether the folder holds the very same run, of the same code, finished."""
    run = read_json(folder / RUN_FILE)
    return bool(run) and run.get("commit") == commit and read_json(folder / IDENTITY_FILE) == identity


def identity_before(folder: Path) -> dict[str, Any] | None:
    """The identity of the run whose result or checkpoints lie in the folder; None if there is nothing to lose."""
    if any(folder.glob(f"{CHECKPOINT_PREFIX}*")) or (folder / RUN_FILE).exists():
        return read_json(folder / IDENTITY_FILE)
    return None


def check_read(folder: Path, read: str) -> None:
    """A finished run in the folder learnt from data that was read as it is now; `read` is the data's hash.

    The base model's replies to it are made after this, which takes a while; `check_changes` sees those too.

    Raises:
        UnderstudyError: it learnt from other data.
    """
    before = (read_json(folder / RUN_FILE).get("data") or {}).get("read")
    if before not in (None, read):
        raise UnderstudyError(folder, "holds another run, which differs in data (other content)", fix=ANOTHER)


def check_changes(folder: Path, identity: Mapping[str, Any], *, force: bool) -> list[str]:
    """In what this run differs from the one whose checkpoints lie in the folder, in words.

    Raises:
        UnderstudyError: it must not, or not without force.
    """
    before = from_main_process(identity_before, folder)
    if before is None or before == identity:
        return []
    found = changes(before, identity)
    another = f"holds another run, which differs in {', '.join(found[:MOST_CHANGES])}"
    refusal = reason_not_to_resume(before, identity)
    if from_main_process((folder / RUN_FILE).exists):
        refusal = another, ANOTHER
    elif refusal is None and not force:
        refusal = (
            another,
            (
                "change it back, add `--resume force` to resume from its checkpoints all the same, or name another "
                "output_dir"
            ),
        )
    if refusal:
        raise UnderstudyError(folder, refusal[0], fix=refusal[1])
    return found


def prepare_folder(folder: Path, identity: Mapping[str, Any]) -> Path | None:
    """The checkpoint to resume from, or None to start; from now on the folder is this run's."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).unlink(missing_ok=True)  # present only in the folder of a finished run
    checkpoints = list_complete_checkpoints(folder)
    write_json(folder / IDENTITY_FILE, identity)
    return checkpoints[-1] if checkpoints else None


@contextmanager
def explain_full_disk(folder: Path, *, is_main: bool) -> Iterator[None]:
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
        for checkpoint in list_incomplete_checkpoints(folder) if is_main else ():
            shutil.rmtree(checkpoint, ignore_errors=True)
        complete = list_complete_checkpoints(folder)
        resumes = f"resumes from {complete[-1].name}, which is complete" if complete else "starts from the beginning"
        raise UnderstudyError(
            folder,
            f"could not be written: {reason} ({shutil.disk_usage(folder).free >> 20} MiB are free)",
            fix=f"make room, and give the same command again: it {resumes}",
        ) from error


def _no_room(error: BaseException | None) -> str | None:
    """What was said of a full disk, by the error or one before it; libraries wrap it in their own."""
    while error is not None:
        full = error.errno in FULL if isinstance(error, OSError) else any(word in str(error) for word in FULL_IN_WORDS)
        if full:
            return str(error).split("\n", 1)[0]
        error = error.__cause__ or error.__context__
    return None


def _take(lock: FileLock) -> bool:
    """Whether the folder is this process's alone until it releases the lock or ends, however it ends."""
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except NotImplementedError:  # a file system without locks
        return True
    return True
