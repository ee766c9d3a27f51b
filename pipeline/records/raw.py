"""What stands in a file, before anything is decided about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.record import Kind, Turn

CHARACTER = "{{char}}"  # the speaker where a file gives a role, not a name: whoever is being converted
USER = ""  # the one who talks to the character
UNNAMED = "?"  # somebody whom the file does not name


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One thing that is said or told in a file.

    `asked` is the title or question that a settings file gives as `input`; `filed_under` the title that says what
    kind of record it is, where that is not `asked`; `scene` the title of a line's scene and `place` what tells the
    scene from others. `kind` and `why` are set where the form of the file decides; `unusable` where it forbids.
    """

    source: str
    speaker: str
    text: str
    asked: str = ""
    filed_under: str = ""
    scene: str = ""
    place: str = ""
    context: tuple[Turn, ...] = ()
    kind: Kind | None = None
    why: str = ""
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What readers are told: `columns` gives a file's own name for each of ours; `window` bounds a line's context."""

    columns: Mapping[str, str] = field(default_factory=dict)
    window: int = 6


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a scene at its place in a file; `unusable` says why it is no turn of the conversation."""

    source: str
    speaker: str
    text: str
    unusable: str = ""


def scene_records(turns: Iterable[Said], *, title: str, place: str, window: int) -> Iterator[RawRecord]:
    """Each turn of a scene with up to `window` turns before it; what is unusable is no context either.

    Lines of one speaker in a row are one turn, so no turn follows another of its own speaker.
    """
    before: deque[Turn] = deque(maxlen=window)
    for turn in merged(turns):
        yield RawRecord(
            source=turn.source,
            speaker=turn.speaker,
            text=turn.text,
            scene=title,
            place=place,
            context=tuple(before),
            unusable=turn.unusable,
        )
        if not turn.unusable:
            before.append(Turn(turn.speaker, turn.text))


def merged(turns: Iterable[Said]) -> Iterator[Said]:
    """The turns, those of one speaker in a row as one; an unusable one between them parts nothing."""
    pending: Said | None = None
    for turn in turns:
        if turn.unusable:
            yield turn
        elif pending and turn.speaker == pending.speaker:
            pending = Said(pending.source, pending.speaker, f"{pending.text}\n{turn.text}")
        else:
            if pending:
                yield pending
            pending = turn
    if pending:
        yield pending


def string(source: str, entry: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    """The text at `key`, stripped; empty where there is none.

    Raises:
        UnderstudyError: it is no text, or half a character, or `required` and absent.
    """
    value = entry.get(key)
    if required and not isinstance(value, str):
        raise UnderstudyError(source, f"has no '{key}'", fix=f"add '{key}' as a string, or delete the record")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnderstudyError(source, f"has '{key}' that is no string", fix=f"make '{key}' a string, or delete it")
    return whole_characters(source, value, key).strip()


def whole_characters(source: str, text: str, key: str) -> str:
    """The text itself.

    Raises:
        UnderstudyError: it holds half a surrogate pair, which no file can.
    """
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise UnderstudyError(source, f"has half a character in '{key}'", fix="write the escaped pair in full")
    return text


def mapping(source: str, value: Any) -> Mapping[str, Any]:
    """The value as a mapping.

    Raises:
        UnderstudyError: it is none.
    """
    if not isinstance(value, Mapping):
        raise UnderstudyError(
            source, f"is {_short(value)}, not a record", fix='write it as {"key": "value", ...}, or delete it'
        )
    return value


def sequence(source: str, value: Any, what: str) -> list[Any]:
    """The value as a list.

    Raises:
        UnderstudyError: it is none.
    """
    if not isinstance(value, list):
        raise UnderstudyError(source, f"has {what} that are {_short(value)}, not a list", fix="write them as [...]")
    return value


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
