"""The commands that are printed for the user to run next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def chat_command(folder: str, names: Sequence[str]) -> str:
    """The command that chats with the first of the characters that were trained into `folder`."""
    return f"python -m pipeline.chat --adapter {folder}" + (f" --as {shlex.quote(names[0])}" if len(names) > 1 else "")
