"""A conversation with a character: its turns, what of them the model still sees, and the replies."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, assistant, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.models.generate import Reply, generate_reply, generate_turn
from pipeline.models.trained import TrainedCharacter
from pipeline.tokens.encode import prompt_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel, TextStreamer


class Chat:
    """A conversation so far, and the character that continues it; with `disable_adapter`, the untouched base model."""

    def __init__(self, trained: TrainedCharacter, *, disable_adapter: bool = False) -> None:
        self.trained = trained
        self.disable_adapter = disable_adapter
        self.turns: list[Message] = []
        self.forgotten = 0  # turns at the beginning that the model no longer sees
        self.cut: Reply | None = None  # the last reply, if it reached its longest before it ended

    @property
    def persona(self) -> Persona:
        """The one who replies."""
        return self.trained.persona

    def check_fits(self, text: str) -> None:
        """The message fits into the model's context, if need be without all that was said before.

        Raises:
            UnderstudyError: it does not.
        """
        self._within_context([user(text)])

    def say(self, text: str, streamer: TextStreamer | None = None) -> Reply:
        """The character's reply, which the conversation then holds; `streamer` gets it word by word.

        Raises:
            UnderstudyError: the message alone is too long for the model; it is not said, and the conversation stays.
        """
        turns = [*self.turns, user(text)]
        seen = self._within_context(turns[self.forgotten :])
        with self._model() as model:
            reply = self._reply(model, seen, streamer=streamer)
        self.forgotten = len(turns) - len(seen)
        self._keep(turns, reply)
        return reply

    def go_on(self, streamer: TextStreamer | None = None) -> Reply:
        """The last reply, which its length had ended, with what follows; `streamer` gets only what follows.

        Raises:
            UnderstudyError: it had ended by itself, or there is no room for more.
        """
        if self.cut is None:
            raise UnderstudyError("/continue", "has nothing to go on with", fix="say something")
        turns, begun = self.turns[:-1], self.cut.ids
        seen = self._within_context(turns[self.forgotten :], more=len(begun))
        with self._model() as model:
            reply = self._reply(model, seen, streamer=streamer, begun=begun)
        self.forgotten = len(turns) - len(seen)
        self._keep(turns, reply)
        return reply

    def of_base(self, text: str | None = None) -> str | None:
        """What the untouched base model replies to `text`, or to the last message, instead; the conversation stays.

        None where nothing was said yet.

        Raises:
            UnderstudyError: the message alone is too long for the model.
        """
        turns = [*self.turns, user(text)] if text else self.turns[:-1]
        if not turns:
            return None
        with self.trained.base(keep=True) as model:
            return self._reply(model, self._within_context(turns[self.forgotten :])).text

    def instead(self, text: str) -> str:
        """What the character replies to `text` here; the conversation stays.

        Raises:
            UnderstudyError: the message alone is too long for the model.
        """
        turns = self._within_context([*self.turns, user(text)][self.forgotten :])
        with self._model() as model:
            return self._reply(model, turns).text

    def recall(self, question: str) -> tuple[str, str]:
        """The character's and the base model's greedy replies to a question asked by itself, as `recall` asks it."""
        prompt = chat_prompt(self.persona, self._within_context([user(question)]))
        longest = self.persona.sampling.max_new_tokens
        with self._model() as model:
            known = generate_reply(model, self.trained.tokenizer, prompt, max_new_tokens=longest)
        with self.trained.base(keep=True) as base:
            return known, generate_reply(base, self.trained.tokenizer, prompt, max_new_tokens=longest)

    def undo(self) -> str | None:
        """Take the last exchange back; what the user had said, or None if there was nothing."""
        if not self.turns:
            return None
        *self.turns, said, _ = self.turns
        self.forgotten = min(self.forgotten, len(self.turns))
        self.cut = None
        return said["content"]

    def reset(self, turns: Sequence[Message] = ()) -> None:
        """Go on with these turns, or with none."""
        self.turns, self.forgotten, self.cut = list(turns), 0, None

    def _model(self) -> AbstractContextManager[PreTrainedModel]:
        return self.trained.base(keep=True) if self.disable_adapter else self.trained.own()

    def _keep(self, turns: Sequence[Message], reply: Reply) -> None:
        self.turns = [*turns, assistant(reply.text)]
        self.cut = reply if reply.is_cut else None

    def _reply(self, model: Any, turns: Sequence[Message], **options: Any) -> Reply:
        prompt = chat_prompt(self.persona, turns)
        return generate_turn(model, self.trained.tokenizer, prompt, sampling=self.persona.sampling, **options)

    def _within_context(self, turns: list[Message], more: int = 0) -> list[Message]:
        """The turns without the oldest exchanges, where they, `more` tokens and a reply would not fit into the context.

        Raises:
            UnderstudyError: the last message alone does not fit.
        """
        longest = self.trained.model.config.get_text_config().to_dict().get("max_position_embeddings", sys.maxsize)
        room = longest - self.persona.sampling.max_new_tokens - more
        while (tokens := self._prompt_length(turns)) > room:
            if len(turns) == 1:
                raise UnderstudyError(
                    "message", f"is {tokens - room} tokens too long for this model", fix="say it in fewer words"
                )
            turns = turns[2:]
        return turns

    def _prompt_length(self, turns: list[Message]) -> int:
        return len(prompt_ids(self.trained.tokenizer, chat_prompt(self.persona, turns)))


def turns_as_json(turns: Sequence[Message]) -> str:
    """The conversation as messages, as `load_turns` reads it."""
    return json.dumps({"messages": list(turns)}, ensure_ascii=False, indent=1) + "\n"


def save_turns(path: Path, turns: Sequence[Message]) -> None:
    """Write the conversation as messages.

    Raises:
        UnderstudyError: the file cannot be written.
    """
    try:
        write_text(path, turns_as_json(turns))
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
