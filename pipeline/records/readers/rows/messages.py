"""Conversations by role: {"messages"}, {"prompt", "completion"}, ShareGPT's {"conversations"}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    without_lone_surrogates,
)
from pipeline.records.readers.rows.alpaca import reply_to
from pipeline.records.readers.rows.row_keys import count_unused, why_not_learnt
from pipeline.records.readers.rows.turn_labels import turns_within

ROLES: Mapping[str, str] = {
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
    "char": "assistant", "user": "user", "human": "user", "system": "system", "developer": "system", "tool": "tool",
    "function": "tool", "function_call": "tool", "observation": "tool",
}  # fmt: skip
TURN_KEYS = (("role", "content"), ("from", "value"))  # of a role and its text, in either list of turns
SYSTEM_PROMPT = "a system prompt"
UNUSABLE: Mapping[str, str] = {"system": SYSTEM_PROMPT, "tool": "a tool's message"}


def read_messages(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """Every message as a turn; the assistant is the character."""
    yield from _conversation(source, sequence(source, row["messages"], "messages"), options)


def read_sharegpt(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """Every turn; gpt is the character."""
    turns = sequence(source, row["conversations"], "conversations")
    yield from _conversation(source, turns, options)


def read_completion(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """A prompt and its completion, as messages or as plain texts."""
    if isinstance(row.get("prompt"), str):
        yield reply_to(string(source, row, "prompt"), string(source, row, "completion", required=True), source)
        return
    turns = [*sequence(source, row.get("prompt"), "prompt"), *sequence(source, row.get("completion"), "completion")]
    yield from _conversation(source, turns, options)


def _conversation(source: str, turns: list[Any], options: ReadOptions) -> Iterator[RawRecord]:
    raw_turns = (_turn(f"{source}.{index}", turn, options) for index, turn in enumerate(turns))
    said = (one for turn in raw_turns for one in turns_within(turn, options.names))
    yield from scene_records(said, title="", place=source, window=options.window)


def _turn(source: str, value: Any, options: ReadOptions) -> RawTurn:
    turn = mapping(source, value)
    role_key, text_key = next((pair for pair in TURN_KEYS if pair[0] in turn), TURN_KEYS[0])
    count_unused(source, turn, {role_key, text_key, "name"}, options.unused_keys)
    role = ROLES.get(string(source, turn, role_key, required=True).lower())
    if role is None:
        raise UnderstudyError(source, f"has the role {turn[role_key]!r}", fix=f"use one of {', '.join(ROLES)}")
    name = string(source, turn, "name") or (CHARACTER if role == "assistant" else USER)
    return RawTurn(source, name, _text(source, turn, text_key), UNUSABLE.get(role, ""), why_not_learnt(source, turn))


def _text(source: str, turn: Mapping[str, Any], key: str) -> str:
    """The turn's text; of a list of parts those that are text."""
    if not isinstance(turn.get(key), list):
        return string(source, turn, key)
    parts = [mapping(source, part).get("text") for part in turn[key]]
    return without_lone_surrogates(source, "\n".join(part for part in parts if isinstance(part, str)), key).strip()
