"""Rows that lie deep in a file, found by the user's own map: JSON, JSON lines, YAML and XML.

A map is `PATTERN: rows=PATH, ours=theirs, ...`. PATH leads to the rows: `name` goes into a key, `name[]` into each
element of the list there, `*` into the value of every key, `[]` into each element of a list. A row has its own keys and
those of everything above it, the nearest first; `@key` is the last key that `*` went through, `@value` the row itself
where it is a plain text. What one list holds is one conversation.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import CHARACTER, RawRecord, RawTurn, ReadOptions, RowMap, scene_records
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.documents import document_of, is_document
from pipeline.records.readers.rows import read_rows

OURS = ("speaker", "text", "title", "input")
KEY, VALUE = "@key", "@value"
STEP = re.compile(r"(?P<name>[^.\[\]]+)?(?P<each>\[\])?")


@dataclass(frozen=True, slots=True)
class Row:
    """A row at its place, in the list (or mapping) that is its scene, with the keys of all above it."""

    source: str
    scene: str
    fields: Mapping[str, Any]


def parse_map(text: str) -> RowMap:
    """The map that is written so.

    Raises:
        UnderstudyError: it is not written as a map is.
    """
    pattern, _, rest = text.rpartition(": ")
    pairs = [part.strip().partition("=") for part in rest.split(",") if part.strip()]
    values = {name.strip(): value.strip() for name, _, value in pairs}
    path = parse_path(values.pop("rows", ""))
    unknown = [name for name in values if name not in OURS]
    if not path or unknown or not all(values.values()):
        what = f"has {unknown[0]!r}, which is none of {', '.join(OURS)}" if unknown else "has no rows=PATH"
        raise UnderstudyError(
            f"maps: {text!r}", what, fix="write it as 'FILES: rows=books[].lines[], speaker=who, text=line'"
        )
    return RowMap(pattern.strip() or "*", path, values)


def parse_path(text: str) -> tuple[str, ...]:
    """The path's steps: a key's name, `*`, or `[]`.

    Raises:
        UnderstudyError: it is no path.
    """
    steps: list[str] = []
    for part in text.split(".") if text else ():
        step = STEP.fullmatch(part)
        if step is None or not part:
            raise UnderstudyError(f"rows: {text!r}", "is no path", fix="write it as books[].scenes[].lines[]")
        steps += [one for one in (step["name"], step["each"]) if one]
    return tuple(steps)


def map_for(file: RawFile, options: ReadOptions) -> RowMap | None:
    """The first map whose pattern the file's name, or the end of its path, matches."""
    path = file.path.as_posix()
    return next(
        (one for one in options.maps if fnmatch(file.path.name, one.pattern) or fnmatch(path, f"*/{one.pattern}")), None
    )


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether there is a map for it, and it is JSON, YAML or XML."""
    return bool(options.maps) and is_document(file) and map_for(file, options) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of its rows; the lines of one list have those before them as context.

    Raises:
        UnderstudyError: it is broken, or nothing lies at the end of the path.
    """
    row_map = map_for(file, options)
    if row_map is None:
        return
    rows = list(walk(document_of(file), row_map.path, str(file.path)))
    if not rows:
        raise UnderstudyError(
            file.path,
            f"has no rows at {written(row_map.path)}",
            fix="correct the path of the map, or narrow the pattern of its files",
        )
    for _, scene in itertools.groupby(rows, key=lambda row: row.scene):
        yield from _of_scene(list(scene), row_map.columns, options)


def written(path: tuple[str, ...]) -> str:
    """The path as a map has it."""
    return "".join(step if step == "[]" else f".{step}" for step in path).removeprefix(".")


def walk(
    value: Any, path: tuple[str, ...], source: str, scene: str = "", above: Mapping[str, Any] | None = None
) -> Iterator[Row]:
    """The rows at the end of the path; what has not its next step has none."""
    above = above or {}
    if not path:
        yield Row(source, scene or source, {**above, **(value if isinstance(value, Mapping) else {VALUE: value})})
        return
    step, rest = path[0], path[1:]
    if step == "[]":
        for number, element in enumerate(value if isinstance(value, list) else ()):
            yield from walk(element, rest, f"{source}#{number}", source, above)
    elif isinstance(value, Mapping):
        inherited = {**above, **{key: one for key, one in value.items() if isinstance(one, str | int | float)}}
        for key in list(value) if step == "*" else [step] if step in value else []:
            known = {**inherited, KEY: str(key)} if step == "*" else inherited
            yield from walk(value[key], rest, f"{source}#{key}", source, known)


def _of_scene(rows: list[Row], columns: Mapping[str, str], options: ReadOptions) -> Iterator[RawRecord]:
    """A scene's records: as a conversation if they are lines, else each by itself as its form has it."""
    named = [(row.source, _renamed(row, columns)) for row in rows]
    if "text" not in columns or "input" in columns:
        yield from read_rows(named, options)
        return
    turns = [
        RawTurn(source, _said(source, row, "speaker") or CHARACTER, _said(source, row, "text")) for source, row in named
    ]
    one_speaker = len({turn.speaker for turn in turns}) == 1  # a list of somebody's lines is no speech of one piece
    title = _said(*named[0], "source_title")
    yield from scene_records(turns, title=title, place=rows[0].scene, window=options.window, each_line=one_speaker)


def _renamed(row: Row, columns: Mapping[str, str]) -> dict[str, Any]:
    """The row under our names."""
    found: dict[str, Any] = {} if columns else dict(row.fields)
    for ours, theirs in columns.items():
        value: Any = row.fields
        for part in theirs.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            found["source_title" if ours == "title" else ours] = value
    if "input" in columns:
        found.setdefault("speaker", CHARACTER)
    return found


def _said(source: str, row: Mapping[str, Any], key: str) -> str:
    """The text at the key, a number being one.

    Raises:
        UnderstudyError: a list or a mapping stands there.
    """
    value = row.get(key, "")
    if not isinstance(value, str | int | float):
        raise UnderstudyError(source, f"has a {key} that is no text", fix="lead the map's path, or its column, to one")
    return str(value).strip()
