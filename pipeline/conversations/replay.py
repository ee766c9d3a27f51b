"""General conversations of the user's own, replayed beside a character's so that the model forgets less."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.conversations.render import Conversation, Message, assistant
from pipeline.errors import UnderstudyError

ROLES = ("system", "user", "assistant")


def read_replay(paths: Sequence[str]) -> list[Conversation]:
    """Every conversation of the files, unchanged; its last reply is its completion.

    A line is `{"messages": [{"role", "content"}, ...]}` or `{"prompt": [...], "completion": [...]}`, as trl takes them.

    Raises:
        UnderstudyError: a file is missing or empty, or a line is no such conversation.
    """
    conversations = []
    for path in (Path(name).expanduser() for name in paths):
        if not path.is_file():
            raise UnderstudyError(path, "is not there", fix="correct `replay` in the recipe")
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
            if line.strip():
                conversations.append(_conversation(f"{path}:{number}", line))
    if paths and not conversations:
        raise UnderstudyError(", ".join(paths), "holds no conversation", fix="write one JSON object a line")
    return conversations


def _conversation(where: str, line: str) -> Conversation:
    try:
        entry: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise UnderstudyError(where, f"is broken JSON ({error.msg})", fix="repair the line") from error
    messages = _messages(entry)
    roles = [message["role"] for message in messages]
    turns = roles[1:] if roles[:1] == ["system"] else roles
    if len(turns) < 2 or turns != ["user", "assistant"] * (len(turns) // 2):
        raise UnderstudyError(
            where,
            f"is no conversation that alternates and ends with a reply: {' '.join(roles) or 'nothing'}",
            fix='write {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}',
        )
    reply = messages[-1]["content"].strip()
    if not reply:
        raise UnderstudyError(where, "ends with an empty reply", fix="write the reply, or delete the line")
    record_id = hashlib.blake2b(line.strip().encode(), digest_size=6).hexdigest()
    return Conversation(tuple(messages[:-1]), assistant(reply), record_id, "replay")


def _messages(entry: Any) -> list[Message]:
    """The entry's messages; none if it has another shape."""
    if not isinstance(entry, Mapping):
        return []
    listed = entry.get("messages") or [*_listed(entry.get("prompt")), *_listed(entry.get("completion"))]
    if not all(
        isinstance(one, Mapping) and one.get("role") in ROLES and isinstance(one.get("content"), str)
        for one in _listed(listed)
    ):
        return []
    return [Message(role=one["role"], content=one["content"]) for one in _listed(listed)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
