"""The models of the studio: one thread has them, and answers one question after another, whoever asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from transformers import TextStreamer
from transformers.utils.logging import disable_progress_bar

from pipeline.errors import UnderstudyError
from pipeline.models.generate import Reply
from pipeline.models.trained import TrainedCharacter, load_together
from pipeline.serving.console import characters_by_label
from pipeline.serving.screen import certain_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Result = TypeVar("Result")
BETWEEN_LOOKS = 0.1  # seconds, at a reply that grows

logger = logging.getLogger(__name__)


class ReplyStopped(Exception):  # noqa: N818 - nothing went wrong
    """Whoever asked no longer waits for the reply."""


class ModelQueue:
    """The characters of these runs, loaded when they are first asked for, and what is asked of them, in its order."""

    def __init__(self, folders: Sequence[Path], base: str | None = None) -> None:
        self._folders, self._base = folders, base
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")
        self._loading: asyncio.Future[dict[str, TrainedCharacter]] | None = None
        self._replies: WeakSet[GrowingReply] = WeakSet()
        self.waiting = 0  # what is asked and not yet answered

    @property
    def is_empty(self) -> bool:
        """Whether there is nobody to talk to."""
        return not self._folders

    async def characters(self) -> Mapping[str, TrainedCharacter]:
        """The characters by label.

        Raises:
            UnderstudyError: see `load_trained`. The next call tries again.
        """
        if self._loading is None or (self._loading.done() and self._loading.exception()):
            self._loading = asyncio.ensure_future(self.ask(self._load))
        return await asyncio.shield(self._loading)

    async def ask(self, question: Callable[[], Result]) -> Result:
        """What `question` gives; the models are its alone meanwhile.

        Raises:
            UnderstudyError: the model failed, whatever it raised; the log has where.
        """
        self.waiting += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(question))
        except (UnderstudyError, ReplyStopped):
            raise
        except Exception as error:
            logger.exception("a model failed")
            what = f"failed ({type(error).__name__}: {error})"
            raise UnderstudyError("the model", what, fix="see what the studio printed in its terminal") from error
        finally:
            self.waiting -= 1

    async def reply(self, growing: GrowingReply, reply: Callable[[GrowingReply], Reply]) -> Reply:
        """The reply that `reply` gives, which `growing` shows before it is complete, and may stop.

        Raises:
            ReplyStopped: it was stopped, and nothing of it is kept.
            UnderstudyError: see `ask`; or the reply cannot be had.
        """
        self._replies.add(growing)
        asked = asyncio.ensure_future(self.ask(lambda: growing.fill(reply)))
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # where nobody waits any more
        while not asked.done():
            await asyncio.wait([asked], timeout=BETWEEN_LOOKS)
            if growing.is_stopped and not growing.is_begun:
                raise ReplyStopped  # once its turn comes, it ends at once
            growing.show()
        return asked.result()

    def close(self) -> None:
        """Nothing more is asked, and what is being answered ends."""
        for reply in list(self._replies):
            reply.is_stopped = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _load(self) -> dict[str, TrainedCharacter]:
        disable_progress_bar()
        return characters_by_label(load_together(self._folders, base=self._base))


class GrowingReply(TextStreamer):  # type: ignore[misc]
    """A reply as it comes: one thread fills it, another shows it by `show`, and may stop it."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, show: Callable[[], None]) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.text = ""
        self.show = show
        self.is_begun = self.is_stopped = False

    def fill(self, reply: Callable[[GrowingReply], Reply]) -> Reply:
        """The reply.

        Raises:
            ReplyStopped: it was stopped, before it began or meanwhile.
        """
        if self.is_stopped:
            raise ReplyStopped
        self.is_begun = True
        return reply(self)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Append what is certain.

        Raises:
            ReplyStopped: it was stopped.
        """
        if self.is_stopped:
            raise ReplyStopped
        self.text += certain_text(text, stream_end=stream_end)
