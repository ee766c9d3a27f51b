"""The patterns of what is wrong with texts: a game's markup, placeholders, alternatives, marks of other scripts."""

from __future__ import annotations

import re

CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
CJK_MARKS = "\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20…—“”‘’"
INVISIBLE = re.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")
SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f]{2,}|[\u00a0\u2000-\u200a\u202f\u205f]")
MARKUP = re.compile(r"</?(?:color|size|font|span|b|i|u|em|strong|p|center)(?:[ =#][^<>]*)?>", re.IGNORECASE)
LINE_BREAK = re.compile(r"<br\s*/?>|\\n|\r\n?", re.IGNORECASE)
GENDERED = re.compile(r"\{M#?(?P<m1>[^{}]*)\}\{F#?(?P<f1>[^{}]*)\}|\{F#?(?P<f2>[^{}]*)\}\{M#?(?P<m2>[^{}]*)\}")
USER_NAME = re.compile(r"\{NICKNAME\}|\{\{\s*user\s*\}\}|<USER>", re.IGNORECASE)
CHARACTER_NAME = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)
CHOICE = re.compile(r"\{\{\s*(?:random|pick)\s*:{1,2}\s*(?P<first>[^{},]*?)(?:(?:,|::)[^{}]*)?\}\}", re.IGNORECASE)
DROPPED = re.compile(r"\{\{//[^{}]*\}\}|\{/?(?:RUBY|LINK|SPRITE_PRESET|COLOR|TEXTJOIN)\b[^{}]*\}|\{\{trim\}\}|<START>")
PLACEHOLDER = re.compile(r"\{\{[^{}]+\}\}|\{[A-Z_]{2,}[^{}]*\}|\{[MF]#?[^{}]*\}|<USER>|<BOT>", re.IGNORECASE)
OPTION_TAG = re.compile(r"[（(][^（）()]{0,16}(?:选项|选择)[^（）()]{0,16}(?:触发|出现|分支|对话)[^（）()]{0,8}[）)]")
ELLIPSES = re.compile(r"⋯+|·{6,}|\.{3,}")
SHORT_ELLIPSES = re.compile(r"·{3,5}|(?<!…)…(?!…)|…{3,}")
HALF_WIDTH = re.compile(rf"(?<=[{CJK}{CJK_MARKS}])[,!?;:]+|[,!?;:]+(?=[{CJK}{CJK_MARKS}])")
WIDE = str.maketrans(",!?;:", "，！？；：")
WORD_PAIRS = (
    ("他们", "她们"), ("他", "她们"), ("他", "她"), ("大哥哥", "大姐姐"), ("哥哥", "姐姐"), ("哥哥", "妹妹"),
    ("哥哥", "荧"), ("空", "荧"), ("王子", "公主"), ("先生", "女士"), ("先生", "小姐"), ("爷爷", "奶奶"),
    ("少年", "少女"), ("小子", "丫头"), ("帅气", "漂亮"), ("弟弟", "妹妹"), ("he", "she"), ("him", "her"),
    ("his", "her"), ("himself", "herself"), ("brother", "sister"), ("Mr.", "Ms."), ("sir", "madam"),
)  # fmt: skip
WORD_PAIR = re.compile(
    "|".join(
        rf"(?<![A-Za-z]){re.escape(a)}\s?[/／]\s?{re.escape(b)}(?![A-Za-z])"
        for one, other in sorted(WORD_PAIRS, key=lambda pair: -len(pair[0] + pair[1]))
        for a, b in ((one, other), (other, one))
    )
)
AFTER_SENTENCE = re.compile(r"[。！？…⋯·~～.!?）)」』”\"][\s\"]*[/／]")
SLASH = re.compile(r"\s*[/／]\s*")
BEFORE_NAME = re.compile(
    r"(?:^|(?<=[。！？…⋯）)」』”.!?/／&＆\n]))\s*(?P<name>[^\s:：。！？…（）()「」/／][^:：。！？…（）()「」/／\n]{1,11}?)\s*"
    r"(?:[（(][^（）()\n]{1,10}[)）]\s*)?[:：]"
)
A_CJK = re.compile(f"[{CJK}]")
A_LATIN = re.compile("[A-Za-z]")
