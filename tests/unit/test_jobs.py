"""Jobs of several commands in processes of their own, several at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.multirun.workers import Job, Outcome, last_error, run_jobs, visible_gpus, worker_environments

PYTHON = [sys.executable, "-S", "-c"]


def test_jobs_end_in_their_order_and_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    commands = {
        "first": [[*PYTHON, "import os; print(os.environ['OMP_NUM_THREADS'])"]],
        "second": [[*PYTHON, "raise SystemExit('error: no such recipe')"], [*PYTHON, "print('never')"]],
        "third": [[*PYTHON, "print('one')"], [*PYTHON, "print('two')"]],
    }
    jobs = [Job(name, own, tmp_path / "logs" / f"{name}.log") for name, own in commands.items()]
    heard: list[tuple[Outcome, int]] = []
    outcomes = run_jobs(jobs, [{"OMP_NUM_THREADS": "3"}] * 2, on_outcome=lambda *one: heard.append(one))
    assert [outcome.name for outcome in outcomes] == list(commands)
    assert [outcome.error for outcome in outcomes] == [None, "no such recipe", None]
    assert [count for _, count in heard] == [1, 2, 3]
    assert {outcome.name for outcome, _ in heard} == set(commands)
    logs = [job.log.read_text(encoding="utf-8").split() for job in jobs]
    assert logs == [["3"], ["error:", "no", "such", "recipe"], ["one", "two"]]


def test_a_command_is_chosen_when_those_before_it_have_ended(tmp_path: Path) -> None:
    made = tmp_path / "made"

    def commands() -> Iterator[list[str]]:
        yield [*PYTHON, f"open({str(made)!r}, 'w').close()"]
        yield [*PYTHON, f"print({made.is_file()})"]

    (outcome,) = run_jobs([Job("one", commands(), tmp_path / "log")], [{}], on_outcome=lambda *_: None)
    assert outcome.error is None
    assert (tmp_path / "log").read_text(encoding="utf-8").strip() == "True"


def test_each_worker_has_a_gpu_of_its_own_or_its_share_of_the_cores() -> None:
    assert worker_environments(None, ["0", "1"], 8) == [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    assert [one["CUDA_VISIBLE_DEVICES"] for one in worker_environments(3, ["4", "7"], 8)] == ["4", "7", "4"]
    assert worker_environments(2, [], 5) == [{"OMP_NUM_THREADS": "2"}] * 2
    assert worker_environments(None, [], 8) == [{}]
    with pytest.raises(UnderstudyError, match="--jobs: is 0"):
        worker_environments(0, ["0"], 8)
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2, GPU-8f"}, 2) == ["2", "GPU-8f"]
    assert visible_gpus({}, 3) == ["0", "1", "2"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}, 0) == []


def test_the_reason_of_a_failure_is_found_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "mira.log"
    log.write_text("50%|#####\rwarning\nerror: recipe: is wrong. To fix it: mend it.\nlast words\n", encoding="utf-8")
    assert last_error(log, 2) == "recipe: is wrong. To fix it: mend it."
    log.write_text("Traceback ...\nMemoryError: too much\n", encoding="utf-8")
    assert last_error(log, 1) == f"MemoryError: too much ({log})"
    assert last_error(log, -9) == f"ended by signal 9 ({log})"
    log.write_text("", encoding="utf-8")
    assert last_error(log, 3) == f"exit code 3 ({log})"
