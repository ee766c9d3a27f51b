"""Another of the program's commands, started from a page, with what it prints as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from nicegui import ui

from pipeline.serving.screen import printable

LINE_ENDS = re.compile(rb"[\r\n]+")
MOST_AT_ONCE = 1 << 16  # bytes
ONE_AT_A_TIME = asyncio.Lock()  # each loads a model, and two exports would write into one folder
NOT_NEEDED = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


class CommandLog:
    """Where a command's lines stand on the page: the last of a progress bar, and everything else."""

    def __init__(self) -> None:
        self.state = ui.label().classes("note").props('role="status"')
        self.lines = ui.log(max_lines=500).classes("log").props('aria-label="Output"')
        self.lines.visible = False

    async def run(self, arguments: Sequence[str]) -> bool:
        """Run `python -m pipeline.<arguments>`; whether it ended well. It goes on where its page is closed."""
        if ONE_AT_A_TIME.locked():
            self.state.text = "Another command is running, of this page or another; they run one at a time."
            return False
        async with ONE_AT_A_TIME:
            self.lines.visible = True
            self.lines.clear()
            self.state.text = f"understudy {' '.join(arguments)} ..."
            stage, *rest = arguments
            async with _started(["-m", f"pipeline.{stage}", *rest]) as process:
                assert process.stdout is not None  # noqa: S101 - it was asked for
                begun = b""
                while part := await process.stdout.read(MOST_AT_ONCE):
                    *whole, begun = LINE_ENDS.split(begun + part)
                    self._show(whole)
                self._show([begun])
                code = await process.wait()
        if self.state.is_deleted:
            return False
        self.state.text = "done" if code == 0 else f"ended with exit code {code}; what it said:"
        return code == 0

    def _show(self, lines: Sequence[bytes]) -> None:
        for line in lines if not self.state.is_deleted else ():
            text = printable(line.decode("utf-8", errors="replace"))
            if "%|" in text:  # a progress bar
                self.state.text = text
            elif text.strip():
                self.lines.push(text)


@asynccontextmanager
async def _started(command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process that does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=os.environ | NOT_NEEDED, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
