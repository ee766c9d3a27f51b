"""Facts: the settings records that give one answer, however many wordings of the question there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.records.record import Record


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer of a character, and the settings records that ask for it, in their order."""

    answer: str
    records: tuple[Record, ...]

    @property
    def fact_id(self) -> str:
        """The id of the first record: the same content has the same id."""
        return self.records[0].record_id

    @property
    def questions(self) -> tuple[str, ...]:
        """The wordings that the user wrote."""
        return tuple(dict.fromkeys(record.prompt for record in self.records))


def facts_of(records: Iterable[Record]) -> list[Fact]:
    """The facts among the records, in order of appearance; of each character by itself."""
    together: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.kind == "setting_qa":
            together.setdefault((record.speaker, record.text), []).append(record)
    return [Fact(answer, tuple(own)) for (_, answer), own in together.items()]
