"""A document of any shape whose rows a map of the recipe finds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.chat_scenes import chat_records
from pipeline.records.chat_times import parse_time
from pipeline.records.field_map import FIELDS, ITSELF, LIST, ROW, FieldMap, Row
from pipeline.records.raw import (
    UNNAMED,
    RawRecord,
    RawTurn,
    ReadOptions,
    UnknownFormError,
    scene_records,
    without_lone_surrogates,
)
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows.documents import documents, is_document
from pipeline.records.readers.rows.row_keys import count_unused, why_not_learnt
from pipeline.records.shape import describe_shape

KEY = re.compile(r"[^\s.\[\]'\"$*@]+")  # in a path


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether it is a document that a map's pattern names, or in which a map without one finds a row."""
    maps = [one for one in options.maps if one.covers(file.path)]
    if not maps or not is_document(file):
        return False
    return any(one.files is not None for one in maps) or _finds_rows(file, maps)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of every map for the file, one document after another; a map that finds none is counted as unused.

    Raises:
        UnknownFormError: no map finds a row; says what shape the file has.
    """
    maps = [one for one in options.maps if one.covers(file.path)]
    found: set[str] = set()
    for place, document in documents(file):
        for one in maps:
            for raw in _records(place, one, document, options):
                found.add(one.rows)
                yield raw
    options.unused_keys.update(f"the map {one.rows}" for one in maps if one.rows not in found)
    if not found:
        paths = ", ".join(one.rows for one in maps)
        raise UnknownFormError(
            file.path,
            f"has no rows at {paths}",
            fix=describe_shape([value for _, value in documents(file)], file.path.name, options.names),
        )


def _finds_rows(file: RawFile, maps: Iterable[FieldMap]) -> bool:
    try:
        found = (one.matches(value) for _, value in documents(file) for one in maps)
        return any(next(rows, None) is not None for rows in found)
    except UnderstudyError:
        return False  # the reader of the form says where it is broken


def _records(place: str, one: FieldMap, document: Any, options: ReadOptions) -> Iterator[RawRecord]:
    for _, rows in itertools.groupby(one.matches(document), key=lambda row: _scene(one, row)):
        turns = [(row, _turn(place, one, row, options)) for row in rows]
        first = turns[0][0]
        scene = f"{place}#{write_list_place(first)}" if one.scene == LIST else turns[0][1].source
        if "input" in one.columns or one.scene == ROW or len({turn.speaker for _, turn in turns}) == 1:
            yield from (_single(one, row, turn, scene) for row, turn in turns)
        else:
            yield from _conversation(one, turns, scene, options)


def _conversation(
    one: FieldMap, turns: Sequence[tuple[Row, RawTurn]], scene: str, options: ReadOptions
) -> Iterator[RawRecord]:
    """The rows as a scene; with times, as a chat's messages."""
    if "time" in one.columns:
        yield from chat_records(((turn, parse_time(_field(one, row, "time"))) for row, turn in turns), options)
        return
    title = _field(one, turns[0][0], "title")
    yield from scene_records([turn for _, turn in turns], title=title, place=scene, window=options.window)


def _scene(one: FieldMap, row: Row) -> object:
    """What the rows of one conversation have in common."""
    if one.scene == LIST:
        return row.list_place
    return row.place if one.scene == ROW else row.field(one.scene)


def write_list_place(row: Row) -> str:
    """The place in the document of the list that the row lies in."""
    return row.place.rpartition("[")[0] or row.place


def _turn(place: str, one: FieldMap, row: Row, options: ReadOptions) -> RawTurn:
    source = f"{place}#{row.place}"
    content = row.match.obj
    if isinstance(content, dict):
        used = [own.columns.get(name, name).partition(".")[0] for own in options.maps for name in FIELDS]
        lead_on = [key for own in options.maps for key in KEY.findall(own.rows)]  # to rows of other maps
        count_unused(source, content, [*used, *lead_on, one.scene], options.unused_keys)
    named = one.columns.get("text", ITSELF if isinstance(content, str) else "text")
    text = row.field(named, climb=False)
    speaker = row.field(one.columns.get("speaker", "speaker")) or UNNAMED
    return RawTurn(
        source,
        without_lone_surrogates(source, speaker, "speaker"),
        without_lone_surrogates(source, text or "", "text"),
        "" if text is not None else f"no {named!r} in its row",
        why_not_learnt(source, content) if isinstance(content, dict) else "",
    )


def _single(one: FieldMap, row: Row, turn: RawTurn, scene: str) -> RawRecord:
    """A row by itself, or one of a list in which a single person speaks: its lines answer nobody."""
    return RawRecord(
        turn.source,
        turn.speaker,
        turn.text,
        asked=_field(one, row, "input"),
        scene=_field(one, row, "title"),
        place=scene if one.scene != ROW else "",
        unusable=turn.unusable or turn.not_learnt,
    )


def _field(one: FieldMap, row: Row, name: str) -> str:
    return (row.field(one.columns[name]) or "") if name in one.columns else ""
