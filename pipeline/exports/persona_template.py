"""A chat template that holds the persona, so that any server answers in character without being told to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import chat_prompt
from pipeline.tokens.plain_text import control_words, message_escaper

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Before the trained template: a conversation gets the persona's system turn. A system message of the caller's own that
# begins with the persona (a character card's) stays as it is, another one is put after the persona.
PERSONA_FIRST = (
    "{{% set persona = {persona} %}}"
    "{{% if not messages or messages[0]['role'] != 'system' %}}"
    "{{% set messages = [{{'role': 'system', 'content': persona}}] + messages %}}"
    "{{% elif not messages[0]['content'].startswith(persona) %}}"
    "{{% set persona = persona + '\\n\\n' + messages[0]['content'] %}}"
    "{{% set messages = [{{'role': 'system', 'content': persona}}] + messages[1:] %}}"
    "{{% endif %}}"
)


def persona_instruction(tokenizer: PreTrainedTokenizerBase, persona: Persona) -> str:
    """The chat's system prompt as it was trained: control tokens in it are text."""
    return message_escaper(control_words(tokenizer))(chat_prompt(persona, ())[0])["content"]


def persona_template(tokenizer: PreTrainedTokenizerBase, persona: Persona) -> str:
    """The tokenizer's trained template with the persona in it.

    A conversation without a system message is rendered as chat renders it, to the letter.
    """
    instruction = json.dumps(persona_instruction(tokenizer, persona), ensure_ascii=False)
    return PERSONA_FIRST.format(persona=instruction) + str(tokenizer.chat_template)
