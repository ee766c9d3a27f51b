"""Lines of a chapter that nobody is named to say: whose prompts they may stand in.

Whoever answers begins a paragraph, so what stands in the one above a line is another's. Anywhere else it may be the
speaker's own, and would be taught as what the other side says.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from pipeline.records.names import spelling
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.record import Turn

IN_DOUBT = "\0"  # before the number of such a turn, where whoever speaks next may have said it


def chapter_records(
    turns: Sequence[RawTurn], told: Mapping[str, str], title: str, options: ReadOptions
) -> Iterator[RawRecord]:
    """The turns with those before them; of what nobody is named to say only what cannot be the speaker's own.

    `told` is what is told in the paragraph at each place.
    """
    own, window = frozenset(map(spelling, options.names)), options.window
    if not turns:
        return
    numbered = _numbered(turns, told)
    for record in scene_records(numbered, title=title, place=turns[0].source, window=2 * window):
        context = _of_others(record, own)
        context = context[max(0, len(context) - window) :]
        yield replace(record, speaker=_without_number(record.speaker), context=context)


def _numbered(turns: Sequence[RawTurn], told: Mapping[str, str]) -> Iterator[RawTurn]:
    """The turns, each that is nobody's by a number of its own: they may be several people's."""
    said = [turn for turn in turns if not turn.unusable]
    around = {id(turn): (one, other) for one, turn, other in zip([None, *said], said, [*said[1:], None], strict=False)}
    for number, turn in enumerate(turns):
        if not turn.not_learnt:
            yield turn
            continue
        is_doubted = _may_be_of_the_next(turn, *around[id(turn)], told[turn.source])
        yield replace(turn, speaker=f"{IN_DOUBT if is_doubted else UNNAMED}{number}")


def _may_be_of_the_next(turn: RawTurn, before: RawTurn | None, after: RawTurn | None, told: str) -> bool:
    """Whether who speaks `after` it may have said it: it is told of in the paragraph, or speaks in it as well."""
    if after is None or after.source == turn.source:
        return True
    if before and before.source == turn.source and not before.not_learnt:
        return before.speaker == after.speaker
    return _does(after.speaker, told)


def _does(name: str, told: str) -> bool:
    """Whether a sentence or a clause begins with the name."""
    end = r"(?!\w)" if name.isascii() else ""
    return re.search(rf"(?:^|[^\w\s]\s*|\n){re.escape(name)}{end}", told) is not None


def _without_number(speaker: str) -> str:
    return UNNAMED if speaker.startswith((UNNAMED, IN_DOUBT)) else speaker


def _of_others(record: RawRecord, own: Set[str]) -> tuple[Turn, ...]:
    """The turns before a line, without those of nobody that may be its speaker's."""
    context = list[Turn]()
    for turn, after in itertools.pairwise((*record.context, Turn(record.speaker, record.text))):
        name = _without_number(turn.speaker)
        is_answered = after.speaker == record.speaker or {spelling(after.speaker), spelling(record.speaker)} <= own
        if name != UNNAMED or (is_answered and not turn.speaker.startswith(IN_DOUBT)):
            context.append(Turn(name, turn.text))
    return tuple(context)
