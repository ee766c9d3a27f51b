"""Raw files to raw records: JSON lists and transcripts, alone or in folder trees."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.record import Turn

SPEAKER_LINE = re.compile(r"(?P<speaker>[^:：\s][^:：]{0,40}?)\s*[:：]\s*(?P<text>.*)")
SCENE_TITLE = re.compile(r"#+\s*(?P<title>.+)")


@dataclass(frozen=True, slots=True)
class RawRecord:
    """What stands in a file, before anything is decided about it.

    `asked` is the title or question that a settings file gives as `input`; `scene` the title of a line's scene.
    """

    source: str
    speaker: str
    text: str
    asked: str = ""
    scene: str = ""
    context: tuple[Turn, ...] = ()


def find_files(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files to read, and those passed over because no reader knows them; folder trees are walked in order.

    Raises:
        UnderstudyError: a path does not exist, or holds no file that a reader knows.
    """
    files: list[Path] = []
    passed_over: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UnderstudyError(path, "does not exist", fix="put the raw files there, or correct `raw` in the recipe")
        below = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        known = [file for file in below if file.suffix.lower() in READERS]
        if not known:
            raise UnderstudyError(
                path,
                f"holds no raw file among its {len(below)} files",
                fix=f"give files ending in {', '.join(READERS)}",
            )
        files += known
        passed_over += [file for file in below if file not in known]
    return list(dict.fromkeys(files)), passed_over


def read_file(path: Path) -> Iterator[RawRecord]:
    """Every raw record of a file, in its order.

    Raises:
        UnderstudyError: the file is not text of its form; the message holds the position.
    """
    return READERS[path.suffix.lower()](path, _decode(path))


def _decode(path: Path) -> str:
    data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnderstudyError(
            f"{path}:{line}",
            f"is not {encoding.removesuffix('-sig').upper()} text (byte {error.start})",
            fix=f"convert it, for example with `iconv -f GB18030 -t UTF-8 {path.name}`",
        ) from error


def _read_json(path: Path, content: str) -> Iterator[RawRecord]:
    try:
        entries = json.loads(content)
    except json.JSONDecodeError as error:
        raise UnderstudyError(
            f"{path}:{error.lineno}:{error.colno}", f"is broken JSON ({error.msg})", fix="repair the file at that place"
        ) from error
    if not isinstance(entries, list):
        raise UnderstudyError(path, "is not a list of records", fix='write it as [{"speaker": ..., "text": ...}, ...]')
    for position, entry in enumerate(entries):
        yield _json_record(f"{path}#{position}", entry)


def _json_record(source: str, entry: Any) -> RawRecord:
    if not isinstance(entry, Mapping):
        raise UnderstudyError(source, f"is {entry!r}, not a record", fix='write {"speaker": ..., "text": ...}')
    for key in ("speaker", "text"):
        if not isinstance(entry.get(key), str):
            raise UnderstudyError(source, f"has no '{key}'", fix=f"add '{key}' as a string, or delete the record")
    for key in ("speaker", "text", "input", "source_title"):
        value = entry.get(key) or ""
        if not isinstance(value, str):
            raise UnderstudyError(source, f"has '{key}' that is no string", fix=f"make '{key}' a string, or delete it")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise UnderstudyError(source, f"has half a character in '{key}'", fix="write the escaped pair in full")
    return RawRecord(
        source=source,
        speaker=entry["speaker"].strip(),
        text=entry["text"].strip(),
        asked=(entry.get("input") or "").strip(),
        scene=(entry.get("source_title") or "").strip(),
    )


def _read_transcript(path: Path, content: str) -> Iterator[RawRecord]:
    """Turns of a transcript, each with the turns of its scene before it; lines of one speaker in a row are one turn."""
    scene, turns = "", list[tuple[int, Turn]]()
    for number, raw_line in enumerate(content.splitlines(), 1):
        line = raw_line.strip()
        if not line or SCENE_TITLE.fullmatch(line):
            yield from _scene_records(path, scene, turns)
            turns = []
            if title := SCENE_TITLE.fullmatch(line):
                scene = title["title"]
            continue
        spoken = SPEAKER_LINE.fullmatch(line)
        if spoken is None:
            raise UnderstudyError(
                f"{path}:{number}",
                f"is neither 'Name: line' nor '## Title': {line[:40]!r}",
                fix="give the line a speaker",
            )
        turn = Turn(spoken["speaker"], spoken["text"])
        if turns and turns[-1][1].speaker == turn.speaker:
            first, before = turns[-1]
            turns[-1] = (first, Turn(turn.speaker, f"{before.text}\n{turn.text}"))
        else:
            turns.append((number, turn))
    yield from _scene_records(path, scene, turns)


def _scene_records(path: Path, scene: str, turns: Sequence[tuple[int, Turn]]) -> Iterator[RawRecord]:
    for index, (number, turn) in enumerate(turns):
        context = tuple(earlier for _, earlier in turns[:index])
        yield RawRecord(f"{path}:{number}", turn.speaker, turn.text, scene=scene, context=context)


READERS: Mapping[str, Callable[[Path, str], Iterator[RawRecord]]] = {".json": _read_json, ".txt": _read_transcript}
