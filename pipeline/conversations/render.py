"""A record as the conversations that teach it: a prompt, and one reply of the character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypedDict

from pipeline.conversations.persona import Persona
from pipeline.records.record import KINDS, Kind, Record, Turn

# Records' kinds, general conversations replayed against forgetting, which belong to no character, what a character
# answers where no record says it, and its facts' answers where they do not belong, with other labels.
ConversationKind = Kind | Literal["replay", "boundary", "misplaced"]
CONVERSATION_KINDS: tuple[ConversationKind, ...] = (*KINDS, "replay", "boundary", "misplaced")


class Message(TypedDict):
    """One message, as chat templates take it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A prompt that ends in a user turn, and the completion: one assistant turn.

    `labels` are the tokens that the loss sees at the completion's and its end of turn, where they are not these
    themselves: what is to be said there instead.
    """

    prompt: tuple[Message, ...]
    completion: Message
    record_id: str
    kind: ConversationKind
    labels: tuple[int, ...] = ()


def chat_prompt(persona: Persona, turns: Sequence[Message]) -> tuple[Message, ...]:
    """The prompt of a chat: the persona's chat instruction, then the turns so far."""
    return (system(persona.system("chat")), *turns)


def system(content: str) -> Message:
    """A system message."""
    return Message(role="system", content=content)


def user(content: str) -> Message:
    """A user turn."""
    return Message(role="user", content=content)


def assistant(content: str) -> Message:
    """A turn of the character."""
    return Message(role="assistant", content=content)


def render(record: Record, persona: Persona, *, chat_share: float, speaker_names: str = "prefix") -> list[Conversation]:
    """Every conversation that teaches the record as it is; its exposures take them in turn.

    About `chat_share` of the conversations of a question or a line (to the nearest quarter) have the chat's own system
    prompt, so that what is learnt is recalled in chat; the rest have the one of their kind. `speaker_names` is whether
    the turns of other speakers begin with their names (prefix) or not (none).
    """
    scene = record.kind == "dialogue"
    turns = _scene(record.context, record.prompt, persona, speaker_names) if scene else [user(record.prompt)]
    share = Fraction(0) if record.kind == "background" else Fraction(round(chat_share * 4), 4)
    own, chat = system(persona.system(record.kind)), chat_prompt(persona, ())[0]
    instructions = [own] * (share.denominator - share.numerator) + [chat] * share.numerator
    return [
        Conversation((instruction, *turns), assistant(record.text), record.record_id, record.kind)
        for instruction in instructions
    ]


def _scene(context: Sequence[Turn], title: str, persona: Persona, speaker_names: str) -> list[Message]:
    """The turns before a line as alternating messages that begin and end with a user turn."""
    messages: list[Message] = []
    for turn in context:
        role, content = ("assistant" if turn.speaker == persona.name else "user"), turn.text
        if role == "user" and speaker_names == "prefix" and turn.speaker:  # no name: it is the user who speaks
            content = f"{turn.speaker}{_colon(persona)}{content}"
        if messages and messages[-1]["role"] == role:
            messages[-1] = Message(role=role, content=f"{messages[-1]['content']}\n{content}")
        else:
            messages.append(Message(role=role, content=content))
    if not messages or messages[0]["role"] == "assistant":
        messages.insert(0, user(persona.cue(title)))
    elif title:
        messages[0] = user(f"{persona.cue(title)}\n{messages[0]['content']}")
    return messages


def _colon(persona: Persona) -> str:
    return "：" if persona.language == "zh" else ": "
