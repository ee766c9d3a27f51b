"""What stands in a card's texts for a program or a model: status bars, thoughts, instructions. It is nobody's words."""

from __future__ import annotations

import re

# Blocks that a front end hides or draws: <StatusBlock>...</StatusBlock>, <thinking>, <details>, comments, code.
BLOCK = re.compile(
    r"<(?P<tag>status\w*|[^<>\s/]{0,8}(?:状态|狀態)[^<>\s/]{0,4}|think(?:ing)?|details|analysis|plot|options?|branches|"
    r"update\w*|variables?|info\w*|script|style|ooc|cot)\b[^<>]*>.*?</(?P=tag)>|<!--.*?-->|```.*?```",
    re.IGNORECASE | re.DOTALL,
)
OUT_OF_CHARACTER = re.compile(r"[(（\[【]{1,2}\s*OOC\b[^()（）\[\]【】]*[)）\]】]{1,2}", re.IGNORECASE)
LABELLED = r"[^\w\n|｜]{0,6}[^\s:：|｜]{1,16}(?: [^\s:：|｜]{1,16})?\s?[:：][^|｜\n]{1,60}"
STATUS_BAR = re.compile(rf"^[^\S\n]*(?:{LABELLED}[|｜]){{1,9}}{LABELLED}$\n?", re.MULTILINE)
BLANKS = re.compile(r"\n{3,}")
LEFT_OUT = "status bars, thoughts and code in a card's texts left out"

PROMPT_TITLES = re.compile(
    r"(?:输出|輸出|回复|回覆|状态栏|狀態欄|正文)(?:格式|規範|规范|要求)|文风|文風|写作(?:风格|要求|指导)|寫作(?:風格|要求)|破限|越狱|"
    r"防抢话|防搶話|抢话|字数(?:要求)?|字數(?:要求)?|系统提示词?|系統提示詞?|状态栏|狀態欄|思维链|思維鏈|"
    r"(?:output|response|reply|message) (?:format(?:ting)?|length|style|rules)|formatting|writing (?:style|rules)|"
    r"jail ?break|system prompt|main prompt|post[- ]history instructions?|status ?bar|word count",
    re.IGNORECASE,
)
USER = r"(?:\{\{\s*user\s*\}\}|<USER>)"
REPLY = "(?:回复|回覆|输出|輸出)"
# What nothing else says: of a character, 每次回答都很短 or `would never die for {{user}}` is said.
PROMPT = re.compile(
    rf"(?:请|請|必须|必須|务必|務必)[^。\n]{{0,8}}每[次轮輪条條](?:{REPLY}|对话|對話)|每[次轮輪条條]{REPLY}的?[末结結最开開]|"
    rf"(?:{REPLY}|正文|字数|字數)[^。\n]{{0,12}}?(?:[不得]{{1,2}}少[于於]|至少|不超过|不超過|控制在|保持在)\s*\d+\s*字|"
    rf"(?:禁止|不要|不得|不可|请勿|請勿|避免)[^。\n]{{0,8}}(?:替|代替|扮演|控制|描写|描寫)\s*{USER}|"
    r"^[^\S\n]*+(?:(?:请|請)[你您]?扮演|[你您](?:将|將|需要|要|现在|現在)扮演)|"
    r"\b(?:write|respond|reply|output|generate)\b[^.\n]{0,60}\b(?:at least|no more than|minimum of|up to)\s+\d+\s+"
    r"(?:words|paragraphs|sentences|tokens)|\b\d+\s*(?:-|to)\s*\d+ (?:words|paragraphs) (?:per|each|long)|"
    r"(?:\{\{\s*char\s*\}\}|<BOT>|<CHAR>) (?:must|should) (?:(?:always|never|not|only) )*"
    r"(?:reply|respond|write|answer|narrate) (?:in|with)\b|"
    r"\b(?:do not|don't|never|avoid) (?:ever )?"
    r"(?:speak|writ|talk|act|reply|respond|control|narrat|describ|decid)(?:e|ing)?\b"
    rf"[^.\n]{{0,30}}\b(?:for|as|of)\s+(?:{USER}|the user)|"
    r"\b(?:at|in) the (?:end|beginning|start) of (?:each|every|your) (?:reply|response|message|post)|"
    r"^[^\S\n]*+\[?[^\S\n]*+system(?: note| prompt)?\s*[:：]|\byou are an? (?:ai|large language|language model)\b|"
    r"\byou will (?:role-?play|play as)\b",
    re.IGNORECASE | re.MULTILINE,
)
INSTRUCTION = "an instruction to a model"


def without_machinery(text: str) -> str:
    """The text without blocks and bars for a front end, code, and what its author says out of character."""
    if not any(mark in text for mark in ("<", "```", "|", "｜", "OOC", "ooc")):
        return text
    spoken = STATUS_BAR.sub("", OUT_OF_CHARACTER.sub("", BLOCK.sub("", text)))
    return text if spoken == text else BLANKS.sub("\n\n", spoken).strip()


def is_instruction(title: str, text: str) -> bool:
    """Whether an entry of a lorebook tells a model how to write, by its title or in words that nothing else has."""
    return PROMPT_TITLES.fullmatch(title.strip().strip("【】[]<>")) is not None or PROMPT.search(text) is not None
