"""The table of doubtful records: written by `convert --review`, edited by a person, fed back by the recipe."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.records.assembly import Decision
from pipeline.records.classify import Doubt
from pipeline.records.record import KINDS, Record

COLUMNS = ("record_id", "kind", "proposed", "because", "why", "prompt", "text", "source")


def write_review(path: Path, doubts: Iterable[tuple[Record, Doubt]]) -> None:
    """A csv that spreadsheets open: one doubtful record a row, `kind` being the column to edit."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for record, found in doubts:
            row = (record.record_id, record.kind, found.proposed, found.because)
            writer.writerow((*row, record.why, _safe(record.prompt), _safe(record.text), record.source))


def read_review(path: Path) -> dict[str, Decision]:
    """The decision for each record id: a kind, or "reject".

    Raises:
        UnderstudyError: the file is missing or no such table, or a decision is unknown.
    """
    if not path.is_file():
        raise UnderstudyError(path, "is not there", fix="write it with `convert --review`, or correct `reviewed`")
    known: dict[str, Decision] = {kind: kind for kind in KINDS} | {"reject": "reject"}
    decisions: dict[str, Decision] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                where, kind = f"{path}:{reader.line_num}", (row.get("kind") or "").strip()
                if not row.get("record_id"):
                    raise UnderstudyError(where, "has no 'record_id'", fix="keep the columns that --review wrote")
                if kind not in known:
                    raise UnderstudyError(where, f"has the kind {kind!r}", fix=f"write one of {', '.join(known)}")
                decisions[row["record_id"]] = known[kind]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnderstudyError(path, f"is no table ({error})", fix="save it as csv in UTF-8") from error
    return decisions


def _safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
