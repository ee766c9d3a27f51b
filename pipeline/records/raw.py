"""What a file contains, before anything is decided about it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.field_map import FieldMap
from pipeline.records.record import Kind, Turn

CHARACTER = "{{char}}"  # the speaker where a file gives a role, not a name: the character that is converted
USER = ""  # the one who talks to the character
UNNAMED = "?"  # somebody whom the file does not name


class UnknownFormError(UnderstudyError):
    """A file without anything of a form that a reader knows: an error where it was named; in a folder passed over."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One line, passage or answer of a file.

    `asked` is the title or question that a settings file gives as `input`; `filed_under` the title that it is
    classified by, where that is not `asked`; `scene` the title of a line's scene and `place` what identifies the
    scene. `kind` and `why` are set where the form of the file decides the kind; `unusable` where it rules the record
    out, as the reason.
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
    """The options of the readers.

    `columns` gives a file's own name for each of ours; `character` is whose records are wanted, if it is one's, and
    `other_names` are its others; `window` is the most turns in a line's context; `maps` are for documents of any shape.
    `scene_gap` hours without a message end a chat's scene (0: nothing does), and with `merge_messages` one person's
    messages in a row are one. Readers count the keys that they do not use in `unused_keys`, and what they took upon
    themselves in `remarks`. `strict`: a broken file in a folder is an error, as one that was named itself always is.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    character: str | None = None
    other_names: tuple[str, ...] = ()
    window: int = 6
    maps: tuple[FieldMap, ...] = ()
    scene_gap: float = 6.0
    merge_messages: bool = False
    strict: bool = False
    unused_keys: Counter[str] = field(default_factory=Counter, compare=False)
    remarks: Counter[str] = field(default_factory=Counter, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """All that the character is called; nothing where everybody's records are wanted."""
        return tuple(name for name in (self.character, *self.other_names) if name)


@dataclass(frozen=True, slots=True)
class RawTurn:
    """One turn of a scene at its place in a file; `unusable` is the reason why it is no turn of the conversation.

    `not_learnt` is the reason why it is one, and is context for those after it, but may not be learnt.
    """

    source: str
    speaker: str
    text: str
    unusable: str = ""
    not_learnt: str = ""


def scene_records(
    turns: Iterable[RawTurn], *, title: str, place: str, window: int, each_line: bool = False
) -> Iterator[RawRecord]:
    """Each turn of a scene with up to `window` turns before it; what is unusable is no context either.

    Lines of one speaker in a row are one turn, so no turn follows another of its own speaker; with `each_line`, as for
    the messages of a chat, they are one turn for those after it, but each is a record of its own.
    """
    before: deque[Turn] = deque(maxlen=window)
    for turn in turns if each_line else merge_turns(turns):
        yield RawRecord(
            source=turn.source,
            speaker=turn.speaker,
            text=turn.text,
            scene=title,
            place=place,
            context=tuple(before),
            unusable=turn.unusable or turn.not_learnt,
        )
        if turn.unusable:
            continue
        if before and before[-1].speaker == turn.speaker:
            before[-1] = Turn(turn.speaker, f"{before[-1].text}\n{turn.text}")
        else:
            before.append(Turn(turn.speaker, turn.text))


def merge_turns(turns: Iterable[RawTurn]) -> Iterator[RawTurn]:
    """The turns, those of one speaker in a row as one; an unusable one between them does not separate them."""
    pending: RawTurn | None = None
    for turn in turns:
        if turn.unusable:
            yield turn
        elif pending and (turn.speaker, turn.not_learnt) == (pending.speaker, pending.not_learnt):
            pending = replace(pending, text=f"{pending.text}\n{turn.text}")
        else:
            if pending:
                yield pending
            pending = turn
    if pending:
        yield pending


def string(source: str, entry: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    """The text at `key`, stripped; empty where there is none.

    Raises:
        UnderstudyError: it is no text, or has a lone surrogate, or is `required` and absent.
    """
    value = entry.get(key)
    if value is None and required:
        raise UnderstudyError(source, f"has no '{key}'", fix=f"add '{key}' as a string, or delete the record")
    if value is None:
        return ""
    if not isinstance(value, str):
        what = "no string but a number" if type(value) in (int, float) else "no string"
        fix = f"write it in quotation marks, as a string, or delete the {'record' if required else 'key'}"
        raise UnderstudyError(source, f"has '{key}' that is {what}: {_short(value)}", fix=fix)
    return without_lone_surrogates(source, value, key).strip()


def without_lone_surrogates(source: str, text: str, key: str) -> str:
    """Returns the text, once it is sure that UTF-8 can encode it.

    Raises:
        UnderstudyError: it has a lone surrogate, which UTF-8 cannot encode.
    """
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise UnderstudyError(
            source, f"has a lone surrogate, half a character, in '{key}'", fix="write the escaped pair in full"
        )
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
