"""`ledger.jsonl`: the exposures of every record, planned and realised, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.runs.files import LEDGER_FILE

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints


def write_exposures(
    folder: Path,
    record_ids: Sequence[str],
    kinds: Sequence[str],
    planned: Ints,
    realised: Ints,
    *,
    owners: Sequence[str] | None = None,
) -> None:
    """`ledger.jsonl` holds the exposures of every record, planned and realised, and with `owners` whose it is."""
    whose = [{"character": owner} for owner in owners] if owners else [{}] * len(kinds)
    with (folder / LEDGER_FILE).open("w", encoding="utf-8") as file:
        for record_id, own, kind, plan, real in zip(
            record_ids, whose, kinds, planned.tolist(), realised.tolist(), strict=True
        ):
            row = {"record_id": record_id, **own, "kind": kind, "planned": plan, "realised": real}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_exposures(folder: Path) -> dict[str, int]:
    """How often each record was seen, by the ledger of the run in `folder`; empty if it has none."""
    try:
        lines = (folder / LEDGER_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {row["record_id"]: row["realised"] for row in map(json.loads, lines)}
