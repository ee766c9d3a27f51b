"""What people who play or write say amid their scene as themselves: ((brb)), （（等我）), OOC: gtg, ——闭皮——."""

from __future__ import annotations

import re

OUT_OF_CHARACTER, COMMAND = "out of character", "a command"
OPEN, SHUT = r"[(（\[【〔{｛]", r"[)）\]】〕}｝]"
WITHIN = r"[^()（）\[\]【】〔〕{}｛｝]"
# What says by its own meaning that a player speaks, in a chat of whomever.
_WORD = r"(?:OOC(?![A-Za-z])|out of character\b|皮下(?![注出组組脂埋植])|[戏戲]外|皮(?=\s*[:：]))"
MARKED_PART = re.compile(rf"{OPEN}\s*{_WORD}{WITHIN}*{SHUT}", re.IGNORECASE)
MARKED = re.compile(rf"{OPEN}\s*{_WORD}\s*{SHUT}|([/／*])\s*{_WORD}\s*\1", re.IGNORECASE)  # [OOC] gtg, /皮下/ 先睡了
_DRESS = r"[\s—–―\-=~～*·•_─━|/／\\<>《》【】\[\]()（）〔〕#]"
# A line of its own in a dress, from which on somebody plays, or no longer does: ——开皮——, --- OOC ---.
_PLAYS, _STOPS = (
    r"[开開上披]皮|皮上|[开開上][戏戲]|(?:back )?IC|in character",
    r"[闭閉下收]皮|皮下|[下收][戏戲]|OOC|out of character",
)
MODE = re.compile(
    rf"(?={_DRESS}{{2}}|[【\[(（〔]){_DRESS}{{1,90}}+(?:(?P<plays>{_PLAYS})|{_STOPS})[了啦]?{_DRESS}*", re.IGNORECASE
)
STARTS_MARKED = re.compile(
    rf"{OPEN}\s*{_WORD}|[*#~～—/／\-]{{0,9}}\s?"
    r"(?:(?:OOC|out of character|皮下|[戏戲]外)\s*[:：]|皮下(?:[ \u3000\t]+(?!\d)|$))",
    re.IGNORECASE,
)
# What does so in a script, or where people play.
DOUBLE_PART = re.compile(r"\(\([^()]*\){1,2}|（（[^（）]*）{1,2}")
TO_END = re.compile(rf"\(\(|（（|//(?![\w-]+\.[\w.-])|OOC(?:\s|$)|{STARTS_MARKED.pattern}", re.IGNORECASE)
# Behind a line: Sit. // cut?
NOTE = re.compile(
    r"(?<=\s)//\s*(?:(?:\w+ )?notes?\b|todo|fixme|cut\b|check|temp|placeholder|too \w+|maybe|"
    r"[备備]注|注[:：]|待|[删刪]|改).*",
    re.IGNORECASE,
)
COMMANDS = re.compile(
    r"/(?:me|w|ooc|em|nick|join|leave)\b.*|!(?:w|ooc|em|nick|join|leave)\b.*|[/!](?:roll|r|gmroll)(?:\s*[\d+d(].*|)|[.。](?:r[abcdh]?|sc|st|en|ti|li|coc|dnd|nn|jrrp)(?:\s?[^a-z\s].*|\s.*|)",
    re.IGNORECASE,
)


def without_asides(text: str) -> tuple[str, str]:
    """The text without what is said out of character, and the reason to leave it out where nothing else is left."""
    text = text.strip()
    if COMMANDS.fullmatch(text):
        return text, COMMAND
    if is_marked(text):
        return text, OUT_OF_CHARACTER
    rest = NOTE.sub("", DOUBLE_PART.sub("", MARKED_PART.sub("", text))).strip()
    is_aside = not rest or TO_END.match(rest)
    return (text, OUT_OF_CHARACTER) if text and is_aside else (rest, "")


def without_marked(text: str) -> str:
    """The text without what says itself that it is out of character, in whatever chat; empty where all of it does."""
    rest = text.strip() if is_marked(text.strip()) else MARKED_PART.sub("", text).strip()
    return "" if is_marked(rest) or STARTS_MARKED.match(rest) else rest


def is_marked(text: str) -> bool:
    """Whether a mark stands before all of the text, or the text is a line that says who speaks from there on."""
    return MARKED.match(text) is not None or MODE.fullmatch(text) is not None
