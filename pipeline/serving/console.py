"""Chat in the terminal: lines typed, from a script or from a program, and what those beginning with a slash do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import set_seed
from transformers.utils import logging

from pipeline.conversations.persona import label_personas
from pipeline.errors import UnderstudyError
from pipeline.models.trained import TrainedCharacter, load_together
from pipeline.serving.conversation import Chat, load_turns, save_turns
from pipeline.serving.screen import JsonScreen, Screen, TerminalScreen, printable
from pipeline.terminal import print_line

if TYPE_CHECKING:
    from transformers import TextStreamer

    from pipeline.models.generate import Reply


def run_chat(
    folders: Sequence[Path],
    name: str,
    *,
    sampling: Mapping[str, Any],
    base: str | None = None,
    disable_adapter: bool = False,
    once: str | None = None,
    lines: Sequence[str] | None = None,
    as_json: bool = False,
    seed: int | None = None,
) -> None:
    """Chat with the characters in `folders` until the user leaves; the one labelled `name` begins.

    `sampling` takes the place of these of a character's own parameters. `base` is where the base model lies now, if it
    has moved; with `disable_adapter` the untouched one answers. `once` is said instead of what is typed, and `lines`
    one after another; `as_json` shows JSON lines. `seed` makes sampling reproducible.

    Raises:
        UnderstudyError: see `load_trained`.
    """
    logging.disable_progress_bar()
    if seed is not None:
        set_seed(seed)
    characters = characters_by_label(load_together(folders, base=base), sampling)
    chat = Chat(characters[name], disable_adapter=disable_adapter)
    if once is not None:
        print_line(printable(chat.say(once).text))
        return
    screen = JsonScreen() if as_json else TerminalScreen(chat.trained.tokenizer, echo=lines is not None)
    console = Console(chat, screen, characters)
    if lines is None and not as_json:
        others = f"; /as NAME goes on as one of {', '.join(characters)}" if len(characters) > 1 else ""
        print_line(f"{console.name} is here. /help lists what else can be done; /quit leaves{others}")
    console.converse(typed_lines("> ") if lines is None else lines)


def characters_by_label(
    trained: Sequence[TrainedCharacter], sampling: Mapping[str, Any] | None = None
) -> dict[str, TrainedCharacter]:
    """Every character of these runs, by label, with `sampling` in the place of these of its own parameters."""
    runs = {one.folder: one for one in trained}
    return {
        label: replace(runs[folder], persona=replace(persona, sampling=replace(persona.sampling, **(sampling or {}))))
        for label, (folder, persona) in label_personas({one.folder: one.personas for one in trained}).items()
    }


class Console:
    """A chat that is held line by line; `characters` are those that it can go on as, by label."""

    def __init__(self, chat: Chat, screen: Screen, characters: Mapping[str, TrainedCharacter]) -> None:
        self.chat = chat
        self.screen = screen
        self.characters = characters

    @property
    def name(self) -> str:
        """The name of the one who replies, as it is shown."""
        return f"{self.chat.persona.name}{' (base model)' * self.chat.disable_adapter}"

    def converse(self, lines: Iterable[str]) -> None:
        """Answer line after line until there are no more or one says /quit."""
        for line in lines:
            text = line.strip()
            if text in ("/quit", "/exit"):
                return
            try:
                if text.startswith("/") and not text.startswith("/me "):
                    self.obey(text)
                elif text:
                    self.answer(text)
            except UnderstudyError as error:
                self.screen.fail(error)

    def answer(self, text: str) -> None:
        """Have the character reply.

        Raises:
            UnderstudyError: the message alone is too long for the model, which is found out before a name is shown.
        """
        self.chat.check_fits(text)
        self._show(text, lambda streamer: self.chat.say(text, streamer))

    def obey(self, text: str) -> None:
        """Do what a line that begins with a slash asks for.

        Raises:
            UnderstudyError: it cannot be done.
        """
        command, _, argument = text.partition(" ")
        known = COMMANDS.get(command)
        if command == "/help":
            self.screen.note(HELP)
        elif known is None:
            self.screen.note(f"{command} is unknown; these are known:\n{HELP}")
        elif known.argument and not known.is_optional and not argument.strip():
            self.screen.note(f"{command} needs its {known.argument}: {known.does}")
        else:
            known.run(self, argument.strip())

    def retry(self, _: str) -> None:
        """The last message, answered once more."""
        said = self.chat.undo()
        if said is None:
            self.screen.note("nothing was said yet")
        else:
            self.answer(said)

    def go_on(self, _: str) -> None:
        """The rest of a reply that was cut off."""
        if self.chat.cut is None:
            self.screen.note("the last reply was not cut off")
        else:
            self._show("", self.chat.go_on)

    def undo(self, _: str) -> None:
        """The last exchange is taken back."""
        self.screen.note("taken back" if self.chat.undo() else "nothing was said yet")

    def reset(self, _: str) -> None:
        """The conversation is forgotten."""
        self.chat.reset()
        self.screen.note("forgotten")

    def show_persona(self, _: str) -> None:
        """The system prompt."""
        self.screen.note(self.chat.persona.system("chat"))

    def become(self, name: str) -> None:
        """Another of the characters; the conversation begins anew."""
        if name not in self.characters:
            raise UnderstudyError("/as", f"knows no {name}, but {', '.join(self.characters)}", fix="name one of them")
        self.chat = Chat(self.characters[name], disable_adapter=self.chat.disable_adapter)
        self.screen.note(f"{name} is here")

    def compare(self, text: str) -> None:
        """What the base model replies in the character's place."""
        base = self.chat.of_base(text or None)
        if base is None:
            self.screen.note("nothing was said yet")
            return
        if text:
            self.screen.note(f"{self.name}: {self.chat.instead(text)}")
        self.screen.note(f"base model: {base}")

    def recall(self, question: str) -> None:
        """A question asked by itself, greedy, of the character and the base model."""
        known, base = self.chat.recall(question)
        self.screen.note(f"{self.name}, asked by itself, greedy: {known}")
        self.screen.note(f"base model: {base}")

    def save(self, file: str) -> None:
        """Write the conversation."""
        path = Path(file).expanduser()
        save_turns(path, self.chat.turns)
        self.screen.note(f"{len(self.chat.turns) // 2} exchanges written to {path}")

    def load(self, file: str) -> None:
        """Go on with a conversation that was written."""
        path = Path(file).expanduser()
        self.chat.reset(load_turns(path))
        self.screen.note(f"{len(self.chat.turns) // 2} exchanges from {path}")

    def _show(self, said: str, reply: Callable[[TextStreamer | None], Reply]) -> None:
        """A reply on the screen, which the user may stop."""
        streamer = self.screen.begin(self.name, said)
        try:
            shown = reply(streamer)
        except KeyboardInterrupt:
            self.screen.interrupted()
        else:
            self.screen.end(shown, forgotten=self.chat.forgotten)


@dataclass(frozen=True, slots=True)
class Command:
    """What a command's argument is, what it does, and how."""

    argument: str
    does: str
    run: Callable[[Console, str], None]
    is_optional: bool = False


COMMANDS = {
    "/reset": Command("", "forgets the conversation", Console.reset),
    "/undo": Command("", "takes the last exchange back", Console.undo),
    "/retry": Command("", "has the last message answered once more", Console.retry),
    "/continue": Command("", "goes on with a reply that was cut off", Console.go_on),
    "/compare": Command("[TEXT]", "shows what the base model replies instead", Console.compare, is_optional=True),
    "/recall": Command("QUESTION", "asks it by itself, greedy, as recall does", Console.recall),
    "/persona": Command("", "shows the system prompt that the character has", Console.show_persona),
    "/as": Command("NAME", "goes on as another of the characters", Console.become),
    "/save": Command("FILE", "writes the conversation", Console.save),
    "/load": Command("FILE", "goes on with one that was written", Console.load),
}
HELP = "\n".join((
    *(f"{name}{' ' * bool(one.argument)}{one.argument} {one.does}" for name, one in COMMANDS.items()),
    "/me TEXT is said as it stands",
    "/quit leaves (so do /exit and Ctrl-D)",
))  # fmt: skip


def typed_lines(prompt: str) -> Iterator[str]:
    """What the user types, with history, line editing and completion of commands, until Ctrl-D.

    Where no terminal is, the lines of stdin.
    """
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter

    completer = WordCompleter([*COMMANDS, "/quit"], sentence=True)
    session: PromptSession[str] = PromptSession(completer=completer, complete_while_typing=False)
    while True:
        try:
            yield session.prompt(prompt)
        except KeyboardInterrupt:
            continue  # as in a shell: the line is given up, not the chat
        except EOFError:
            return
