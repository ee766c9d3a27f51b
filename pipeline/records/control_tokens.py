"""Control tokens of chat templates that got into a text: leftovers of another program, or forged turns.

These are the unmistakable ones of the usual model families. Which ones a run's own tokenizer has is known only when it
is loaded; see `pipeline.tokens.plain_text`.
"""

from __future__ import annotations

import re

CONTROL_TOKEN = "a control token in its text"  # noqa: S105 - a reason, no password
CONTROL_TOKENS = re.compile(
    r"<\|[A-Za-z0-9_▁ -]{1,40}\|>|<｜[A-Za-z0-9_▁ -]{1,40}｜>|</?(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|</?s>"
    r"|\[/?INST\]|<</?SYS>>|<(?:BOS|EOS)_TOKEN>|\[gMASK\]|</?think>|</?tool_call>"
)


def find_control_token(text: str) -> str | None:
    """The first control token of the text; None if it has none."""
    found = CONTROL_TOKENS.search(text) if "<" in text or "[" in text else None
    return found[0] if found else None
