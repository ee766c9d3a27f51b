"""The record: one line of a character, or one passage or answer about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from pipeline.errors import UnderstudyError

Kind = Literal["background", "setting_qa", "dialogue"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a scene, by whoever speaks it."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a character.

    `prompt` is a passage's title, a settings question, or the title of a line's scene (empty when it has none).
    `context` holds the turns before a line, oldest first: real ones only. `source` is `file#position`. `scene` names
    the scene that a line was read in; `why` is the reason for its kind; `tags` are what else is known of it;
    `also` lists the other places of the very same record.
    """

    record_id: str
    kind: Kind
    prompt: str
    text: str
    context: tuple[Turn, ...]
    speaker: str
    source: str
    scene: str = ""
    why: str = ""
    tags: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def content_id(speaker: str, prompt: str, text: str, context: Sequence[Turn] = ()) -> str:
    """A record's id: the same content gets the same id, wherever it was read, whatever its kind."""
    content = json.dumps([speaker, prompt, text, [[turn.speaker, turn.text] for turn in context]], ensure_ascii=False)
    return hashlib.blake2b(content.encode(), digest_size=6).hexdigest()


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")


def read_records(path: Path) -> list[Record]:
    """Read what `write_records` wrote.

    Raises:
        UnderstudyError: the file is missing, or a line of it is no record.
    """
    if not path.is_file():
        raise UnderstudyError(path, "is not there", fix="run `understudy convert --config` with this recipe")
    records = []
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")  # a text may hold other line ends
    for number, line in enumerate(lines if lines != [""] else [], 1):
        try:
            fields = json.loads(line)
            context = tuple(Turn(**turn) for turn in fields.pop("context"))
            tags, also = tuple(fields.pop("tags", ())), tuple(fields.pop("also", ()))
            records.append(Record(**fields, context=context, tags=tags, also=also))
        except (ValueError, TypeError, KeyError) as error:
            raise UnderstudyError(f"{path}:{number}", f"is no record ({error})", fix="convert again") from error
    return records
