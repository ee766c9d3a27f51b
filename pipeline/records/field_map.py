"""A map: where the rows of an unforeseen file lie in it, as a JSONPath, and what their fields are called."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UnderstudyError

if TYPE_CHECKING:
    from jsonpath import JSONPath, JSONPathMatch

FIELDS = ("speaker", "text", "title", "input", "time")  # `input` is a title or a question, as in settings
KEYS = {"files", "rows", "columns", "scene"}
LIST, ROW = "list", "row"
ITSELF = "@"
ParseColumns = Callable[[Sequence[str]], Mapping[str, str]]  # "ours=theirs" pairs


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where rows lie, and what their fields are.

    `rows` is a JSONPath without its `$.`, in which `[]` stands for `[*]`. `columns` gives for each of ours the file's
    field: a key of the row or else of what it lies in, or a path from there; `@` is the row itself, `*2` the key that
    the second star or [] of `rows` stands for, and what is quoted is itself. `scene` says which rows are one
    conversation: those of one `list`, each `row` by itself, or those that have one value of the field that it names,
    one after another. `files` is a pattern of their paths' ends; without one the map is for every document in which it
    finds rows.
    """

    rows: str
    columns: Mapping[str, str]
    scene: str = LIST
    files: str | None = None

    def covers(self, path: Path) -> bool:
        """Whether its pattern, if it has one, matches the end of the path."""
        return self.files is None or path.match(self.files)

    def matches(self, document: Any) -> Iterator[Row]:
        """Its rows in the document, in their order."""
        path, stars = compile_path(self.rows)
        return (Row(match, stars) for match in path.finditer(document))


@dataclass(frozen=True, slots=True)
class Row:
    """A row that a map has found; `stars` are the places of the path's wildcards; None where they vary."""

    match: JSONPathMatch
    stars: tuple[int, ...] | None

    @property
    def place(self) -> str:
        """Its path in the document, such as plots[0].lines[3]."""
        return write_path([f"[{part}]" if isinstance(part, int) else part for part in self.match.parts])

    @property
    def list_place(self) -> tuple[int | str, ...]:
        """The path of the list that it lies in."""
        return tuple(self.match.parts[:-1])

    def field(self, name: str, *, climb: bool = True) -> str | None:
        """The text of a field of the row or, with `climb`, of the nearest of what it lies in; None without one."""
        if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
            return name[1:-1]
        if name.startswith("*"):
            return self._star(name)
        node: JSONPathMatch | None = self.match
        while node is not None:
            value = node.obj if name == ITSELF else _at(node.obj, name)
            if (text := _text(value)) is not None or not climb or name == ITSELF:
                return text
            node = node.parent
        return None

    def _star(self, name: str) -> str:
        """The key that a wildcard of the path stands for.

        Raises:
            UnderstudyError: there is no such wildcard.
        """
        if self.stars is None or not name[1:].isdigit() or not 1 <= int(name[1:]) <= len(self.stars):
            raise UnderstudyError(
                "columns", f"has {name!r}, which is no star of `rows`", fix="count its * and [] from 1"
            )
        return str(self.match.parts[self.stars[int(name[1:]) - 1]])


@functools.lru_cache(maxsize=256)
def compile_path(path: str) -> tuple[JSONPath, tuple[int, ...] | None]:
    """The path compiled, with the positions of its wildcards; None where it goes down to any depth.

    Raises:
        UnderstudyError: it is no JSONPath.
    """
    import jsonpath
    from jsonpath.segments import JSONPathRecursiveDescentSegment
    from jsonpath.selectors import WildcardSelector

    full = path.replace("[]", "[*]")
    full = full if full.startswith("$") else f"${full}" if full.startswith(("[", "..")) else f"$.{full}"
    try:
        compiled = jsonpath.compile(full)
    except jsonpath.JSONPathError as error:
        what = str(error).split("\n")[0]
        raise UnderstudyError("rows", f"{path!r} is no path ({what})", fix="write it as in plots[].lines[]") from error
    if not isinstance(compiled, jsonpath.JSONPath):
        raise UnderstudyError("rows", f"{path!r} is several paths", fix="give each a map of its own, in `maps`")
    segments = list(compiled.segments)
    if any(isinstance(segment, JSONPathRecursiveDescentSegment) for segment in segments):
        return compiled, None
    stars = [n for n, segment in enumerate(segments) if isinstance(segment.selectors[0], WildcardSelector)]
    return compiled, tuple(stars)


def parse_maps(
    maps: Sequence[Any] | str, rows: str | None, columns: Mapping[str, str], parse_columns: ParseColumns
) -> tuple[FieldMap, ...]:
    """The recipe's maps, checked; `rows` with `columns` is one for all files.

    Raises:
        UnderstudyError: a map has an unknown key, no rows, an unknown column, or a path that is none.
    """
    if isinstance(maps, str):
        maps = _from_json(maps)
    given = [_checked(f"maps, entry {number}", value, parse_columns) for number, value in enumerate(maps, 1)]
    if rows:
        given.append(FieldMap(rows, _known_columns("columns", columns)))
    for one in given:
        compile_path(one.rows)
    return tuple(given)


def _from_json(text: str) -> Sequence[Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        fix = 'write them as [{"rows": "plots[].lines[]", "columns": ["text=line"]}]'
        raise UnderstudyError("maps", f"is no JSON ({error})", fix=fix) from error
    return value if isinstance(value, list) else [value]


def _checked(where: str, value: Any, parse_columns: ParseColumns) -> FieldMap:
    shown = '{files: "*.json", rows: "plots[].lines[]", columns: [speaker=who, text=line]}'
    if not isinstance(value, Mapping) or not isinstance(value.get("rows"), str) or not value["rows"]:
        raise UnderstudyError(where, "says not where rows lie", fix=f"write it as {shown}")
    if unknown := [str(key) for key in value if key not in KEYS]:
        raise UnderstudyError(where, f"has {', '.join(unknown)}", fix=f"use {', '.join(sorted(KEYS))}")
    columns = value.get("columns", [])
    if not isinstance(columns, list) or not all(isinstance(pair, str) for pair in columns):
        raise UnderstudyError(where, f"has the columns {columns!r}", fix=f"write them as in {shown}")
    files = value.get("files")
    scene = str(value.get("scene", LIST))
    return FieldMap(
        value["rows"], _known_columns(where, parse_columns(columns)), scene, None if files is None else str(files)
    )


def _known_columns(where: str, columns: Mapping[str, str]) -> Mapping[str, str]:
    columns = {"title" if name == "source_title" else name: theirs for name, theirs in columns.items()}
    if unknown := [name for name in columns if name not in FIELDS]:
        raise UnderstudyError(where, f"has the column {unknown[0]!r}", fix=f"use {', '.join(FIELDS)}")
    return columns


def write_path(segments: Sequence[str]) -> str:
    """The segments as a path: a key that is no plain word is quoted; "[]", "[3]" and "*" are written as they are."""
    written = ""
    for segment in segments:
        if segment.startswith("[") and segment.endswith("]") and (segment == "[]" or segment[1:-1].isdigit()):
            written += segment
        elif segment == "*" or (segment.isidentifier() and max(segment) < "\U00010000"):  # of which the parser knows
            written += f".{segment}" if written else segment
        else:
            quoted = segment.replace("\\", "\\\\").replace("'", "\\'")
            quoted = "".join(char if char >= " " else f"\\u{ord(char):04x}" for char in quoted)
            written += f"['{quoted}']"
    return written or "$"


def _at(value: Any, name: str) -> Any:
    """What a key names in a mapping, or a path from there finds first; None where there is nothing."""
    if not isinstance(value, Mapping):
        return None
    if name in value:
        return value[name]
    if "." not in name and "[" not in name:
        return None
    return next((match.obj for match in compile_path(name)[0].finditer(value)), None)


def _text(value: Any) -> str | None:
    """A scalar, or a list of them, as text; None where it is none."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return "\n".join(value).strip()
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
