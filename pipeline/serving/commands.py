"""The commands that a user is told to give next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def chat_command(folder: str, names: Sequence[str]) -> str:
    """The command that talks to what lies in `folder`, where these characters were learnt."""
    return f"python -m pipeline.chat --adapter {folder}" + (f" --as {shlex.quote(names[0])}" if len(names) > 1 else "")
