"""Test splits among what is learnt: they are read, since they may be all there is, and reported."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPLIT = "split"  # the column
TEST = re.compile(r"(?:test|validation|valid|val|dev|eval)", re.IGNORECASE)
TEST_FILE = re.compile(rf"{TEST.pattern}(?:[-_.].*)?", re.IGNORECASE)
OF_ROWS = "rows of the split {!r} are learnt, too: delete them, or give what is to be learnt as a file of its own"
OF_FILE = "entries of {} are a test split and learnt with {}: take the file out of `raw` to leave them out"


def remark_of_row(row: Mapping[str, Any]) -> str:
    """What to say of a row of a test split; empty of any other."""
    split = row.get(SPLIT)
    return OF_ROWS.format(split.strip()) if isinstance(split, str) and TEST.fullmatch(split.strip()) else ""


def remarks_of_file(path: Path, entries: int) -> Counter[str]:
    """What to say of so many entries of a file that is a test split by its name and stands beside a train split."""
    beside = sorted(one.name for one in path.parent.glob(f"[Tt]rain*{path.suffix}")) if entries else []
    is_test = TEST_FILE.fullmatch(path.stem) is not None
    return Counter({OF_FILE.format(path.name, beside[0]): entries} if is_test and beside else {})
