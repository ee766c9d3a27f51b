"""What an unknown file of nested data looks like, and the map by which its rows could be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.documents import document_of, is_document
from pipeline.records.readers.mapped import KEY, VALUE, Row, walk, written

MOST_PATHS, MOST_FIELDS, MOST_KEYS = 6, 5, 24  # shown; beyond that many keys of one shape, a mapping is keyed by names
SPEAKERS = ("speaker", "character", "name", "who", "role", "actor", "talker", "npcName", "author", KEY)
TITLES = ("title", "summary", "topic", "chapter", "scene", KEY, "name")
SAMPLE = 24  # characters of a field
WALKED = 400  # rows looked at


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows at a path."""

    path: tuple[str, ...]
    rows: Sequence[Row]
    fields: Mapping[str, str]  # the texts of the rows' own keys, each with a sample


def find_rows(document: Any) -> list[Rows]:
    """Every path at whose end rows with a text lie, those with the most text first."""
    found = []
    for path in _paths(document, ()):
        rows = [row for row, _ in zip(walk(document, path, ""), range(WALKED), strict=False)]
        own = _texts(document, path, rows)
        if own:
            found.append(
                (sum(len(str(row.fields.get(name, ""))) for row in rows for name in own), Rows(path, rows, own))
            )
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]


def format_shape(found: Sequence[Rows]) -> str:
    """The paths with their number of rows, keys and samples."""
    lines = []
    for one in found[:MOST_PATHS]:
        fields = ", ".join(f"{name} ({sample!r})" for name, sample in list(one.fields.items())[:MOST_FIELDS])
        lines.append(f"{written(one.path)}: {len(one.rows)} x {fields}")
    return "; ".join(lines)


def guess_map(found: Sequence[Rows], pattern: str) -> str | None:
    """The map of the rows with the most text, ready to be written into a recipe; None where there are none."""
    if not found:
        return None
    best = found[0]
    fields = best.rows[0].fields
    text = max(best.fields, key=lambda name: _mean_length(best.rows, name))
    named = [name for name in SPEAKERS if name in fields and name != text and _is_text(best.rows, name)]
    repeated = [name for name in named if len({row.fields.get(name) for row in best.rows}) < len(best.rows)]
    speaker = next(iter([*repeated, *named]), None)
    titles = [name for name in TITLES if name in fields and name not in (text, speaker) and _is_text(best.rows, name)]
    columns = [f"text={text}"]
    columns += [f"speaker={speaker}"] if speaker else []
    columns += [f"title={titles[0]}"] if titles else []
    return f"{pattern}: rows={written(best.path)}, {', '.join(columns)}"


def advice(file: RawFile) -> str | None:
    """What to do with a file of nested data whose form nobody knows: its shape, and the map of its rows."""
    try:
        found = find_rows(document_of(file)) if is_document(file) else []
    except UnderstudyError:
        return None
    guess = guess_map(found, file.path.name)
    if guess is None:
        return None
    return f'say where its rows lie, perhaps by `maps: ["{guess}"]` in the recipe (it holds {format_shape(found)})'


def _paths(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths to every list, and to every mapping that is keyed by names, in what is like the first of each."""
    if isinstance(value, list):
        yield (*path, "[]")
        nested = [element for element in value[:WALKED] if isinstance(element, Mapping | list)]
        yield from dict.fromkeys(longer for one in nested for longer in _paths(one, (*path, "[]")))
    elif isinstance(value, Mapping) and _is_keyed(value):
        yield (*path, "*")
        yield from dict.fromkeys(
            longer for one in list(value.values())[:WALKED] for longer in _paths(one, (*path, "*"))
        )
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if not set(str(key)) & set(".[],=:"):
                yield from _paths(one, (*path, str(key)))


def _is_keyed(value: Mapping[str, Any]) -> bool:
    """Whether its keys are names of things, not of fields: two or more, of values with the same keys, or of lists."""
    if len(value) < 2:
        return False
    shapes = Counter(frozenset(one) if isinstance(one, Mapping) else type(one).__name__ for one in value.values())
    (shape, count), *_ = shapes.most_common(1)
    alike = count == len(value) and shape not in ("str", "int", "float", "bool", "NoneType", frozenset())
    return alike or (len(value) > MOST_KEYS and count > len(value) / 2)


def _texts(document: Any, path: tuple[str, ...], rows: Sequence[Row]) -> dict[str, str]:
    """The rows' own keys that hold texts, each with a sample."""
    if not rows:
        return {}
    above = set(next(iter(walk(document, path[:-1], "")), rows[0]).fields) if len(path) > 1 else set()
    names = list(dict.fromkeys(name for row in rows for name in row.fields))
    own = [name for name in names if name == VALUE or (name not in above and name != KEY)]
    return {name: _sample(rows, name) for name in own if _is_text(rows, name) and _mean_length(rows, name) > 0}


def _is_text(rows: Sequence[Row], name: str) -> bool:
    values = [row.fields[name] for row in rows if name in row.fields]
    return bool(values) and all(isinstance(value, str) for value in values)


def _mean_length(rows: Sequence[Row], name: str) -> float:
    values = [row.fields[name] for row in rows if isinstance(row.fields.get(name), str)]
    return sum(map(len, values)) / len(rows)


def _sample(rows: Sequence[Row], name: str) -> str:
    text = next(row.fields[name] for row in rows if row.fields.get(name))
    return text if len(text) <= SAMPLE else f"{text[:SAMPLE]}..."
