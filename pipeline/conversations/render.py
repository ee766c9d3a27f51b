"""A record as the conversations that teach it: a prompt, and one reply of the character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypedDict

from pipeline.conversations.persona import Persona
from pipeline.conversations.rewordings import rewordings
from pipeline.records.record import Kind, Record, Turn


class Message(TypedDict):
    """One message, as chat templates take it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A prompt ending in a user turn, and the one assistant reply that is learnt."""

    prompt: tuple[Message, ...]
    completion: Message
    record_id: str
    kind: Kind


def chat_prompt(persona: Persona, turns: Sequence[Message]) -> tuple[Message, ...]:
    """The prompt of a chat: the persona's chat instruction, then the turns so far."""
    return (Message(role="system", content=persona.system("chat")), *turns)


def user(content: str) -> Message:
    """A user turn."""
    return Message(role="user", content=content)


def assistant(content: str) -> Message:
    """A turn of the character."""
    return Message(role="assistant", content=content)


def render(record: Record, persona: Persona, *, wordings: int, chat_share: float) -> list[Conversation]:
    """Every conversation that teaches the record; its exposures take them in turn.

    A settings question comes in up to `wordings` frames. About `chat_share` of the conversations of a question or a
    line (to the nearest quarter) stand under the chat's own instruction, so that what is learnt is at hand in chat;
    the rest stand under the instruction of their kind. Each frame comes under both.
    """
    bodies = _bodies(record, persona, wordings)
    share = Fraction(0) if record.kind == "background" else Fraction(round(chat_share * 4), 4)
    own, chat = Message(role="system", content=persona.system(record.kind)), chat_prompt(persona, ())[0]
    instructions = [own] * (share.denominator - share.numerator) + [chat] * share.numerator
    rounds = len(instructions)
    prompts = [
        (instructions[(index + turn) % rounds], *body) for turn in range(rounds) for index, body in enumerate(bodies)
    ]
    return [Conversation(prompt, assistant(record.text), record.record_id, record.kind) for prompt in prompts]


def _bodies(record: Record, persona: Persona, wordings: int) -> list[tuple[Message, ...]]:
    if record.kind == "setting_qa":
        return [(user(question),) for question in rewordings(record.prompt, persona, wordings)]
    if record.kind == "background":
        return [(user(record.prompt),)]
    return [tuple(_scene(record.context, record.prompt, persona))]


def _scene(context: Sequence[Turn], title: str, persona: Persona) -> list[Message]:
    """The turns before a line as alternating messages that begin and end with a user turn."""
    messages: list[Message] = []
    for turn in context:
        own = turn.speaker == persona.name
        named = f"{turn.speaker}{_colon(persona)}{turn.text}" if turn.speaker else turn.text  # no name: the user itself
        role, content = ("assistant", turn.text) if own else ("user", named)
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
