"""A conversation with a character in the terminal."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transformers import TextStreamer, set_seed
from transformers.utils import logging

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, assistant, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.models.generate import generate_reply
from pipeline.models.trained import load_trained
from pipeline.terminal import print_line
from pipeline.tokens.encode import prompt_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

COMMANDS = {
    "/reset": "forgets the conversation",
    "/undo": "takes the last exchange back",
    "/retry": "has the last message answered once more",
    "/persona": "shows the system prompt that the character has",
    "/save FILE": "writes the conversation",
    "/load FILE": "goes on with one that was written",
    "/me TEXT": "is said as it stands",
    "/quit": "leaves (so does Ctrl-D)",
}
HELP = "; ".join(f"{command} {meaning}" for command, meaning in COMMANDS.items())


class Chat:
    """A conversation so far, and the model that continues it."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, persona: Persona) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.persona = persona
        self.turns: list[Message] = []
        self.forgotten = 0  # turns at the beginning that the model no longer sees

    def say(self, text: str, streamer: TextStreamer | None = None) -> str:
        """The character's reply, which the conversation then holds; `streamer` gets it word by word.

        Raises:
            UnderstudyError: the message alone is too long for the model; it is not said, and the conversation stays.
        """
        turns = [*self.turns, user(text)]
        seen = self._within_context(turns[self.forgotten :])
        prompt = chat_prompt(self.persona, seen)
        reply = generate_reply(self.model, self.tokenizer, prompt, sampling=self.persona.sampling, streamer=streamer)
        self.forgotten = len(turns) - len(seen)
        self.turns = [*turns, assistant(reply)]
        return reply

    def undo(self) -> str | None:
        """Take the last exchange back; what the user had said, or None if there was nothing."""
        if not self.turns:
            return None
        *self.turns, said, _ = self.turns
        self.forgotten = min(self.forgotten, len(self.turns))
        return said["content"]

    def reset(self, turns: Sequence[Message] = ()) -> None:
        """Go on with these turns, or with none."""
        self.turns, self.forgotten = list(turns), 0

    def _within_context(self, turns: list[Message]) -> list[Message]:
        """The turns without the oldest exchanges, where they and a reply would not fit into the model's context."""
        longest = self.model.config.get_text_config().to_dict().get("max_position_embeddings", sys.maxsize)
        room = longest - self.persona.sampling.max_new_tokens
        while (tokens := self._prompt_length(turns)) > room:
            if len(turns) == 1:
                raise UnderstudyError(
                    "message", f"is {tokens - room} tokens too long for this model", fix="say it in fewer words"
                )
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
        print_line(f"{shown} is here. /help lists what else can be done; /quit leaves")
        streamer = TextStreamer(trained.tokenizer, skip_prompt=True, skip_special_tokens=True)
        converse(chat, typed_lines("> "), streamer, shown)


def converse(chat: Chat, lines: Iterable[str], streamer: TextStreamer, name: str) -> None:
    """Answer line after line, streaming, until there are no more or one says /quit."""
    for line in lines:
        text = line.strip()
        if text in ("/quit", "/exit"):
            return
        if text.startswith("/") and not text.startswith("/me "):
            try:
                text = obey(chat, text) or ""
            except UnderstudyError as error:
                sys.stdout.write(f"({error})\n")
                continue
        if text:
            _answer(chat, text, streamer, name)


def obey(chat: Chat, text: str) -> str | None:
    """Do what a line that begins with a slash asks for; gives what is to be said to the character, if anything.

    Raises:
        UnderstudyError: a file cannot be read or written.
    """
    command, _, argument = text.partition(" ")
    if command in ("/save", "/load") and argument.strip():
        path = Path(argument.strip()).expanduser()
        if command == "/save":
            save_turns(path, chat.turns)
        else:
            chat.reset(load_turns(path))
        verb = "written to" if command == "/save" else "from"
        sys.stdout.write(f"({len(chat.turns) // 2} exchanges {verb} {path})\n")
    elif text == "/retry":
        return chat.undo()
    elif text == "/undo":
        sys.stdout.write("(taken back)\n" if chat.undo() else "(nothing was said yet)\n")
    elif text == "/reset":
        chat.reset()
        sys.stdout.write("(forgotten)\n")
    elif text == "/persona":
        sys.stdout.write(f"{chat.persona.system('chat')}\n")
    else:
        sys.stdout.write(f"{HELP}\n")
    return None


def save_turns(path: Path, turns: Sequence[Message]) -> None:
    """Write the conversation as messages.

    Raises:
        UnderstudyError: the file cannot be written.
    """
    try:
        write_text(path, json.dumps({"messages": list(turns)}, ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise UnderstudyError(path, f"cannot be written ({error.strerror})", fix="name another file") from error


def load_turns(path: Path) -> list[Message]:
    """The messages in the file, by turns the user's and the character's.

    Raises:
        UnderstudyError: it cannot be read, or holds no conversation.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        turns = [Message(role=one["role"], content=one["content"]) for one in read["messages"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnderstudyError(path, "holds no conversation", fix="name a file that /save wrote") from error
    expected = ["user", "assistant"] * (len(turns) // 2)
    if [turn["role"] for turn in turns] != expected or not all(isinstance(turn["content"], str) for turn in turns):
        raise UnderstudyError(path, "holds turns that do not alternate", fix="name a file that /save wrote")
    return turns


def _answer(chat: Chat, text: str, streamer: TextStreamer, name: str) -> None:
    """The character's reply is streamed; what was forgotten for it, or why there is none, is said."""
    before = chat.forgotten
    sys.stdout.write(f"{name}: ")
    sys.stdout.flush()
    try:
        chat.say(text, streamer)
    except KeyboardInterrupt:
        streamer.end()  # else the next reply would begin with its whole prompt
        sys.stdout.write(" ...\n")
    except UnderstudyError as error:
        sys.stdout.write(f"({error})\n")
    if chat.forgotten > before:
        sys.stdout.write(f"(the first {chat.forgotten} turns no longer fit, and are forgotten)\n")


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
