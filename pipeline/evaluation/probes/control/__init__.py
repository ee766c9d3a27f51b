"""What a model should still know when it has become somebody: common knowledge, general text, everyday talk.

Of the project's own writing, CC BY 4.0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Language
from pipeline.conversations.render import Message


@dataclass(frozen=True, slots=True)
class ControlItem:
    """A question of common knowledge, its answer, and three wrong ones alike in form."""

    question: str
    answer: str
    wrong: tuple[str, ...]


def control_items(language: Language) -> list[ControlItem]:
    """The questions of common knowledge in this language."""
    return [
        ControlItem(item["question"], item["answer"], tuple(item["wrong"])) for item in _read(language)["questions"]
    ]


def general_texts(language: Language) -> list[str]:
    """Plain paragraphs about nothing in particular."""
    return list(_read(language)["texts"])


def filler_turns(language: Language) -> list[Message]:
    """Everyday turns, user and assistant by turns, that ask for nothing a character could know."""
    roles = ("user", "assistant")
    return [Message(role=roles[number % 2], content=text) for number, text in enumerate(_read(language)["filler"])]


@cache
def _read(language: Language) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))
    return content
