"""What was offered for each question and what came of it, on disk, so that an interruption costs little."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Pair = tuple[str, str]  # a question and its answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question's wordings: those kept, how many passed the checks, and how many did not, by reason."""

    kept: tuple[str, ...]
    passed: int
    rejects: Mapping[str, int]


class OutcomeCache:
    """Offers and outcomes by question, written as they come: JSON lines, only ever appended to.

    The first entry for a question stands. What a killed process left of a line is passed over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offered: dict[Pair, tuple[str, ...]] = {}
        self.outcomes: dict[Pair, Outcome] = {}
        for entry in _entries(path):
            if "offered" in entry:
                for question, answer, wordings in entry["offered"]:
                    self.offered.setdefault((question, answer), tuple(wordings))
            else:
                outcome = Outcome(tuple(entry["kept"]), entry["passed"], entry["rejects"])
                self.outcomes.setdefault((entry["question"], entry["answer"]), outcome)

    def add_offered(self, block: Sequence[Pair], offered: Sequence[Sequence[str]]) -> None:
        """All of a block in one line: it was sampled together, so a part of it could not be had again by itself."""
        self.offered |= {pair: tuple(wordings) for pair, wordings in zip(block, offered, strict=True)}
        self._append({"offered": [[*pair, list(self.offered[pair])] for pair in block]})

    def add_outcome(self, pair: Pair, outcome: Outcome) -> None:
        """What was kept of those offered for a question."""
        self.outcomes[pair] = outcome
        self._append({"question": pair[0], "answer": pair[1], **asdict(outcome)})

    def _append(self, entry: Mapping[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"\n{json.dumps(entry, ensure_ascii=False)}")  # what was cut off before is left by itself


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            yield json.loads(line)
        except ValueError:
            continue
