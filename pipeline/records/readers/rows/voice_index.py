"""Indexes of a game's voices: an object of ids, each with who speaks (`npcName`) and what (`text`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions, mapping, string
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.rows.row_keys import count_unused

MARK = re.compile(r'\s*\{\s*"[^"]+"\s*:\s*\{[^{}]*"(?:npcName|fileName)"\s*:')
USES = frozenset({"npcName", "text"})


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object whose first value is a voice."""
    return bool(file.encoding) and MARK.match(file.beginning) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every voice as a line; one whose text the index does not have is set aside."""
    for number, value in mapping(str(file.path), json_document(file)).items():
        where = f"{file.path}#{number}"
        voice = mapping(where, value)
        count_unused(where, voice, USES, options.unused_keys)
        text, speaker = string(where, voice, "text"), string(where, voice, "npcName")
        yield RawRecord(where, speaker or UNNAMED, text, unusable="" if text else "a voice without its text")
