"""`logs.jsonl`: every log of a run, one JSON object a line; a resumed run continues it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.runs.files import LOG_FILE

Logs = list[dict[str, float]]


def read_logs(folder: Path) -> Logs:
    """The logs of the run in `folder`; a line that was cut off is left out."""
    path, logs = folder / LOG_FILE, []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                logs.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return logs


def append_log(folder: Path, log: Mapping[str, float]) -> None:
    """Append the log to the file."""
    with (folder / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(log) + "\n")


def drop_logs_after(folder: Path, step: int) -> None:
    """Drop what an interrupted run logged after the step that it resumes from; 0 drops all."""
    kept = [log for log in read_logs(folder) if log["step"] <= step] if step else []
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LOG_FILE).write_text("".join(json.dumps(log) + "\n" for log in kept), encoding="utf-8")
