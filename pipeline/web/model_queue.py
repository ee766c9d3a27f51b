"""The models of the studio: one thread has them, and answers one question after another, whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from transformers import TextStreamer
from transformers.utils import logging

from pipeline.models.generate import HALF_A_CHARACTER
from pipeline.models.trained import TrainedCharacter, load_together
from pipeline.serving.console import characters_by_label
from pipeline.serving.screen import printable

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Result = TypeVar("Result")


class ReplyStopped(Exception):  # noqa: N818 - nothing went wrong
    """Whoever asked no longer waits for the reply."""


class ModelQueue:
    """The characters of these runs, loaded when they are first asked for, and what is asked of them, in its order."""

    def __init__(self, folders: Sequence[Path], base: str | None = None) -> None:
        self._folders, self._base = folders, base
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")
        self._loading: asyncio.Future[dict[str, TrainedCharacter]] | None = None
        self.waiting = 0  # what is asked and not yet answered

    async def characters(self) -> Mapping[str, TrainedCharacter]:
        """The characters by label.

        Raises:
            UnderstudyError: see `load_trained`. The next call tries again.
        """
        if self._loading is None or (self._loading.done() and self._loading.exception()):
            self._loading = asyncio.ensure_future(self.ask(self._load))
        return await asyncio.shield(self._loading)

    async def ask(self, question: Callable[[], Result]) -> Result:
        """What `question` gives; the models are its alone meanwhile."""
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, question)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Nothing more is asked."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _load(self) -> dict[str, TrainedCharacter]:
        logging.disable_progress_bar()
        return characters_by_label(load_together(self._folders, base=self._base))


class GrowingReply(TextStreamer):  # type: ignore[misc]
    """A reply as it comes, for another thread to read, which may stop it."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.text = ""
        self.is_stopped = False

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Append what is certain.

        Raises:
            ReplyStopped: it was stopped.
        """
        if self.is_stopped:
            raise ReplyStopped
        self.text += printable(text.rstrip(HALF_A_CHARACTER) if stream_end else text)
