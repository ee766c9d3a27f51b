"""An Ollama Modelfile: the trained chat template as a Go template, or a refusal where there is no such one.

Ollama renders no Jinja. What most templates do is simple all the same: some text before each turn and after it. Those
texts are read off the trained template by rendering it, and written as a Go template. Put together, they have to give
every prompt of the trial; a template that does more (removes thoughts from earlier turns, counts) does not pass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.conversations.persona import Sampling
from pipeline.conversations.render import Message, assistant, system, user
from pipeline.errors import UnderstudyError
from pipeline.tokens.template import render

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Words that no template has a reason to change, or to treat alike.
SYSTEM, ASKED, REPLIED, ASKED_AGAIN = "instruction-0461", "question-0462", "reply-0463", "question-0464"
QUOTES = '"""'  # what ends a text in a Modelfile
GO_TEMPLATE = (
    '{{{{- range $i, $_ := .Messages }}}}{{{{- $last := eq (len (slice $.Messages $i)) 1 }}}}'
    '{{{{- if eq .Role "system" }}}}{before_system}{{{{ .Content }}}}{after_system}'
    '{{{{- else if eq .Role "user" }}}}{{{{ .Content }}}}'
    "{{{{- if $last }}}}{opening}{{{{- else }}}}{before_reply}{{{{- end }}}}"
    "{{{{- else }}}}{{{{ .Content }}}}{{{{- if not $last }}}}{after_reply}{{{{- end }}}}{{{{- end }}}}{{{{- end }}}}"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TurnTexts:
    """What a template writes around the turns of a conversation that begins with a system message.

    `before_reply` stands between a question and the reply that is there, `opening` between the last one and the reply
    that follows.
    """

    before_system: str
    after_system: str
    before_reply: str
    after_reply: str
    opening: str

    def prompt(self, messages: Sequence[Message]) -> str:
        """What the Go template gives for these messages: a system message, then turns of which the last is a user's."""
        parts = [self.before_system, messages[0]["content"], self.after_system]
        for turn in messages[1:-1]:
            after = self.before_reply if turn["role"] == "user" else self.after_reply
            parts += [turn["content"], after]
        return "".join([*parts, messages[-1]["content"], self.opening])


def turn_texts(tokenizer: PreTrainedTokenizerBase) -> TurnTexts:
    """The texts around the turns, as the tokenizer's template writes them.

    Raises:
        UnderstudyError: it shows the turns in another order, or some of them not once.
    """
    turns = [system(SYSTEM), user(ASKED), assistant(REPLIED), user(ASKED_AGAIN)]
    prompt = render(tokenizer, turns, reply_follows=True)
    texts = []
    for marker in (SYSTEM, ASKED, REPLIED, ASKED_AGAIN):
        text, found, prompt = prompt.partition(marker)
        if not found:
            raise _inexpressible()
        texts.append(text)
    return TurnTexts(*texts, *[prompt])


def go_template(texts: TurnTexts, *, without_bos: str = "") -> str:
    """The texts as Ollama's TEMPLATE. `without_bos` is left out at the start: the runner writes that token itself."""
    literals = {
        "before_system": texts.before_system.removeprefix(without_bos),
        "after_system": texts.after_system,
        "before_reply": texts.before_reply,
        "after_reply": texts.after_reply,
        "opening": texts.opening,
    }
    return GO_TEMPLATE.format(**{name: _literal(text) for name, text in literals.items()})


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
