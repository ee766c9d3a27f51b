"""The report of a run: its recall beside its logs, its ledger and its identity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Persona


def report_of_run(recall: Mapping[str, Any], folder: Path, persona: Persona) -> dict[str, Any]:
    """What the report shows: `recall` as `compare` gives it, and what the run in `folder` saved."""
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    lines = (folder / "logs.jsonl").read_text(encoding="utf-8").splitlines()
    logs = [json.loads(line) for line in lines]
    return {
        "character": persona.name,
        "language": persona.language,
        "model": run["model"],
        "recipe": run["recipe"],
        **recall,
        "curve": [log for log in logs if "loss" in log or "eval_loss" in log],
        "recall_curve": [
            {name.removeprefix("recall_"): value for name, value in log.items()}
            for log in logs
            if "recall_unseen_exact" in log
        ],
        "ledger": run["ledger"],
        "run": {
            key: run[key] for key in ("versions", "commit", "seconds", "world_size", "device", "steps", "rows", "data")
        },
    }
