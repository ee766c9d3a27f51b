"""The report of a run: its recall beside its logs, its ledger and its identity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Persona
from pipeline.mixture.ledger import ledger_of


def report_of_run(recall: Mapping[str, Any], folder: Path, persona: Persona) -> dict[str, Any]:
    """What the report shows: `recall` as `compare` gives it, and what the run in `folder` saved."""
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    lines = (folder / "logs.jsonl").read_text(encoding="utf-8").splitlines()
    logs = [_of(json.loads(line), persona.name) for line in lines]
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
        "ledger": ledger_of(run["ledger"], persona.name),
        "run": {
            key: run[key] for key in ("versions", "commit", "seconds", "world_size", "device", "steps", "rows", "data")
        },
    }


def _of(log: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A log as it concerns one character of several: its own recall stands for that of all; nobody's figures else."""
    own = {key.removesuffix(f"_of_{name}"): value for key, value in log.items() if key.endswith(f"_of_{name}")}
    recall = {key: value for key, value in own.items() if key.startswith("recall_")}
    return {key: value for key, value in log.items() if "_of_" not in key} | recall
