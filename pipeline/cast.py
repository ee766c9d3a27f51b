"""Train a model each for several characters, and measure what they know of each other: `python -m pipeline.cast`.

    python -m pipeline.cast --config recipes/cast_demo.yaml
    python -m pipeline.cast --config recipes/yours.yaml --characters Mira Bram --jobs 2 --num_train_epochs 3

takes the characters that the recipe lists, or finds them in its raw files, and trains each by itself: a GPU each where
there are several, in turn on a CPU. The same command again goes on where it was, and leaves alone what is done.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.casting.members import Member, member_key, members_of
from pipeline.casting.workers import Outcome, train_all, visible_gpus, workers_for
from pipeline.errors import UnderstudyError, entry_point
from pipeline.models.locate import prepare_environment
from pipeline.models.threads import usable_cores
from pipeline.recipe import output_folder, value_of
from pipeline.records.cast import ALL
from pipeline.train import tell_line
from pipeline.whole_files import write_whole

KEY_FILE = "cast_key.txt"  # in a member's folder: what it was trained from, once it is trained


@entry_point
def main() -> None:
    """Read the command line, train whoever is not yet trained, and write the matrix."""
    parser = argparse.ArgumentParser(
        prog="understudy cast",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="--key value overrides the recipe, for all of them.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    parser.add_argument("--characters", nargs="+", default=[ALL], metavar="NAME", help="whom to train (all)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to put them (the recipe's output_dir + _cast)")
    parser.add_argument("--jobs", type=int, metavar="N", help="trainings at once (one a GPU; 1 without)")
    parser.add_argument(
        "--matrix_facts", type=int, default=16, metavar="N",
        help="of how many of each one's facts everybody is asked (16; 0: no matrix)",
    )  # fmt: skip
    arguments, overrides = parser.parse_known_args()
    own = output_folder(arguments.config)
    with alone_in(arguments.out or own.with_name(f"{own.name}_cast")) as folder:
        members = members_of(arguments.config, folder, arguments.characters, num_proc=os.cpu_count() or 1)
        prepare_environment(str(value_of(arguments.config, overrides, "model_name_or_path")))
        outcomes = train_cast(members, overrides, folder, arguments.jobs)
        trained = [outcome.member for outcome in outcomes if not outcome.error]
        if trained and arguments.matrix_facts > 0:
            write_matrix(trained, folder, arguments.matrix_facts)
        refuse_failed([outcome for outcome in outcomes if outcome.error], folder)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[Path]:
    """Nobody else trains a cast into `folder` meanwhile.

    Raises:
        UnderstudyError: somebody does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield folder
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
    import torch

    from pipeline.recall.report import duration

    gpus = visible_gpus(os.environ, torch.cuda.device_count())
    workers = workers_for(jobs, gpus, usable_cores())
    began = time.monotonic()
    keys = {member.name: member_key(member, overrides) for member in members}

    def done(member: Member) -> bool:
        file = member.folder / KEY_FILE
        return (member.folder / "run.json").is_file() and file.is_file() and file.read_text() == keys[member.name]

    def finished(outcome: Outcome, count: int) -> None:
        name = outcome.member.name
        if outcome.error is None:
            write_whole(keys[name], outcome.member.folder / KEY_FILE)
        became = outcome.error or (f"trained in {duration(outcome.seconds)}" if outcome.seconds else "trained already")
        tell_line(f"[{count} of {len(members)}, {duration(time.monotonic() - began)} so far] {name}: {became}")

    tell_line(f"{len(members)} characters, {len(workers)} at once, into {folder}")
    return train_all(members, workers, overrides, folder, done=done, finished=finished)


def write_matrix(members: Sequence[Member], folder: Path, count: int) -> None:
    """`folder` holds the matrix of what each of these knows of the others, and the terminal shows it."""
    from transformers.utils import logging

    from pipeline.casting.matrix import measure_cast
    from pipeline.recall.__main__ import progress_bar, tell_bleed

    logging.disable_progress_bar()
    bleed = measure_cast(members, folder, count, tell=tell_line, show=progress_bar)
    if bleed:
        tell_bleed(bleed, folder)


if __name__ == "__main__":
    main()
