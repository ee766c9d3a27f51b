"""Whom a system prompt says that the model is: somebody, as in `You are Bram Tolley.`, or nobody in particular."""

from __future__ import annotations

import re
from collections.abc import Collection

from pipeline.records.names import spelling

# Of a name alone: what follows ends it. An article, a word in small letters or a possessive makes it no name.
ENGLISH = re.compile(
    r"\s*(?:#+ |\*\*)?(?:you are(?: now)?|you['’]re|your name is|act as|(?:role-?)?play(?: as)?|you (?:will )?play)\s+"
    r"(?-i:(?P<name>[A-Z][\w'’-]*\w(?: (?:(?:of|the|de|van|von|la|le|du) )?[A-Z][\w'’-]*\w){0,3}))"
    r"(?=\s*(?:[,.;:!(\n—–]|$)| (?:-|who|from) )",
    re.IGNORECASE,
)
# In Chinese a role looks like a name, 你是客服，请耐心: what follows says that it is somebody, or `named` does.
CHINESE = re.compile(
    r"\s*[你您](?:现在|現在)?(?:(?:的名字)?(?:叫做?|是叫)|名叫|的名字是)(?P<named>[\u4e00-\u9fff·]{2,8}?)(?=[，,。.！!；;\n]|$)|"
    r"\s*(?:请|請)?[你您]?(?:现在|現在|将|將|来|來)?(?:是|扮演)(?P<is>(?![一个個位名])[\u4e00-\u9fff·]{2,8}?)"
    r"[，,](?=\s*(?:是?一[名位个個]|今年|来自|來自|住在|[0-9０-９]|[她他]是))"
)
# Models, peoples and roles with a capital.
NO_NAME = re.compile(
    r"(?:An?|The|In|Not|Now|One|All|Both|Here|Going|Able|Expected|Allowed|Welcome|Free|Chat ?Bot|Bot)\b.*|"
    r"(?:Open ?Assistant|Assistant|AI|LLM|Chat ?GPT|GPT|Claude|Qwen|Gemini|Gemma|Llama|Vicuna|Alpaca|Mistral|"
    r"Deep ?Seek|Kimi|Chat ?GLM|GLM|Grok|Copilot|Bard|Phi|Yi|Hermes|Dolphin|Zephyr|Intern ?LM)\b.*|"
    r".*\b(?:AI|Assistant|Model|Bot|Chatbot|Expert|Engineer|Translator|Agent)|"
    r"English|French|German|Spanish|Chinese|Japanese|Korean|Russian|Italian|American|British|Indian|Canadian|"
    r".*(?:助手|助理|专家|專家|模型|机器人|機器人|客服|翻译|翻譯|老师|老師|医生|醫生|作家|程序员|工程师|工程師)"
)
# Of a name, what several people may have.
TITLE = re.compile(
    r"\b(?:the|of|captain|lady|lord|sir|dame|mr|mrs|ms|miss|dr|doctor|professor|king|queen|prince|princess|master|old|"
    r"young|saint|st|sergeant|sister|brother|father|mother|aunt|uncle)\b"
)


def other_than(prompt: str, names: Collection[str]) -> str:
    """Whom the prompt says that the model is, if that is surely none of the `names`; empty if not, or without names.

    A part of a name is one, too: Captain Mira is Mira Vale. Where the prompt has the character's name anywhere, or a
    word that may be none, nobody else is sure.
    """
    if any(part in prompt for name in names for part in (name, name.split()[0]) if not TITLE.fullmatch(part.lower())):
        return ""
    found = ENGLISH.match(prompt) or CHINESE.match(prompt)
    who = next(filter(None, found.groups()), "") if found and names else ""
    if not who or NO_NAME.fullmatch(who) or _may_be_a_word(who) or any(_is_a_form_of(who, name) for name in names):
        return ""
    return who


def _may_be_a_word(who: str) -> bool:
    """Whether it may say what somebody is like or does: an English word by itself, 活泼的少女, 水神."""
    return " " not in who if who.isascii() else bool(re.search("[的我]|[神王帝后者师師手兵官员員主]$", who))


def _is_a_form_of(one: str, other: str) -> bool:
    """Whether all words of one are the other's, but for titles: two of a family share a word, and are two."""
    words, more = sorted((_words(one), _words(other)), key=len)
    is_part = not one.isascii() and (spelling(one) in spelling(other) or spelling(other) in spelling(one))
    return spelling(one) == spelling(other) or is_part or bool(words and words <= more)


def _words(name: str) -> frozenset[str]:
    return frozenset(TITLE.sub("", spelling(name)).split())
