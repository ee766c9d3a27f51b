"""What stands in a card's texts for a program or a model: status bars, thoughts, instructions. It is nobody's words."""

from __future__ import annotations

import re

# Blocks that a front end hides or draws: <StatusBlock>...</StatusBlock>, <thinking>, comments; <details> and code may
# hold what is said.
HIDDEN = re.compile(
    r"<(?P<tag>status\w*|[^<>\s/]{0,8}(?:状态|狀態)[^<>\s/]{0,4}|think(?:ing)?|analysis|options?|branches|"
    r"update\w*|variables?|info\w*|script|style|ooc|cot)\b[^<>]*>.*?</(?P=tag)>|<!--.*?-->",
    re.IGNORECASE | re.DOTALL,
)
DRAWN = re.compile(r"<(?P<tag>details|plot)\b[^<>]*>.*?</(?P=tag)>", re.IGNORECASE | re.DOTALL)
FENCED = re.compile(r"```(?:(?P<language>[a-z][\w+-]{0,14})?[^\S\n]*\n)?(?P<text>.*?)```", re.DOTALL)
# What no letter and no sign on a wall has: a label, a tag, a call or an assignment.
OF_CODE = re.compile(r"^[^\S\n]*[^\s:：][^:：\n]{0,19}[:：]|</?\w|\w\([^()\n]{0,200}\)|[{};]|\w\s?=", re.MULTILINE)
TAG = re.compile(r"<(?P<end>/?)(?P<tag>details|summary|plot)\b[^<>]*>", re.IGNORECASE)
OUT_OF_CHARACTER = re.compile(r"[(（\[【]{1,2}\s*OOC\b[^()（）\[\]【】]*[)）\]】]{1,2}", re.IGNORECASE)
LABELLED = r"[^\w\n|｜{]{0,6}[^\s:：|｜{]{1,16}(?: [^\s:：|｜]{1,16})?\s?[:：][^|｜\n]{1,60}"
STATUS_BAR = re.compile(rf"[^\S\n]*(?:{LABELLED}[|｜]){{1,9}}{LABELLED}")
BLANKS = re.compile(r"\n{3,}")
LEFT_OUT = "status bars, thoughts and code in a card's texts left out"

PROMPT_TITLES = re.compile(
    r"(?:输出|輸出|回复|回覆|状态栏|狀態欄|正文)(?:格式|規範|规范|要求)|写作(?:要求|指导)|寫作要求|破限|"
    r"防抢话|防搶話|抢话|字数(?:要求)?|字數(?:要求)?|系统提示词?|系統提示詞?|思维链|思維鏈|"
    r"(?:output|response|reply|message) (?:format(?:ting)?|length|style|rules)|formatting|writing rules|"
    r"system prompt|main prompt|post[- ]history instructions?|word count",
    re.IGNORECASE,
)
# Of a prison, a tavern or an author as well: there the text has to speak of a model's work, too.
AMBIGUOUS_TITLES = re.compile(
    r"jail ?break|越狱|越獄|status ?bar|状态栏|狀態欄|文风|文風|写作风格|寫作風格|writing style|(?:the )?system",
    re.IGNORECASE,
)
USER = r"(?:\{\{\s*user\s*\}\}|<USER>)"
CHAR = r"(?:\{\{\s*char\s*\}\}|<BOT>|<CHAR>)"
REPLY = "(?:回复|回覆|输出|輸出)"
# Where a sentence begins, whose subject nobody names: the maids never speak, but `Never speak` is said to a model.
BEGINS = r"(?:^|(?<=[.!?;。！？；]))[\s\[【(（*•#\d.、）)-]{0,8}"
ABOUT_REPLIES = re.compile(
    rf"{REPLY}|正文|用户|用戶|大?模型|{USER}|\b(?:AI|LLM|language model|role-?play|repl(?:y|ies)|respon(?:se|ses|d)|"
    rf"output|NSFW)\b|{BEGINS}(?:请|請|使用|采用|採用|避免|禁止|不要|务必|務必|必须|必須|"
    r"(?:write|use|avoid|ignore|keep|never|always|do not|don't)\b)",
    re.IGNORECASE | re.MULTILINE,
)
TOLD = r"(?:(?:please|always|you (?:must|should|will|shall|can)|(?:the )?ai (?:must|should|will)) )*"
IN_REPLIES = r"(?:at|in) the (?:end|beginning|start) of (?:each|every|your) (?:reply|response|message|post)"
ADD = r"(?:add|include|put|append|print|display|show|generate|output|insert|update|provide|place|write|end|begin|start)"
COUNTED = r"(?:at least|no more than|minimum of|up to)\s+\d+\s+(?:words|paragraphs|sentences|tokens)"
# What is said to a model, and of nobody: 她每次回答都很短 or `would never speak ill of {{user}}` is lore.
PROMPT = re.compile(
    rf"{BEGINS}(?:"
    rf"[你您]?(?:请|請|必须|必須|务必|務必)[^。\n]{{0,8}}每[次轮輪条條]{REPLY}|(?:请|請)[^。\n]{{0,8}}每[次轮輪条條](?:对话|對話)|"
    rf"在?每[次轮輪条條]{REPLY}的?[末结結最开開](?![^。\n]{{0,80}}[他她])|"
    rf"(?:每[次轮輪条條]|[你您]的|请|請|单次|單次)*(?:{REPLY}|正文|字数|字數)[^。\n]{{0,12}}?"
    r"(?:[不得]{1,2}少[于於]|至少|不超过|不超過|控制在|保持在)\s*\d+\s*字|"
    r"[你您]?(?:绝对|絕對|严格|嚴格)?(?:禁止|不要|不得|不可|请勿|請勿|避免)[^。\n]{0,8}(?:"
    rf"代?替\s*{USER}\s*(?:[说說发發行言动動做回决決思]|[。！，,\s]|$)|(?:扮演|控制|描写|描寫)\s*{USER})|"
    r"(?:请|請)[你您]?扮演|[你您](?:将|將|需要|要|现在|現在)扮演|"
    rf"{TOLD}(?:write|respond|reply|output|generate)\b[^.\n]{{0,60}}\b{COUNTED}(?! in (?:the|an?|her|his|their)\b)|"
    rf"{CHAR} (?:must|should) (?:(?:always|never|not|only) )*(?:reply|respond|write|answer|narrate) (?:in (?:the )?"
    r"(?:first|second|third|past|present|character|english|chinese|japanese|markdown|italics|\d)|with (?:at least|\d))|"
    rf"(?:{TOLD}|{CHAR} (?:must|should|will) )(?:do not|don't|not|never|avoid) (?:ever )?"
    r"(?:speak|writ|talk|act|reply|respond|narrat|decid)(?:e|ing)?\b"
    rf"[^.\n]{{0,30}}\b(?:for|as)\s+(?:{USER}|the user)|"
    rf"{TOLD}{ADD}\b[^.\n]{{0,80}}\b{IN_REPLIES}|{IN_REPLIES},? {TOLD}{ADD}\b|"
    r"you are an? (?:ai|large language|language model)\b|"
    r"(?:in (?:this|the) (?:role-?play|story|chat|scenario),? )?you will (?:role-?play|play as)\b|"
    r"system (?:note|prompt)\s*[:：])|"
    r"\b\d+\s*(?:-|to)\s*\d+ (?:words|paragraphs) (?:per|each) (?:reply|response|message|post|turn)",
    re.IGNORECASE | re.MULTILINE,
)
INSTRUCTION = "an instruction to a model"


def without_machinery(text: str) -> str:
    """The text without blocks and bars for a front end, code, and what its author says out of character.

    Where nothing would remain, what a front end would show of it does, without its fences and tags.
    """
    if not any(mark in text for mark in ("<", "```", "|", "｜", "OOC", "ooc")):
        return text
    shown = OUT_OF_CHARACTER.sub("", HIDDEN.sub("", text))
    spoken = _without_bars(FENCED.sub(_of_fence, DRAWN.sub("", shown)))
    if not any(char.isalnum() for char in spoken):
        spoken = TAG.sub(_of_tag, FENCED.sub(r"\g<text>", shown))
    return text if spoken == text else BLANKS.sub("\n\n", spoken).strip()


def _of_fence(block: re.Match[str]) -> str:
    is_code = block["language"] is not None or OF_CODE.search(block["text"]) is not None
    return "" if is_code else block["text"]


def _of_tag(tag: re.Match[str]) -> str:
    return "\n" if tag["end"] and tag["tag"].lower() == "summary" else ""


def _without_bars(text: str) -> str:
    """The text without bars above and below it; where it is nothing else, they are what is said."""
    lines = text.split("\n")
    said = [number for number, line in enumerate(lines) if line.strip() and not STATUS_BAR.fullmatch(line)]
    return "\n".join(lines[said[0] : said[-1] + 1]) if said else text


def is_instruction(title: str, text: str) -> bool:
    """Whether an entry of a lorebook tells a model how to write, by its title or in words that nothing else has."""
    name = title.strip().strip("【】[]<>")
    if PROMPT_TITLES.fullmatch(name) or PROMPT.search(text):
        return True
    return AMBIGUOUS_TITLES.fullmatch(name) is not None and ABOUT_REPLIES.search(text) is not None
