"""The commands that are printed for the user to run next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pipeline.stages import as_started


def chat_command(folder: str, names: Sequence[str]) -> str:
    """The command that chats with the first of the characters that were trained into `folder`."""
    whom = f" --as {shlex.quote(names[0])}" if len(names) > 1 else ""
    return as_started(f"understudy chat --adapter {shlex.quote(folder)}{whom}")
