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


RENDERED = "a training template with its texts filled in: bring what is asked and replied as columns of their own"
# Alpaca's, and others that have words for what chat templates have tokens for; each of both labels begins a line.
_ASKS = r"(?:###\s*)?(?:Instructions?|Input|Question|User|Human|指令|输入|問題|问题|用户|用戶)"
_REPLIES = r"(?:###\s*)?(?:Response|Output|Answer|Assistant|Bot|GPT|回复|回覆|回答|输出|助手)"
RENDERED_TEMPLATE = re.compile(
    r"\ABelow is an instruction that describes a task|\A以下是一[条個个]描述任务的指令|"
    rf"^###\s*{_ASKS}\s*[:：].*^###\s*{_REPLIES}\s*[:：]|"
    r"\A\s*(?:USER|User|Human|用户)\s*[:：].*^(?:ASSISTANT|Assistant|助手)\s*[:：]",
    re.DOTALL | re.MULTILINE,
)


def reason_of_template(text: str) -> str:
    """Why a text is no line but a template's: it has a control token, or is a whole example; empty if it is neither."""
    if find_control_token(text):
        return CONTROL_TOKEN
    return RENDERED if RENDERED_TEMPLATE.search(text) else ""
