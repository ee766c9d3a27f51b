"""The ledger of exposures: what the plan promises, and what the trainer really consumed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

LEDGER_FILE = "ledger.jsonl"


class LedgerRow(TypedDict):
    """Exposures of one kind of record over a run; shares are of all records seen and all loss tokens."""

    kind: str
    records: int
    planned: int
    realised: int | None
    per_record_min: int
    per_record_mean: float
    per_record_max: int
    share_of_records: float
    share_of_loss_tokens: float


def make_ledger(
    kinds: Sequence[str], loss_tokens: Sequence[float], planned: Ints, realised: Ints | None = None
) -> list[LedgerRow]:
    """One row a kind, in order of appearance. `loss_tokens[i]` is the mean number of supervised tokens of record i.

    Shares and per-record figures are those of `realised` where it is given, else of `planned`.
    """
    seen = planned if realised is None else realised
    names = np.asarray(kinds)
    tokens = np.asarray(loss_tokens, dtype=np.float64) * seen
    rows = []
    for kind in dict.fromkeys(kinds):
        of_kind = names == kind
        rows.append(
            LedgerRow(
                kind=kind,
                records=int(of_kind.sum()),
                planned=int(planned[of_kind].sum()),
                realised=None if realised is None else int(realised[of_kind].sum()),
                per_record_min=int(seen[of_kind].min()),
                per_record_mean=float(seen[of_kind].mean()),
                per_record_max=int(seen[of_kind].max()),
                share_of_records=float(seen[of_kind].sum() / max(seen.sum(), 1)),
                share_of_loss_tokens=float(tokens[of_kind].sum() / max(tokens.sum(), 1)),
            )
        )
    return rows


def format_ledger(rows: Sequence[LedgerRow]) -> str:
    """The ledger as a plain table."""
    head = f"{'kind':<12}{'records':>8}{'planned':>9}{'seen':>9}{'each (min mean max)':>22}{'share':>8}{'of loss':>9}"
    lines = [head]
    for row in rows:
        each = f"{row['per_record_min']} {row['per_record_mean']:.1f} {row['per_record_max']}"
        seen = "-" if row["realised"] is None else str(row["realised"])
        lines.append(
            f"{row['kind']:<12}{row['records']:>8}{row['planned']:>9}{seen:>9}{each:>22}"
            f"{row['share_of_records']:>8.1%}{row['share_of_loss_tokens']:>9.1%}"
        )
    return "\n".join(lines)


def agreement(planned: Ints, realised: Ints) -> str:
    """Whether every record was seen as often as planned, in a sentence."""
    if (planned == realised).all():
        return f"ledger: each of {len(planned)} records was seen exactly as often as planned"
    differ = int((planned != realised).sum())
    return f"ledger: {differ} of {len(planned)} records were not seen as often as planned; ledger.jsonl names them"


def write_exposures(
    folder: Path, record_ids: Sequence[str], kinds: Sequence[str], planned: Ints, realised: Ints
) -> None:
    """`ledger.jsonl` holds the exposures of every record, planned and realised."""
    with (folder / LEDGER_FILE).open("w", encoding="utf-8") as file:
        for record_id, kind, plan, real in zip(record_ids, kinds, planned.tolist(), realised.tolist(), strict=True):
            file.write(json.dumps({"record_id": record_id, "kind": kind, "planned": plan, "realised": real}) + "\n")


def read_exposures(folder: Path) -> dict[str, int]:
    """How often each record was seen, by the ledger of the run in `folder`; empty if it has none."""
    try:
        lines = (folder / LEDGER_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {row["record_id"]: row["realised"] for row in map(json.loads, lines)}
