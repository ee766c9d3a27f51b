"""What people who play or write say amid their scene as themselves: ((brb)), （（等我）), OOC: gtg."""

from __future__ import annotations

import re

OUT_OF_CHARACTER, COMMAND = "out of character", "a command"
_MARK = r"(?:OOC\b|皮下(?![注出组組脂埋植])|皮(?=\s*[:：]))"
CLOSED = re.compile(
    rf"\(\([^()]*\){{1,2}}|（（[^（）]*）{{1,2}}|[(（\[【]{_MARK}[^()（）\[\]【】]*[)）\]】]", re.IGNORECASE
)
TO_END = re.compile(rf"\(\(|（（|//(?![\w-]+\.[\w.-])|[(（\[【]{_MARK}|(?:OOC|皮下)\s*[:：]", re.IGNORECASE)
MARKED = re.compile(rf"[(（\[【]{_MARK}\s*[)）\]】]", re.IGNORECASE)  # [OOC] gtg
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
    if MARKED.match(text):
        return text, OUT_OF_CHARACTER
    rest = NOTE.sub("", CLOSED.sub("", text)).strip()
    is_aside = not rest or TO_END.match(rest)
    return (text, OUT_OF_CHARACTER) if text and is_aside else (rest, "")
