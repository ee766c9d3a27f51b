"""A conversation with a character in the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from transformers import TextStreamer, set_seed
from transformers.utils import logging

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, assistant, chat_prompt, user
from pipeline.models.generate import generate_reply
from pipeline.models.trained import load_trained
from pipeline.terminal import print_line
from pipeline.tokens.encode import prompt_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HELP = "/reset forgets the conversation, /quit leaves (so does Ctrl-D)"


class Chat:
    """A conversation so far, and the model that continues it."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, persona: Persona) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.persona = persona
        self.turns: list[Message] = []

    def say(self, text: str, streamer: TextStreamer | None = None) -> str:
        """The character's reply, which the conversation then holds; `streamer` gets it word by word."""
        turns = self._within_context([*self.turns, user(text)])
        prompt = chat_prompt(self.persona, turns)
        reply = generate_reply(self.model, self.tokenizer, prompt, sampling=self.persona.sampling, streamer=streamer)
        self.turns = [*turns, assistant(reply)]
        return reply

    def _within_context(self, turns: list[Message]) -> list[Message]:
        """The turns without the oldest exchanges, where they and a reply would not fit into the model's context."""
        longest = self.model.config.get_text_config().to_dict().get("max_position_embeddings", sys.maxsize)
        room = longest - self.persona.sampling.max_new_tokens
        while len(turns) > 2 and self._prompt_length(turns) > room:
            turns = turns[2:]
        return turns

    def _prompt_length(self, turns: list[Message]) -> int:
        return len(prompt_ids(self.tokenizer, chat_prompt(self.persona, turns)))


def run_chat(folder: Path, name: str | None, *, once: str | None, base: bool, seed: int | None) -> None:
    """Chat with the character in `folder`, in the terminal, until the user leaves; `once` prints one reply instead.

    `name` is the character, where several were trained together; `base` talks to the untouched base model instead.

    Raises:
        UnderstudyError: see `load_trained`.
    """
    logging.disable_progress_bar()
    if seed is not None:
        set_seed(seed)
    trained = load_trained(folder, name)
    with trained.base() if base else contextlib.nullcontext(trained.model) as model:
        chat = Chat(model, trained.tokenizer, trained.persona)
        if once is not None:
            print_line(chat.say(once))
            return
        shown = f"{trained.persona.name} (base model)" if base else trained.persona.name
        print_line(f"{shown} is here. {HELP}")
        streamer = TextStreamer(trained.tokenizer, skip_prompt=True, skip_special_tokens=True)
        converse(chat, typed_lines("> "), streamer, shown)


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
                streamer.end()  # else the next reply would begin with its whole prompt
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
