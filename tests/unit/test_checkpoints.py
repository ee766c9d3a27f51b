"""A checkpoint is complete or it is not, and another run's is never gone on from without a word."""

from __future__ import annotations

import errno
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.runs.checkpoints import (
    is_complete,
    list_complete_checkpoints,
    mark_complete,
    sync_folder,
)
from pipeline.runs.files import COMPLETE_FILE
from pipeline.runs.folder import explain_full_disk
from pipeline.runs.identity import reason_not_to_resume

FILES = {"adapter_model.safetensors": 40, "optimizer.pt": 80, "rng_state_1.pth": 7, "global_step2/shard.pt": 30}
RUN = {
    "processes": 2, "engine": "DDP", "per_device_train_batch_size": 2, "gradient_accumulation_steps": 4,
    "learning_rate": 1e-3, "data": "abc", "understudy": "1",
}  # fmt: skip


def checkpoint_in(folder: Path, step: int = 2, files: dict[str, int] = FILES) -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    for name, size in files.items():
        (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / name).write_bytes(b"x" * size)
    sync_folder(checkpoint)
    mark_complete(checkpoint, {"step": step})
    return checkpoint


@given(st.sampled_from([*FILES, COMPLETE_FILE]), st.integers(-1, 79))
def test_a_checkpoint_that_lost_a_file_or_the_end_of_one_is_not_complete(name: str, left: int) -> None:
    with TemporaryDirectory() as folder:
        checkpoint = checkpoint_in(Path(folder))
        assert is_complete(checkpoint)
        file = checkpoint / name
        if left < 0:
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[: min(left, file.stat().st_size - 1)])
        assert not is_complete(checkpoint)


def test_checkpoints_are_in_the_order_of_their_steps(tmp_path: Path) -> None:
    for step in (10, 2, 9):
        checkpoint_in(tmp_path, step)
    (tmp_path / "checkpoint-11").mkdir()  # not yet complete
    assert [path.name for path in list_complete_checkpoints(tmp_path)] == [
        "checkpoint-2",
        "checkpoint-9",
        "checkpoint-10",
    ]


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 8), st.sampled_from(["DDP", "one process"]))
def test_force_goes_on_exactly_where_a_step_takes_as_many_rows(
    processes: int, size: int, accumulated: int, engine: str
) -> None:
    now = RUN | {
        "processes": processes,
        "engine": engine,
        "per_device_train_batch_size": size,
        "gradient_accumulation_steps": accumulated,
    }
    refusal = reason_not_to_resume(RUN, now)
    assert (refusal is None) == (processes * size * accumulated == 16)
    if refusal:
        assert f"16 rows a step, and this one would take {processes * size * accumulated}" in refusal[0]


@given(st.sampled_from(["ZeRO-2", "ZeRO-3", "FSDP"]), st.sampled_from([(1, 8), (2, 4), (4, 2)]))
def test_an_optimizer_state_that_is_sharded_stays_with_its_processes(engine: str, spread: tuple[int, int]) -> None:
    before = RUN | {"engine": engine}
    processes, accumulated = spread
    refusal = reason_not_to_resume(
        before, before | {"processes": processes, "gradient_accumulation_steps": accumulated}
    )
    assert (refusal is None) == (processes == 2)
    if refusal:
        assert f"{engine} on 2 processes" in refusal[0]
    assert reason_not_to_resume(before, before | {"engine": "DDP"}) is not None
    assert reason_not_to_resume(before | {"engine": "DDP"}, before) is not None


@pytest.mark.parametrize(("key", "value"), [("data", "other"), ("learning_rate", 1.0), ("settings_weight", 2)])
def test_what_changes_the_course_is_refused_by_name_even_by_force(key: str, value: object) -> None:
    refusal = reason_not_to_resume(RUN, RUN | {key: value})
    assert refusal is not None
    assert f"differs in {key}" in refusal[0]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"),
        Exception("Error while serializing: I/O error: File too large (os error 27)"),
    ],
)
def test_a_full_disk_is_told_however_a_library_wraps_it(error: Exception, tmp_path: Path) -> None:
    checkpoint_in(tmp_path)
    (tmp_path / "checkpoint-4").mkdir()
    with pytest.raises(UnderstudyError, match="it resumes from checkpoint-2, which is complete"):  # noqa: SIM117
        with explain_full_disk(tmp_path, is_main=True):
            raise error
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-2"]


def test_any_other_error_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="connection"), explain_full_disk(tmp_path, is_main=True):
        raise RuntimeError("connection closed by peer")
