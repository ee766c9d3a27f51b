"""The ledger of exposures: what the plan promises, and what the trainer really consumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

import numpy as np

from pipeline.terminal import display_width, padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MAX_CHARACTERS_SHOWN = 12  # that a table names, those with the most exposures first


class KindExposures(TypedDict):
    """Exposures of one kind of record over a run; shares are of all records seen, and of what the loss weighs.

    Where a run has several characters, each has rows of its own.
    """

    character: NotRequired[str]
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
    kinds: Sequence[str],
    loss_tokens: Sequence[float],
    planned: Ints,
    realised: Ints | None = None,
    *,
    owners: Sequence[str] | None = None,
) -> list[KindExposures]:
    """One row a kind, in order of appearance.

    `loss_tokens[i]` is what an exposure of record i weighs in the loss: its supervised tokens, in the mean of its rows,
    times the weight of its kind. With `owners`, the character of each record ("" for none), one row for each
    character's each kind. Shares and per-record figures are those of `realised` where it is given, else of `planned`.
    """
    seen = planned if realised is None else realised
    tokens = np.asarray(loss_tokens, dtype=np.float64) * seen
    records: dict[tuple[str, str], list[int]] = {}
    for record, key in enumerate(zip(owners or [""] * len(kinds), kinds, strict=True)):
        records.setdefault(key, []).append(record)
    rows = []
    for (owner, kind), own in records.items():
        row = KindExposures(
            kind=kind,
            records=len(own),
            planned=int(planned[own].sum()),
            realised=None if realised is None else int(realised[own].sum()),
            per_record_min=int(seen[own].min()),
            per_record_mean=float(seen[own].mean()),
            per_record_max=int(seen[own].max()),
            share_of_records=float(seen[own].sum() / max(seen.sum(), 1)),
            share_of_loss_tokens=float(tokens[own].sum() / max(tokens.sum(), 1)),
        )
        rows.append(row | {"character": owner} if owners else row)
    return rows


def ledger_of(rows: Sequence[KindExposures], character: str) -> list[KindExposures]:
    """A character's rows of the ledger: of a run of one, all of them."""
    return [row for row in rows if row.get("character", character) == character]


def format_ledger(rows: Sequence[KindExposures]) -> str:
    """The ledger as a plain table; of several characters, a table of the kinds and one of the characters."""
    if not any("character" in row for row in rows):
        return _table("kind", {row["kind"]: row for row in rows})
    kinds = {kind: _sum([row for row in rows if row["kind"] == kind]) for kind in dict.fromkeys(_all(rows, "kind"))}
    names = [name for name in dict.fromkeys(_all(rows, "character")) if name]
    sums = {name: _sum(ledger_of(rows, name)) for name in names}
    named = sorted(names, key=lambda name: -sums[name]["planned"])[:MAX_CHARACTERS_SHOWN]
    more = f"\n... and {len(names) - len(named)} more, all in the run's ledger" if len(names) > len(named) else ""
    return f"{_table('kind', kinds)}\n{_table('character', {name: sums[name] for name in named})}{more}"


def _all(rows: Sequence[KindExposures], key: Literal["kind", "character"]) -> list[str]:
    return [row[key] for row in rows]


def _sum(rows: Sequence[KindExposures]) -> KindExposures:
    """Several rows as one."""
    records = sum(row["records"] for row in rows)
    realised = [row["realised"] for row in rows if row["realised"] is not None]
    return KindExposures(
        kind=rows[0]["kind"],
        records=records,
        planned=sum(row["planned"] for row in rows),
        realised=sum(realised) if len(realised) == len(rows) else None,
        per_record_min=min(row["per_record_min"] for row in rows),
        per_record_mean=sum(row["per_record_mean"] * row["records"] for row in rows) / records,
        per_record_max=max(row["per_record_max"] for row in rows),
        share_of_records=sum(row["share_of_records"] for row in rows),
        share_of_loss_tokens=sum(row["share_of_loss_tokens"] for row in rows),
    )


def _table(title: str, rows: Mapping[str, KindExposures]) -> str:
    width = max(12, 2 + max(map(display_width, rows), default=0))
    head = f"{'records':>8}{'planned':>9}{'seen':>9}{'each (min mean max)':>22}{'share':>8}{'of loss':>9}"
    lines = [padded(title, width) + head]
    for name, row in rows.items():
        each = f"{row['per_record_min']} {row['per_record_mean']:.1f} {row['per_record_max']}"
        seen = "-" if row["realised"] is None else str(row["realised"])
        lines.append(
            f"{padded(name, width)}{row['records']:>8}{row['planned']:>9}{seen:>9}{each:>22}"
            f"{row['share_of_records']:>8.1%}{row['share_of_loss_tokens']:>9.1%}"
        )
    return "\n".join(lines)


def format_agreement(planned: Ints, realised: Ints) -> str:
    """Whether every record was seen as often as planned, in a sentence."""
    if (planned == realised).all():
        return f"ledger: each of {len(planned)} records was seen exactly as often as planned"
    differ = int((planned != realised).sum())
    return f"ledger: {differ} of {len(planned)} records were not seen as often as planned; the run's ledger names them"
