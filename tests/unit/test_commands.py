"""Commands that are printed for the user work where the program was started, as it was started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.evaluation.comparison import read_report
from pipeline.serving.commands import chat_command
from pipeline.stages import BY_NAME, STAGES, as_started
from tests.conftest import ROOT

BOTH = "run `python -m pipeline.chat --adapter DIR`, or understudy recall; the understudy sings"


def test_commands_are_named_as_the_program_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BY_NAME, raising=False)
    module = "run `python -m pipeline.chat --adapter DIR`, or python -m pipeline.recall; the understudy sings"
    assert as_started(BOTH) == module
    assert chat_command("out", ["Mira"]) == "python -m pipeline.chat --adapter out"
    monkeypatch.setenv(BY_NAME, "1")
    assert as_started(BOTH) == "run `understudy chat --adapter DIR`, or understudy recall; the understudy sings"
    assert chat_command("my out", ["Mira", "Bram"]) == "understudy chat --adapter 'my out' --as Mira"


@pytest.mark.parametrize("command", [["-c", "from pipeline.cli import main; main()", "chat"], ["-m", "pipeline.chat"]])
def test_help_and_errors_name_commands_as_started(command: list[str], tmp_path: Path) -> None:
    def started(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *command, *arguments], capture_output=True, text=True, cwd=ROOT)

    ours, others = "understudy chat --adapter DIR", "python -m pipeline.chat --adapter DIR"
    if command[0] == "-m":
        ours, others = others, ours
    said = " ".join(started("--help").stdout.split("options:")[0].split("\n\n", 1)[1].split())
    assert ours in said
    assert others not in said
    (tmp_path / "run.json").write_text(json.dumps({"model": "embedded", "arguments": {"dtype": "float32"}}))
    error = started("--adapter", str(tmp_path)).stderr  # it has no persona.json
    assert ("`understudy train`" if command[0] == "-c" else "`python -m pipeline.train`") in error


def test_the_list_of_stages_has_room_for_the_longest_name() -> None:
    code = "from pipeline.cli import main; main()"
    said = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, cwd=ROOT).stdout
    assert all(f"  {stage} " in said for stage in STAGES)


def test_a_run_that_was_not_measured_is_measured_by_the_command_that_is_advised(tmp_path: Path) -> None:
    run = {"model": "embedded", "arguments": {"dtype": "float32"}, "recipe": "recipes/my demo.yaml"}
    (tmp_path / "run.json").write_text(json.dumps(run))
    with pytest.raises(UnderstudyError, match=r"recall --config 'recipes/my demo\.yaml' --adapter " + str(tmp_path)):
        read_report(tmp_path)
