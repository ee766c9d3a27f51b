"""The result of one character's conversion: its records, and what became of everything else that was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.records.assembly import Assembled
from pipeline.records.joining import Joined
from pipeline.records.reading import FileReading
from pipeline.records.record import Record
from pipeline.records.reject import Reject


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of every raw record: `read == len(records) + duplicates + len(rejects)`.

    `read` counts what the files hold (`entries`) and the pieces that lines were split into beyond that (`split`).
    `broken` are the files of folders that cannot be read whole, and are left out; `near_names` other speakers, with
    their number of lines, whose name is nearly the character's; `other_names` those under which lines were taken.
    """

    character: str
    entries: int
    split: int
    assembled: Assembled
    files: tuple[FileReading, ...]
    passed_over: tuple[str, ...]
    problems: Counter[str]
    broken: tuple[str, ...] = ()
    near_names: Mapping[str, int] = field(default_factory=dict)
    other_names: Mapping[str, int] = field(default_factory=dict)
    near: tuple[tuple[Record, Record, float], ...] = ()
    joined: Joined | None = None
    others: tuple[Reject, ...] = field(default=(), repr=False)

    @property
    def read(self) -> int:
        """How many pieces there were to keep, merge or reject."""
        return self.entries + self.split

    @property
    def records(self) -> tuple[Record, ...]:
        """The records kept, in the order of the files."""
        return self.assembled.records

    def by_file(self) -> dict[str, list[Record]]:
        """Each file's records."""
        found: dict[str, list[Record]] = {file.path: [] for file in self.files}
        for record in self.records:
            place = record.source
            while place and place not in found:
                place = place[: max(place.rfind("#"), place.rfind(":"), place.rfind("!"), 0)]
            if place:
                found[place].append(record)
        return found

    @property
    def duplicates(self) -> int:
        """How many were merged with an equal one."""
        return self.assembled.duplicates

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """What is not kept, and why."""
        return (*self.others, *self.assembled.rejects)
