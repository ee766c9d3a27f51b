"""A sweep: a recipe trained and measured with every combination of some keys' values, and the runs compared."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.atomic_io import read_json
from pipeline.errors import UnderstudyError
from pipeline.evaluation.exam import Extent
from pipeline.evaluation.session import compare_folders
from pipeline.models.checksums import file_sha256
from pipeline.multirun.workers import LOG_FOLDER, Job, Outcome, local_workers, outcome_line, run_jobs
from pipeline.runs.files import ADAPTER_WEIGHTS, RECALL_FILE, RUN_FILE
from pipeline.terminal import print_line


def run_sweep(
    recipe: Path, words: Sequence[str], folder: Path, *, accelerate: Path | None, extent: Extent, jobs: int | None
) -> None:
    """Every combination's run lies below `folder`, measured, beside their comparison; what is there is not run again.

    `words` are `--key value [value ...]`, `accelerate` a configuration to launch each run by, on all that it names;
    else `jobs` are run at once, one a GPU if it is None.

    Raises:
        UnderstudyError: see `combinations`; or a run failed, when the others have ended.
    """
    wanted = {run_name(values): values for values in combinations(words)}
    workers = local_workers(jobs, on_gpus=not accelerate)
    began = time.monotonic()

    def note(outcome: Outcome, count: int) -> None:
        print_line(outcome_line(outcome, count, len(wanted), began, "trained and measured"))

    print_line(f"{len(wanted)} runs, {len(workers)} at once, into {folder}")
    outcomes = run_jobs(
        [
            Job(name, _commands(recipe, values, folder / name, accelerate, extent), folder / LOG_FOLDER / f"{name}.log")
            for name, values in wanted.items()
        ],
        workers,
        on_outcome=note,
    )
    if failed := [outcome.name for outcome in outcomes if outcome.error]:
        raise UnderstudyError(
            folder,
            f"lacks {len(failed)} of {len(wanted)} runs, which failed for the reasons above",
            fix="put that right, and run the same command again: it runs only these",
        )
    compare_folders([folder / name for name in wanted], folder / "comparison.html", folder / "comparison.json")
    for names in same_weights(folder, list(wanted)):
        print_line(f"{' and '.join(names)} trained the very same weights: these values make no difference here")


def same_weights(folder: Path, names: Sequence[str]) -> list[list[str]]:
    """The runs whose adapters are the same, byte for byte, in groups of two and more.

    Their values came to the same plan: 20 exposures of few facts are raised to as many as 40 are.
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        if (weights := folder / name / ADAPTER_WEIGHTS).is_file():
            alike.setdefault(file_sha256(weights), []).append(name)
    return [same for same in alike.values() if len(same) > 1]


def combinations(words: Sequence[str]) -> list[dict[str, str]]:
    """Every combination of `--key value [value ...]`, the last key's values changing fastest.

    Raises:
        UnderstudyError: a word belongs to no key, a value stands twice, or no key has two values.
    """
    keys: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            key, _, value = word[2:].partition("=")
            keys[key] = [value] if value else []
        elif keys:
            keys[next(reversed(keys))].append(word)
        else:
            raise UnderstudyError("command line", f"'{word}' belongs to no key", fix="write --key value value ...")
    if not any(len(values) > 1 for values in keys.values()) or not all(keys.values()):
        raise UnderstudyError(
            "command line", "gives no key two values to try", fix="write for example --settings_weight 1 3 5"
        )
    for key, values in keys.items():
        if twice := [value for number, value in enumerate(values) if _number(value) in map(_number, values[:number])]:
            raise UnderstudyError("command line", f"gives --{key} {twice[0]} twice", fix="leave one of them out")
    return [dict(zip(keys, values, strict=True)) for values in itertools.product(*keys.values())]


def _number(value: str) -> str | float:
    """The number that the word stands for, or else the word: 1e-3 and 0.001 are the same run."""
    try:
        return float(value)
    except ValueError:
        return value


def run_name(values: dict[str, str]) -> str:
    """The name of a combination's run folder."""
    return ",".join(f"{key}={value}" for key, value in values.items()).replace("/", "_")


def _commands(
    recipe: Path, values: Mapping[str, str], folder: Path, accelerate: Path | None, extent: Extent
) -> Iterator[list[str]]:
    """What trains one combination into `folder`, and what measures it, unless that was done since."""
    overrides = [word for key, value in values.items() for word in (f"--{key}", value)]
    launch = [sys.executable, "-m"]
    if accelerate:
        launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(accelerate), "-m"]
    yield [*launch, "pipeline.train", "--config", str(recipe), *overrides, "--output_dir", str(folder)]
    if not _is_measured(folder, extent):
        recall = [sys.executable, "-m", "pipeline.recall", f"--{extent}", "--config", str(recipe)]
        yield [*recall, "--adapter", str(folder)]


def _is_measured(folder: Path, extent: Extent) -> bool:
    """Whether the run has passed this exam, or a fuller one, since it was trained."""
    report, trained = folder / RECALL_FILE, folder / RUN_FILE
    if not report.is_file() or report.stat().st_mtime < trained.stat().st_mtime:
        return False
    return read_json(report).get("extent") in (extent, "full")
