"""The patterns of what is wrong with texts: a game's markup, placeholders, alternatives, marks of other scripts."""

from __future__ import annotations

import re

CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
CJK_MARKS = "\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20…—“”‘’"
INVISIBLE = re.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")
SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f]{2,}|[\u00a0\u2000-\u200a\u202f\u205f]")
MARKUP = re.compile(
    r"</?(?:color|size|font|span|b|i|u|em|strong|p|center|sprite)(?:[ =#][^<>]*)?>"
    # A game engine's: {w=0.5}, {b}loud{/b}.
    r"|\{/?(?:b|i|u|w|p|nw|fast|cps|color|size|font|alpha)(?:=[^{}\n]{0,40})?\}"
    # The same in square brackets, and how a line is said with a word for that: [pause=0.5], 【情绪：愤怒】.
    r"|\[/?(?:pause|wait|delay|speed|shake|wave|sfx|se|bgm|colou?r|size|font|face|anim)(?:=[^\[\]\n]{0,40})?\]"
    r"|[\[【(（](?:情[绪緒]|[语語][气氣]|表情|神[态態]|心情|emotion|mood|tone|expression)\s?[:：=][^\[\]【】()（）\n]{0,20}[\]】)）]"
    # A sound or a face, [[MIRA_LAUGH]], in the capitals of a studio's sheets.
    r"|(?-i:\[\[[A-Z][A-Z\d]{0,30}_[A-Z\d_]{1,40}\]\])",
    re.IGNORECASE,
)
# Unreal's, around the text of a table: NSLOCTEXT("Table", "Row_1", "Come up.").
LOCALISED = re.compile(
    r'(?:(?:NS)?LOCTEXT|INVTEXT)\((?:\s*"[^"\n]{0,200}"\s*,){0,2}\s*"(?P<text>(?:[^"\\]|\\.)*)"\s*\)', re.DOTALL
)
LINE_BREAK = re.compile(r"<br\s*/?>|\\n|\r\n?", re.IGNORECASE)
GENDERED = re.compile(r"\{M#?(?P<m1>[^{}]*)\}\{F#?(?P<f1>[^{}]*)\}|\{F#?(?P<f2>[^{}]*)\}\{M#?(?P<m2>[^{}]*)\}")
# Whoever plays, in the words of those who write games: {玩家名}, <player>, ${playerName}, #玩家名#.
PLAYER_NAME = (
    r"(?:player|user)[ _-]?name|(?:玩家|主角|主人公)(?:的?名字?|姓名|名称|名稱|昵称|暱稱|id)|用户名|用戶名|使用者名稱"
)
PLAYER = rf"player|user|玩家|主角|主人公|{PLAYER_NAME}"
# A word alone in such brackets may say who speaks, a prize or a role, 陆沉舟[主角]: a mark has to follow. And #主角# is
# what people write about.
ADDRESSED = r"(?:[【\[](?:player|user|玩家)[】\]]|#(?:player|user|玩家)#)(?=\s*(?:[，,、。！？!?…；;～~」』”\"]|\Z))"
USER_NAME = re.compile(
    rf"\{{NICKNAME\}}|\$?\{{\{{?\s*\$?(?:{PLAYER})\s*\}}\}}?|<(?:{PLAYER})>|#(?:{PLAYER_NAME})#|%(?:{PLAYER})%"
    rf"|\$(?:{PLAYER})\b|[【\[](?:{PLAYER_NAME})[】\]]|{ADDRESSED}",
    re.IGNORECASE,
)
# What may stand for anything, or be what somebody speaks of: `He wrote [name] on the form` is prose on both sides.
SLOT = r"(?:\{[1-9]\d?\}|(?<![\d%])%d(?![A-Za-z])|[<\[](?:(?:your|char(?:acter)?)[ _-]?)?name[>\]])"
CHARACTER_NAME = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)
CHOICE = re.compile(r"\{\{\s*(?:random|pick)\s*:{1,2}(?P<choices>[^{}]*)\}\}", re.IGNORECASE)
DROPPED = re.compile(r"\{\{//[^{}]*\}\}|\{/?(?:RUBY|LINK|SPRITE_PRESET|COLOR|TEXTJOIN)\b[^{}]*\}|\{\{trim\}\}|<START>")
PLACEHOLDER = re.compile(
    r"\{\{[^{}]+\}\}|\{[A-Z_]{2,}[^{}]*\}|\{[MF]#?[^{}]*\}|<USER>|<BOT>"
    rf"|\{{\s*\$?(?:{PLAYER})\s*\}}|<(?:{PLAYER})>|[【\[](?:{PLAYER_NAME})[】\]]|{ADDRESSED}"
    rf"|\A\s*[【\[](?:player|user|玩家)[】\]]|#(?:{PLAYER_NAME})#|%(?:{PLAYER})%"
    # What a program puts anything in, of which nobody can say what: {0}, %s, ${what}, #name#, [name].
    r"|\{0\}|\{\d{1,2}:[^{}]{0,20}\}|(?<![\d%])%(?:[s@]|\d{1,2}\$[sd@])(?![A-Za-z])|\$\{[^{}\n]{1,40}\}"
    r"|[#%](?:(?:char(?:acter)?|hero|first|last|full)[ _-]?)?name[#%]"
    r"|\$(?:\w{1,20}_)?(?:name|player|user|nick(?:name)?)\b"
    rf"|(?<![A-Za-z,] ){SLOT}|{SLOT}(?! [a-z])|{SLOT}(?=[^\n]{{1,200}}{SLOT})",
    re.IGNORECASE,
)
HASHTAG = re.compile(r"#[^#\s]{1,40}#")
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
    r"(?:^|(?<=[。！？…⋯）)」』”.!?/／&＆\n]))\s*(?P<name>[^\s:：。.！？…（）()「」/／][^:：。！？…（）()「」/／\n]{1,11}?)\s*"
    r"(?:[（(][^（）()\n]{1,10}[)）]\s*)?[:：]"
)
A_CJK = re.compile(f"[{CJK}]")
A_LATIN = re.compile("[A-Za-z]")
