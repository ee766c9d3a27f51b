"""How a game's dialogue goes from node to node, and what is said before each line whichever way it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from pipeline.records.raw import RawRecord, RawTurn, scene_records

FARTHEST = 100  # nodes between two lines


@dataclass(frozen=True, slots=True)
class Flow:
    """The nodes from which it goes to each, those that somebody says, and those at which it begins.

    All others lie between lines: hubs, jumps, conditions, commands.
    """

    sources: Mapping[str, Sequence[str]]
    said: Set[str]
    starts: Set[str]
    known_before: dict[str, str | None] = field(default_factory=dict)  # what `before` has found

    def before(self, id: str) -> str | None:
        """The one line that always comes before this one; None where several may, or none does."""
        if id not in self.known_before:  # each line after it asks again
            self.known_before[id] = self._line_before(id)
        return self.known_before[id]

    def _line_before(self, id: str) -> str | None:
        found, seen, todo = set[str](), {id}, [*self.sources.get(id, ())]
        while todo:
            source = todo.pop()
            if source in self.said:
                found.add(source)
            elif source not in seen:
                seen.add(source)
                todo += self.sources.get(source, ())
            is_start = source not in self.said and (source in self.starts or not self.sources.get(source))
            if is_start or len(found) > 1 or len(seen) > FARTHEST:
                return None
        return found.pop() if found else None

    def line(self, id: str, turn: Callable[[str], RawTurn], *, title: str, place: str, window: int) -> RawRecord:
        """A line after up to `window` turns that always come before it, up to one that cannot be used."""
        chain, seen, one = list[RawTurn](), set[str](), id
        while len(chain) <= 2 * window:
            said = turn(one)
            if chain and said.unusable:
                break
            chain.append(said)
            seen.add(one)
            before = None if said.unusable else self.before(one)
            if before is None or before in seen:
                break
            one = before
        return [*scene_records(chain[::-1], title=title, place=place, window=window, each_line=True)][-1]
