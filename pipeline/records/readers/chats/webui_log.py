"""text-generation-webui's chats: {"internal": [[user, reply], ...], "visible": the same as it was shown}."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import (
    CHARACTER,
    USER,
    RawRecord,
    RawTurn,
    ReadOptions,
    mapping,
    scene_records,
    sequence,
    string,
)
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.rows.row_keys import count_unused
from pipeline.records.role_play import without_players

MARK = re.compile(
    r'\s*\{\s*(?:"(?:internal|visible|data_visible)"\s*:\s*\[\s*\['
    r'|"data"\s*:\s*\[\s*\[(?:\s*"<\|BEGIN-VISIBLE-CHAT\|>"|.*"data_visible"\s*:))',
    re.DOTALL,
)
SHOWN = ("visible", "data_visible")  # with the program's markup; the latter is of before 2023-06
UNSHOWN = ("internal", "data")
USES = frozenset({*SHOWN, *UNSHOWN})
BEGIN = "<|BEGIN-VISIBLE-CHAT|>"  # stands for the user's turn before the greeting
MARKUP = re.compile(r"</?(?:audio|img|video|source)\b[^<>]*>")
LOGS, PERSISTENT = "chat", "_persistent"  # logs/chat/NAME/TIME.json; logs/persistent/NAME_persistent.json


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object that begins with a chat's pairs."""
    return bool(file.encoding) and MARK.match(file.beginning) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every turn of the chat, as it was shown; the marker of its beginning is no turn.

    Raises:
        UnderstudyError: it is broken, or a pair is none.
    """
    source = str(file.path)
    chat = mapping(source, json_document(file))
    count_unused(source, chat, USES, options.unused_keys)
    key = next((key for key in (*SHOWN, *UNSHOWN) if chat.get(key)), SHOWN[0])
    pairs = sequence(source, chat.get(key), key)
    turns = _turns(f"{source}#{key}", pairs, character_of(file.path), is_shown=key in SHOWN)
    yield from scene_records(without_players(turns, None), title="", place=source, window=options.window)


def character_of(path: Path) -> str:
    """Who replies in the chat: whose folder it lies in, or whom its name has; else the character that is wanted."""
    if path.parent.parent.name == LOGS:
        return path.parent.name
    return path.stem.removesuffix(PERSISTENT) if path.stem.endswith(PERSISTENT) else CHARACTER


def _turns(source: str, pairs: list[Any], character: str, *, is_shown: bool) -> Iterator[RawTurn]:
    for number, pair in enumerate(pairs):
        where = f"{source}.{number}"
        if not isinstance(pair, list) or len(pair) != 2:
            raise UnderstudyError(where, "is no pair of a turn and its reply", fix="delete it")
        for speaker, text in zip((USER, character), pair, strict=True):
            said = string(where, {"text": text}, "text")
            if said != BEGIN and (said := _shown_text(said) if is_shown else said):
                yield RawTurn(where, speaker, said)


def _shown_text(text: str) -> str:
    """The text that was shown, without the markup of sounds and pictures around it."""
    return html.unescape(MARKUP.sub("", text)).strip()
