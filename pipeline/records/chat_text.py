"""What chat programs write for emoji, mentions and links, as text that can be read."""

from __future__ import annotations

import re

from pipeline.records.text_patterns import A_CJK

CUSTOM_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
MENTION = re.compile(r"<(?P<sign>[@#])[!&]?\d{5,}>")
_PICTURE = r"!\[[^\[\]\n]*\]\((?:[^()\n]|\([^()\n]*\))*\)"
PICTURE = re.compile(rf"^[ \t]*{_PICTURE}[ \t]*(?:\n|\Z)|[ \t]*{_PICTURE}", re.MULTILINE)  # with a line of its own
NAMED_LINK = re.compile(r"\[(?P<label>[^\[\]\n]+)\]\(<?https?://[^\s()<>]+>?\)")
NO_ADDRESS = r"\s<>()\[\]\"'\u2e80-\uffef"  # Chinese goes on without a space after an address
LINK = re.compile(rf"<?(?<![A-Za-z0-9])(?:https?://|www\.)(?P<host>[^/?#{NO_ADDRESS}]+)[^{NO_ADDRESS}]*>?")
PATH_END = ".,!?;:"  # marks that end a sentence, not an address


def name_emoji(text: str) -> str:
    """<:bell:123> becomes :bell:."""
    return CUSTOM_EMOJI.sub(r"\1", text)


def name_mentions(text: str) -> str:
    """A number in place of somebody's name, or of a channel's, becomes somebody, or a channel."""
    people, channel = ("@某人", "#频道") if A_CJK.search(text) else ("@somebody", "#channel")
    return MENTION.sub(lambda match: people if match["sign"] == "@" else channel, text)


def has_link(text: str) -> bool:
    """Whether an address of the web is in it, or a picture."""
    is_linked = ("://" in text or "www." in text) and LINK.search(text) is not None
    return is_linked or has_picture(text)


def has_picture(text: str) -> bool:
    """Whether a picture stands in it, as `![map](images/map.png)`, which shows no words."""
    return "![" in text and PICTURE.search(text) is not None


def shorten_links(text: str) -> str:
    """A link becomes its label, or else its host in brackets, and a picture goes; a text of nothing else is empty."""
    if has_picture(text):
        text = PICTURE.sub("", text).strip()
    if not LINK.sub("", NAMED_LINK.sub(lambda match: match["label"], text)).strip():
        return ""
    word = "链接：" if A_CJK.search(text) else "link: "

    def shortened(match: re.Match[str]) -> str:
        host = match["host"].removeprefix("www.").rstrip(PATH_END)
        end = match[0][len(match[0].rstrip(PATH_END)) :]
        return f"[{word}{host}]{end}"

    return LINK.sub(shortened, NAMED_LINK.sub(lambda match: match["label"], text))
