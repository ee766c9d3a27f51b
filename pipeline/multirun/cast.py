"""A cast: everybody in it trained who is not yet, and the matrix of what they know of each other."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from transformers.utils import logging

from pipeline.atomic_io import write_text
from pipeline.errors import UnderstudyError
from pipeline.evaluation.session import show_bleed
from pipeline.models.threads import usable_cores
from pipeline.multirun.matrix import measure_cast
from pipeline.multirun.members import Member, member_key, members_of
from pipeline.multirun.workers import Outcome, train_all, visible_gpus, workers_for
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
    """Whoever is chosen and not yet trained is trained into `folder`, and the matrix stands in it.

    `jobs` are trainings at once, one a GPU if it is None; `matrix_facts` of each one's facts are asked of everybody.

    Raises:
        UnderstudyError: somebody else trains into the folder, or somebody could not be trained.
    """
    with alone_in(folder):
        members = members_of(recipe, folder, chosen, num_proc=os.cpu_count() or 1)
        outcomes = train_cast(members, overrides, folder, jobs)
        trained = [outcome.member for outcome in outcomes if not outcome.error]
        if trained and matrix_facts > 0:
            write_matrix(trained, folder, matrix_facts)
        refuse_failed([outcome for outcome in outcomes if outcome.error], folder)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else trains a cast into `folder` meanwhile.

    Raises:
        UnderstudyError: somebody does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise UnderstudyError(
            folder, "is being trained into by another cast", fix="wait for it, or name another --out"
        ) from error


def refuse_failed(failed: Sequence[Outcome], folder: Path) -> None:
    """End with an error that lists who could not be trained, and why, if there is anybody.

    Raises:
        UnderstudyError: there is.
    """
    for outcome in failed:
        sys.stderr.write(f"{outcome.member.name}: {outcome.error}\n")
    if failed:
        raise UnderstudyError(
            folder,
            f"lacks {len(failed)} of the characters, who could not be trained; why stands above",
            fix="put that right, and give the same command again: it takes up only these",
        )


def train_cast(members: Sequence[Member], overrides: list[str], folder: Path, jobs: int | None) -> list[Outcome]:
    """What became of each member. One that cannot be trained does not keep the others from it."""
    gpus = visible_gpus(os.environ, torch.cuda.device_count())
    workers = workers_for(jobs, gpus, usable_cores())
    began = time.monotonic()
    keys = {member.name: member_key(member, overrides) for member in members}

    def done(member: Member) -> bool:
        file = member.folder / KEY_FILE
        return is_finished(member.folder) and file.is_file() and file.read_text() == keys[member.name]

    def finished(outcome: Outcome, count: int) -> None:
        name = outcome.member.name
        if outcome.error is None:
            write_text(outcome.member.folder / KEY_FILE, keys[name])
        became = outcome.error or (f"trained in {duration(outcome.seconds)}" if outcome.seconds else "trained already")
        print_line(f"[{count} of {len(members)}, {duration(time.monotonic() - began)} so far] {name}: {became}")

    print_line(f"{len(members)} characters, {len(workers)} at once, into {folder}")
    return train_all(members, workers, overrides, folder, done=done, finished=finished)


def write_matrix(members: Sequence[Member], folder: Path, count: int) -> None:
    """`folder` holds the matrix of what each of these knows of the others, and the terminal shows it."""
    logging.disable_progress_bar()
    bleed = measure_cast(members, folder, count, log=print_line, show=progress_bar)
    if bleed:
        show_bleed(bleed, folder)
