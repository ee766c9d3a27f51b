"""An Ollama Modelfile: the trained chat template as a Go template, or a refusal where there is no such one.

Ollama renders no Jinja. What most templates do is simple all the same: some text before each turn and after it, by the
roles of the two that it stands between. Those texts are read off the trained template by rendering it, and written as a
Go template. Put together, they have to give every prompt of the trial; a template that does more (removes thoughts from
earlier turns, counts) does not pass. Orders of turns that only front ends send may be given otherwise, and are named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.conversations.persona import Persona, Sampling
from pipeline.conversations.render import Message, chat_prompt
from pipeline.errors import UnderstudyError
from pipeline.exports.trial import front_end_conversations, refused_orders
from pipeline.tokens.template import render

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Orders of turns that between them have every pair of roles that follow each other. Ollama joins turns of one role.
USUAL = ("system", "user", "assistant", "user")
ORDERS = (
    USUAL,
    ("system", "assistant", "user"),  # begun by a greeting
    ("system", "user", "assistant", "system", "user"),
    ("system", "user", "assistant", "user", "system"),
)
# Where a template refuses a system message, it stands as a user's would.
STAND_INS = {
    ("system", "assistant"): ("user", "assistant"),
    ("assistant", "system"): ("assistant", "user"),
    ("user", "system"): ("system", "user"),
}
BLANK_LINE = "\n\n"  # between turns of one role, as Ollama joins them
QUOTES = '"""'  # what ends a text in a Modelfile


@dataclass(frozen=True, slots=True)
class TurnTexts:
    """What a template writes around the turns of a conversation that begins with a system message.

    `first` stands before that message, `between` between two turns, by the roles of both, and `opening` between the
    last one and the reply that follows, by its role.
    """

    first: str
    between: Mapping[tuple[str, str], str]
    opening: Mapping[str, str]

    def prompt(self, messages: Sequence[Message]) -> str:
        """What the Go template gives for these messages, of which the first is the system's."""
        parts = [self.first, messages[0]["content"]]
        for before, turn in pairwise(messages):
            parts += [self.between.get((before["role"], turn["role"]), BLANK_LINE), turn["content"]]
        return "".join([*parts, self.opening.get(messages[-1]["role"], "")])


def turn_texts(tokenizer: PreTrainedTokenizerBase) -> TurnTexts:
    """The texts around the turns, as the tokenizer's template writes them.

    Raises:
        UnderstudyError: it shows the turns of a usual conversation in another order, or some of them not once.
    """
    between: dict[tuple[str, str], str] = {}
    opening: dict[str, str] = {}
    for order in ORDERS:
        found = _texts_of(tokenizer, order)
        if found is None and order == USUAL:
            raise _inexpressible()
        if found is not None:  # what is read off the usual order stays
            _, *within, last = found
            between = dict(zip(pairwise(order), within, strict=True)) | between
            opening = {order[-1]: last} | opening
    for pair, stand_in in STAND_INS.items():
        between.setdefault(pair, between[stand_in])
    first = (_texts_of(tokenizer, USUAL) or [""])[0]
    return TurnTexts(first, between, {"system": opening["user"]} | opening)


def _texts_of(tokenizer: PreTrainedTokenizerBase, order: Sequence[str]) -> list[str] | None:
    """What the template writes before, between and after turns of these roles; None where it refuses or moves them."""
    # Words that no template has a reason to change, or to treat alike.
    turns = [Message(role=role, content=f"{role}-046{number}") for number, role in enumerate(order)]
    try:
        rest = render(tokenizer, turns, reply_follows=True)
    except UnderstudyError:
        return None
    texts = []
    for turn in turns:
        text, found, rest = rest.partition(turn["content"])
        if not found:
            return None
        texts.append(text)
    return [*texts, rest]


def go_template(texts: TurnTexts, *, without_bos: str = "") -> str:
    """The texts as Ollama's TEMPLATE. `without_bos` is left out at the start: the runner writes that token itself."""
    between = "".join(
        f'{{{{- else if and (eq $before "{before}") (eq .Role "{role}") }}}}{_literal(text)}'
        for (before, role), text in sorted(texts.between.items())
    )
    return (
        '{{- $before := "" }}{{- range $i, $_ := .Messages }}'
        f"{{{{- if eq $i 0 }}}}{_literal(texts.first.removeprefix(without_bos))}"
        f"{between}{{{{- else }}}}{_literal(BLANK_LINE)}{{{{- end }}}}{{{{ .Content }}}}"
        "{{- if eq (len (slice $.Messages $i)) 1 }}"
        f'{{{{- if eq .Role "user" }}}}{_literal(texts.opening["user"])}'
        f'{{{{- else if eq .Role "system" }}}}{_literal(texts.opening["system"])}{{{{- end }}}}{{{{- end }}}}'
        "{{- $before = .Role }}{{- end }}"
    )


def orders_rendered_otherwise(tokenizer: PreTrainedTokenizerBase, texts: TurnTexts, persona: Persona) -> list[str]:
    """Which of the front ends' orders the texts do not give as the template, which renders them, does."""
    refused = refused_orders(tokenizer, persona)
    return [
        order
        for order, conversations in front_end_conversations().items()
        if order not in refused
        and any(
            texts.prompt(messages) != render(tokenizer, messages, reply_follows=True)
            for messages in (chat_prompt(persona, turns) for turns in conversations)
        )
    ]


def check_expressible(
    tokenizer: PreTrainedTokenizerBase, texts: TurnTexts, conversations: Sequence[Sequence[Message]]
) -> int:
    """The number of conversations, each of which the texts render as the tokenizer's template does.

    Raises:
        UnderstudyError: one is rendered otherwise.
    """
    for messages in conversations:
        if texts.prompt(messages) != render(tokenizer, list(messages), reply_follows=True):
            raise _inexpressible()
    return len(conversations)


def modelfile(gguf: str, template: str, instruction: str, end: str, sampling: Sampling) -> str:
    """The text of the Modelfile.

    Raises:
        UnderstudyError: a text holds the quotes that would end it.
    """
    if QUOTES in instruction or QUOTES in template:
        raise UnderstudyError("the persona", f"holds {QUOTES}, which a Modelfile cannot hold", fix="take them out")
    lines = [
        f"FROM ./{gguf}",
        f"TEMPLATE {QUOTES}{template}{QUOTES}",
        f"SYSTEM {QUOTES}{instruction}{QUOTES}",
        f"PARAMETER stop {json.dumps(end, ensure_ascii=False)}",
        f"PARAMETER temperature {sampling.temperature}",
        f"PARAMETER top_p {sampling.top_p}",
        "PARAMETER top_k 0",
        "PARAMETER min_p 0.0",
        "PARAMETER repeat_last_n -1",  # all of the conversation, as our own chat
        f"PARAMETER repeat_penalty {sampling.repetition_penalty}",
        f"PARAMETER num_predict {sampling.max_new_tokens}",
    ]
    return "\n".join(lines) + "\n"


def _literal(text: str) -> str:
    """The text as a string of the Go template, so that no white space of it is trimmed; nothing if it is empty."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""


def _inexpressible() -> UnderstudyError:
    return UnderstudyError(
        "--to ollama",
        "cannot write this model's chat template as a Go template that renders the trained prompts",
        fix="export with --to gguf, and run it by a server that renders the model's own template, such as llama.cpp's",
    )
