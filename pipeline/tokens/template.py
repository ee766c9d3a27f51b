"""The chat template that a run trains with, chats with and exports: the tokenizer's own, normalised once.

A template may render a prompt in chat otherwise than in training: it opens a thought that no reply has, omits the
reply's header, ends a reply with nothing that stops generation, writes today's date, or takes no system turn. Each of
these is normalised here by a few lines of Jinja before and after the tokenizer's own text. The result is saved with the
adapter, so every program that renders through it, ours or another, shows the model what it was trained on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from pipeline.conversations.render import Message, assistant, system, user
from pipeline.errors import UnderstudyError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# For a model without a template: plain words, because a token that it has never seen would have to be learnt first.
DEFAULT_TEMPLATE = (
    "{{ bos_token if bos_token is defined and bos_token else '' }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\\n' }}"
    "{% else %}{{ 'Assistant: ' + message['content'] + eos_token + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
FOLD_SYSTEM = (
    "{% if messages and messages[0]['role'] == 'system' and messages | length > 1 %}"
    "{% if messages[1]['role'] == 'user' %}"
    "{% set messages = [{'role': 'user', 'content': messages[0]['content'] + '\\n\\n' + messages[1]['content']}]"
    " + messages[2:] %}"  # before a greeting it is a turn by itself, or the greeting would be the user's
    "{% else %}{% set messages = [{'role': 'user', 'content': messages[0]['content']}] + messages[1:] %}{% endif %}"
    "{% endif %}"
)
FIXED_DATE = "{% set date_string = '26 Jul 2024' %}{% macro strftime_now(format) %}{{ '2024-07-26' }}{% endmacro %}"
HOLD_GENERATION = "{% set reply_follows = add_generation_prompt %}{% set add_generation_prompt = false %}"
END_REPLY = "{% if not add_generation_prompt and messages[-1]['role'] == 'assistant' %}{{ eos_token }}{% endif %}"

# What the templates are tried on. No template has a reason to change such words.
INSTRUCTION, QUESTION, REPLY = "instruction-0451", "question-0452", "reply-0453"
IDENTITY = re.compile(r"\byou(?: are|'re) (?!in\b|to\b|not\b)|\byour name is\b|你是|你叫", re.IGNORECASE)
# Words by which templates name the speakers; they are no text of their own.
ROLE_WORDS = frozenset(
    (
        "system",
        "user",
        "assistant",
        "human",
        "bot",
        "model",
        "ai",
        "inst",
        "sys",
        "start",
        "end",
        "header",
        "id",
        "role",
    )
)


@dataclass(frozen=True, slots=True)
class NormalisedTemplate:
    """A template that renders training and chat alike, and what was changed for that, a sentence each."""

    text: str
    notes: tuple[str, ...]


def normalise_template(tokenizer: PreTrainedTokenizerBase) -> NormalisedTemplate:
    """The tokenizer's template, changed only where training and chat would differ; a second time changes nothing.

    With the result, a rendered prompt is the beginning of the rendered prompt and reply, and a special token follows
    the reply.

    Raises:
        UnderstudyError: the template cannot be normalised, or gives the model an identity of its own.
    """
    notes = []
    text = _template_text(tokenizer)
    if text is None:
        text = DEFAULT_TEMPLATE
        notes.append("the model has no chat template; a plain one is used, 'User: ...' and 'Assistant: ...'")
    if ("strftime_now" in text or "date_string" in text) and FIXED_DATE not in text:
        text = FIXED_DATE + text
        notes.append("the template writes the date of the day; it is fixed, or chat would differ from training")
    if not _shows_instruction(tokenizer, text):
        text = FOLD_SYSTEM + text
        notes.append("the template takes no system turn; the instruction stands before the first user turn")
        if not _shows_instruction(tokenizer, text):
            raise _template_error(tokenizer, "shows neither a system turn nor what stands before a question")
    normalised = _normalise_reply_opening(tokenizer, text)
    if normalised != text:
        text = normalised
        notes.append("in chat the template opens a reply otherwise than in training; it now opens it as in training")
    if not _ends_turn(tokenizer, text):
        text = f"{text.removesuffix(chr(10))}{END_REPLY}"
        notes.append(f"the template ends a reply with no special token; {tokenizer.eos_token} is trained as its end")
        if not _ends_turn(tokenizer, text):
            raise _template_error(tokenizer, "ends a reply without an end-of-turn token, so the model would never stop")
    notes += _added_text_notes(tokenizer, text)
    return NormalisedTemplate(text, tuple(notes))


def render(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], *, reply_follows: bool, template: str | None = None
) -> str:
    """The text of the messages, up to where a reply begins if one follows.

    Raises:
        UnderstudyError: the template refuses them.
    """
    try:
        return str(
            tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=reply_follows, chat_template=template
            )
        )
    except TemplateError as error:
        roles = " ".join(message["role"] for message in messages)
        raise _template_error(tokenizer, f"refuses {roles}: {error}") from error


def end_of_turn_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Ids of every special token: the one that follows a reply ends the turn."""
    special = {token_id for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(special | set(tokenizer.all_special_ids))


def trained_end(tokenizer: PreTrainedTokenizerBase) -> str:
    """The end-of-turn token that follows a reply in training, and is trained with it.

    Raises:
        UnderstudyError: the template ends a reply with none; a normalised one does.
    """
    _, _, after = _around_reply(tokenizer, str(_template_text(tokenizer)))
    ids = tokenizer(after.lstrip(" \n"), add_special_tokens=False)["input_ids"]
    if not ids or ids[0] not in end_of_turn_ids(tokenizer):
        raise _template_error(tokenizer, "ends a reply without an end-of-turn token")
    return str(tokenizer.convert_ids_to_tokens(ids[0]))


def _template_text(tokenizer: PreTrainedTokenizerBase) -> str | None:
    return str(tokenizer.get_chat_template()) if tokenizer.chat_template else None


def _template_error(tokenizer: PreTrainedTokenizerBase, what: str) -> UnderstudyError:
    return UnderstudyError(
        f"chat template of {tokenizer.name_or_path}", what, fix="use a model with another chat template, or repair it"
    )


def _shows_instruction(tokenizer: PreTrainedTokenizerBase, text: str) -> bool:
    """Whether the instruction and the question both stand in the prompt, once."""
    try:
        prompt = render(tokenizer, [system(INSTRUCTION), user(QUESTION)], reply_follows=True, template=text)
    except UnderstudyError:
        return False
    return prompt.count(INSTRUCTION) == 1 and prompt.count(QUESTION) == 1


def _around_reply(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[str, str, str]:
    """The prompt in chat; and in training, what stands before the reply and after it."""
    asked = [system(INSTRUCTION), user(QUESTION)]
    prompt = render(tokenizer, asked, reply_follows=True, template=text)
    full_text = render(tokenizer, [*asked, assistant(REPLY)], reply_follows=False, template=text)
    if full_text.count(REPLY) != 1:
        raise _template_error(tokenizer, f"shows a reply {full_text.count(REPLY)} times")
    before, _, after = full_text.partition(REPLY)
    return prompt, before, after


def _normalise_reply_opening(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """The template with a reply opened in chat as it is opened in training."""
    prompt, before, _ = _around_reply(tokenizer, text)
    if before.startswith(prompt) and not before[len(prompt) :].strip():
        return text
    # What stands before a reply in training is what the template itself thinks of as a reply without a thought.
    bare = render(tokenizer, [system(INSTRUCTION), user(QUESTION)], reply_follows=False, template=text)
    if not before.startswith(bare):
        raise _template_error(
            tokenizer, f"renders a prompt differently once its reply is there: {_difference(bare, before)}"
        )
    opening = json.dumps(before[len(bare) :].rstrip(" "), ensure_ascii=False)
    reply = f"{{% if reply_follows %}}{{{{ {opening} }}}}{{% endif %}}"
    return f"{HOLD_GENERATION}{text.removesuffix(chr(10))}{reply}"


def _ends_turn(tokenizer: PreTrainedTokenizerBase, text: str) -> bool:
    """Whether the first thing after a reply is a special token."""
    _, _, after = _around_reply(tokenizer, text)
    ids = tokenizer(after.lstrip(" \n"), add_special_tokens=False)["input_ids"]
    return bool(ids) and ids[0] in end_of_turn_ids(tokenizer)


def _added_text_notes(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    """A note on the text that the template adds to every prompt, if it is more than names of roles."""
    prompt = render(tokenizer, [system(INSTRUCTION), user(QUESTION)], reply_follows=True, template=text)
    for known in (INSTRUCTION, QUESTION, *(token.content for token in tokenizer.added_tokens_decoder.values())):
        prompt = prompt.replace(known, " ")
    added = " ".join(prompt.split())
    words = [word for word in re.findall(r"[^\W\d_]{2,}", added) if word.lower() not in ROLE_WORDS]
    if IDENTITY.search(added):
        raise _template_error(tokenizer, f"gives the model an identity of its own in every prompt: {added[:120]!r}")
    return [f"the template adds to every prompt: {added[:120]!r}"] if len(words) > 2 else []


def _difference(one: str, other: str) -> str:
    """Where two texts begin to differ, with a little of both."""
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"at character {at}, {one[at : at + 20]!r} becomes {other[at : at + 20]!r}"
