"""What a chat shows: to a person in a terminal, or to a program as JSON lines."""

from __future__ import annotations

import json
import sys
import unicodedata
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from transformers import TextStreamer

from pipeline.models.generate import HALF_A_CHARACTER, Reply

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHOWN_CONTROLS = "\n\t"


class Screen(ABC):
    """Where replies and remarks go."""

    @abstractmethod
    def begin(self, name: str, said: str) -> TextStreamer | None:
        """`name` is about to reply to what was said; gives what streams the reply, if anything does."""

    @abstractmethod
    def end(self, reply: Reply, *, forgotten: int) -> None:
        """The reply is complete; `forgotten` turns at the beginning no longer fit."""

    @abstractmethod
    def interrupted(self) -> None:
        """The user has stopped the reply, and it is not kept."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Something besides the conversation."""

    @abstractmethod
    def fail(self, error: Exception) -> None:
        """What was asked for cannot be done."""


class TerminalScreen(Screen):
    """Streams replies as they come, remarks in brackets."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, echo: bool = False) -> None:
        self._streamer = ReplyStreamer(tokenizer)
        self._echo = echo
        self._forgotten = 0

    def begin(self, name: str, said: str) -> TextStreamer:
        """The name stands before the reply; with `echo`, what was said stands above it."""
        if self._echo and said:
            _write(f"> {said}\n")
        _write(f"{name}: ")
        return self._streamer

    def end(self, reply: Reply, *, forgotten: int) -> None:
        """Says where a reply was cut, and what the model does not see any more."""
        if reply.is_cut:
            self.note("cut off at its longest; /continue goes on")
        if forgotten > self._forgotten:
            self.note(f"the first {forgotten} turns no longer fit, and are forgotten")
        self._forgotten = forgotten

    def interrupted(self) -> None:
        """The next reply begins anew."""
        self._streamer.end()  # else it would begin with its whole prompt
        _write("(stopped, and not kept)\n")

    def note(self, text: str) -> None:
        """A remark."""
        _write(f"({printable(text)})\n")

    def fail(self, error: Exception) -> None:
        """The error, on whose account the conversation does not end."""
        _write(f"({error})\n")


class JsonScreen(Screen):
    """A JSON object a line: `{"user", "reply", "finish_reason", "forgotten_turns"}`, or `{"note"}`, or `{"error"}`."""

    def __init__(self) -> None:
        self._said = self._name = ""

    def begin(self, name: str, said: str) -> None:
        """Nothing is written before the reply is complete."""
        self._name, self._said = name, said

    def end(self, reply: Reply, *, forgotten: int) -> None:
        """The exchange."""
        reason = "length" if reply.is_cut else "stop"
        exchange = {"user": self._said, "character": self._name, "reply": reply.text}
        self._line(exchange | {"finish_reason": reason, "forgotten_turns": forgotten})

    def interrupted(self) -> None:
        """The exchange is not kept."""
        self._line({"user": self._said, "error": "interrupted"})

    def note(self, text: str) -> None:
        """A remark."""
        self._line({"note": text})

    def fail(self, error: Exception) -> None:
        """The error."""
        self._line({"error": str(error)})

    @staticmethod
    def _line(content: dict[str, object]) -> None:
        _write(json.dumps(content, ensure_ascii=False) + "\n")


class ReplyStreamer(TextStreamer):  # type: ignore[misc]
    """A reply as it comes, without half a character at its end, or a character that would steer the terminal."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Write what is certain."""
        _write(certain_text(text, stream_end=stream_end) + ("\n" if stream_end else ""))


def certain_text(text: str, *, stream_end: bool) -> str:
    """What of a streamed piece is shown: it is printable, and the last one ends with a whole character."""
    return printable(text.rstrip(HALF_A_CHARACTER) if stream_end else text)


def printable(text: str) -> str:
    """The text without control characters, such as those that begin a terminal's escape sequences."""
    return "".join(
        char for char in text if char in SHOWN_CONTROLS or char.isprintable() or unicodedata.category(char) == "Zs"
    )


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
