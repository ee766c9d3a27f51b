"""A conversation with a character in the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, assistant, chat_prompt, user
from pipeline.models.generate import generate_reply

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TextStreamer

HELP = "/reset forgets the conversation, /quit leaves (so does Ctrl-D)"


class Chat:
    """A conversation so far, and the model that goes on with it."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, persona: Persona) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.persona = persona
        self.turns: list[Message] = []

    def say(self, text: str, streamer: TextStreamer | None = None) -> str:
        """The character's reply, which the conversation then holds; `streamer` gets it word by word."""
        turns = [*self.turns, user(text)]
        prompt = chat_prompt(self.persona, turns)
        reply = generate_reply(self.model, self.tokenizer, prompt, sampling=self.persona.sampling, streamer=streamer)
        self.turns = [*turns, assistant(reply)]
        return reply


def converse(chat: Chat, lines: Iterable[str], streamer: TextStreamer, name: str) -> None:
    """Answer line after line, streaming, until there are no more or one says /quit."""
    for line in lines:
        text = line.strip()
        if text in ("/quit", "/exit"):
            return
        if text == "/reset":
            chat.turns = []
            sys.stdout.write("(forgotten)\n")
        elif text.startswith("/"):
            sys.stdout.write(f"{HELP}\n")
        elif text:
            sys.stdout.write(f"{name}: ")
            sys.stdout.flush()
            try:
                chat.say(text, streamer)
            except KeyboardInterrupt:
                sys.stdout.write(" ...\n")


def typed_lines(prompt: str) -> Iterable[str]:
    """What the user types, with history and line editing where the terminal has them, until Ctrl-D."""
    with contextlib.suppress(ImportError):  # Windows has none
        import readline  # noqa: F401 - importing it is what gives `input` its history
    while True:
        try:
            yield input(prompt)
        except EOFError:
            sys.stdout.write("\n")
            return
