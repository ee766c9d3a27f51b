"""`understudy cast`: every character trained that is not yet, and the matrix of what they know of each other."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from transformers.utils import logging

from pipeline.atomic_io import write_text
from pipeline.errors import UnderstudyError
from pipeline.evaluation.session import show_bleed
from pipeline.multirun.matrix import measure_matrix
from pipeline.multirun.members import Member, member_key, prepare_members
from pipeline.multirun.workers import LOG_FOLDER, Job, Outcome, local_workers, outcome_line, run_jobs
from pipeline.runs.run_file import is_finished
from pipeline.terminal import duration, print_line, progress_bar

KEY_FILE = "cast_key.txt"  # in a member's folder: what it was trained from, once it is trained


def run_cast(
    recipe: Path,
    overrides: list[str],
    folder: Path,
    chosen: Sequence[str],
    *,
    jobs: int | None,
    matrix_facts: int,
) -> None:
    """Every chosen character has a trained model below `folder`, which holds the matrix too.

    `jobs` are trainings at once, one a GPU if it is None; `matrix_facts` of each one's facts are asked of every model.

    Raises:
        UnderstudyError: another process trains into the folder, or a character could not be trained.
    """
    with locked_folder(folder):
        members = prepare_members(recipe, folder, chosen, num_proc=os.cpu_count() or 1)
        failed = train_members(members, overrides, folder, jobs)
        lacking = {outcome.name for outcome in failed}
        trained = [member for member in members if member.name not in lacking]
        if trained and matrix_facts > 0:
            write_matrix(trained, folder, matrix_facts)
        raise_if_failed(failed, folder)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """No other `understudy cast` trains into `folder` within the block.

    Raises:
        UnderstudyError: another one does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise UnderstudyError(
            folder, "is being trained into by another `understudy cast`", fix="wait for it, or name another --out"
        ) from error


def raise_if_failed(failed: Sequence[Outcome], folder: Path) -> None:
    """Raise if any training failed.

    Raises:
        UnderstudyError: some did; the reason of each is printed.
    """
    for outcome in failed:
        sys.stderr.write(f"{outcome.name}: {outcome.error}\n")
    if failed:
        raise UnderstudyError(
            folder,
            f"lacks {len(failed)} of the characters, which could not be trained for the reasons above",
            fix="put that right, and run the same command again: it trains only these",
        )


def train_members(members: Sequence[Member], overrides: list[str], folder: Path, jobs: int | None) -> list[Outcome]:
    """Train those that are not trained yet; gives the outcomes of those that failed, which stop no other."""
    workers = local_workers(jobs)
    keys = {member.name: member_key(member, overrides) for member in members}
    by_name = {member.name: member for member in members}
    missing = [member for member in members if not _is_trained(member, keys[member.name])]
    before = len(members) - len(missing)
    began = time.monotonic()

    def note(outcome: Outcome, count: int) -> None:
        if outcome.error is None:
            write_text(by_name[outcome.name].folder / KEY_FILE, keys[outcome.name])
        done = f"trained in {duration(outcome.seconds)}"
        print_line(outcome_line(outcome, before + count, len(members), began, done))

    print_line(f"{len(members)} characters, {len(workers)} at once, into {folder}")
    for member in members:
        if member not in missing:
            print_line(f"{member.name}: trained already")
    outcomes = run_jobs([_training(member, overrides, folder) for member in missing], workers, on_outcome=note)
    return [outcome for outcome in outcomes if outcome.error]


def _is_trained(member: Member, key: str) -> bool:
    file = member.folder / KEY_FILE
    return is_finished(member.folder) and file.is_file() and file.read_text() == key


def _training(member: Member, overrides: Sequence[str], folder: Path) -> Job:
    command = [sys.executable, "-m", "pipeline.train", "--config", str(member.recipe), *overrides]
    return Job(member.name, [command], folder / LOG_FOLDER / f"{member.folder.name}.log")


def write_matrix(members: Sequence[Member], folder: Path, count: int) -> None:
    """Write into `folder` the matrix of what each member knows of the others, and print it."""
    logging.disable_progress_bar()
    bleed = measure_matrix(members, folder, count, log=print_line, progress_for=progress_bar)
    if bleed:
        show_bleed(bleed, folder)
