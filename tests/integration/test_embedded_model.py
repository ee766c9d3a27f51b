"""The embedded model: real, whole, and safe to ask for by several processes at once."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from pipeline.conversations.render import Message
from pipeline.models import embedded
from pipeline.models.checksums import file_sha256
from pipeline.models.embedded import embedded_model
from pipeline.models.generate import generate_reply
from pipeline.models.load import load_base_model, load_tokenizer

pytestmark = pytest.mark.model


def test_it_knows_the_capital_of_france() -> None:
    question = Message(role="user", content="What is the capital of France?")
    reply = generate_reply(load_base_model("embedded"), load_tokenizer("embedded"), [question])
    assert reply == "The capital of France is Paris."


def fake_build(folder: Path) -> None:
    """In place of the half-minute build: leaves a mark for each time that it ran."""
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "manifest.json").write_text(json.dumps({"model.safetensors": file_sha256(folder / "model.safetensors")}))
    with (folder.parent / "built").open("a") as file:
        file.write("once\n")


def ask(home: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERSTUDY_HOME", home)
        patch.setattr(embedded, "_build", fake_build)
        assert (embedded_model() / "model.safetensors").read_bytes() == b"weights"


def test_processes_that_ask_at_once_get_one_build(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=ask, args=(str(tmp_path),)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / "models" / "built").read_text() == "once\n"


def test_a_damaged_file_and_a_build_cut_off_are_made_good(tmp_path: Path) -> None:
    ask(str(tmp_path))
    (folder,) = (path for path in (tmp_path / "models").iterdir() if path.is_dir())
    (folder / "model.safetensors").write_bytes(b"weighty")
    (tmp_path / "models" / ".building-abc").mkdir()
    ask(str(tmp_path))
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert not (tmp_path / "models" / ".building-abc").exists()
