"""What people call the columns of who speaks and of what is said: one vocabulary for tables, rows and advice.

Some say it alone (说话人, 台词), others only beside one another, or by what stands below them: 角色 may be spoken of,
内容 may be a description, and `name` is what anything is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product


def _each(*parts: Sequence[str]) -> frozenset[str]:
    return frozenset(map("".join, product(*parts)))


_NAMED = ("", "名", "名字", "名称", "名稱", "姓名")
_NAME = ("", "name", " name", "_name")
_SAYS = ("说话", "說話", "发言", "發言", "讲话", "講話", "发送", "發送")
_LINES = ("台词", "台詞", "臺詞", "对白", "對白", "对话", "對話")
_SAID = (*_LINES, "语音", "語音")
_TEXT = ("内容", "內容", "文本", "文案", "正文")

# Who says it.
SPEAKS = _each(("speaker",), _NAME) | _each(_SAYS, ("人", "者", "角色", "人物"), _NAMED)
SPEAKS |= _each(("配音", "语音", "語音", "对白", "對白", "对话", "對話"), ("角色", "人物"), _NAMED)
# Somebody who says what stands beside it, or who is described there.
PEOPLE = _each(("character",), _NAME) | _each(("角色", "人物"), _NAMED) | {"char"}
# The name of anybody, or of anything.
NAMES = frozenset({"name", "full name", "who", "姓名", "名字", "名称", "名稱", "人名", "昵称", "暱稱"})
NAMES |= _each(("npc",), (*_NAME, *_NAMED))
# Who writes a message; beside a text it says whose it is, if only as an account.
WRITERS = frozenset({
    "user", "username", "user name", "user_name", "author", "sender", "from", "by", "nick", "nickname", "player",
    "actor", "account", "role", "用户", "用户名", "用戶", "发送者", "發送者", "发件人", "寄件人", "作者", "玩家",
})  # fmt: skip
# What is said.
SAYINGS = frozenset({"line", "dialogue", "dialog", "utterance", "quote", "話", *_LINES}) | _each(_SAID, _TEXT)
# The same beside a word for who says it; beside a character it may be a description, or a plot.
WEAK = frozenset({"content", "message", "字幕", *_TEXT}) | _each(("剧情", "劇情", "字幕"), _TEXT)
# What is asked and what is replied, as data sets name the two; what alone may be anything (`text`) only beside what
# surely asks, and who speaks (`user`, which may be a name) only beside who replies.
QUESTIONS = ("question", "ask", "问题", "問題", "提问", "提問", "题目", "題目", "问", "問")
PROMPTS = ("prompt", "instruction", "指令")
INPUTS = ("query", "input", "输入", "輸入")
ANSWERS = (
    "answer", "response", "reply", "output", "completion", "回答", "答案", "答复", "回复", "答覆", "回覆", "答", "输出",
    "輸出",
)  # fmt: skip
TEXTS = ("text", "content", *sorted(_TEXT))
ASKERS, REPLIERS = ("user", "human", "用户", "用戶"), ("assistant", "gpt", "bot", "助手")
EXCHANGES = (  # of what is asked and what is replied
    ((*QUESTIONS, *PROMPTS, *INPUTS), ANSWERS),
    ((*QUESTIONS, *PROMPTS), TEXTS),
    (ASKERS, REPLIERS),
)
# Of several such columns the first of these is meant: `Line` numbers the lines where `Dialogue` has them.
RANKS = (
    frozenset({"speaker", "text"}),
    SPEAKS | _each(_SAID, _TEXT),
    (SAYINGS | PEOPLE) - {"line", "对话", "對話", "話"},
)


def rank(word: str) -> int:
    """How surely a column of this name is what its words stand for, the surest 0."""
    return next((number for number, words in enumerate(RANKS) if word in words), len(RANKS))
