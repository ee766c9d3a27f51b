"""DiscordChatExporter's HTML, dark or light: groups of messages, the first of a group below its author's name.

Older versions name the author of a group above all of its messages. When a message was sent is in its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pipeline.records.chat_scenes import A_QUOTATION, FORWARDED, QUOTATION, chat_records
from pipeline.records.program_texts import MEDIA_NOTICE, NO_TEXT, NOTICE
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.web.elements import classes, is_unseen, text_of, with_class
from pipeline.records.readers.web.html_file import html_text, is_html, parse

MARK = re.compile(r"\bchatlog__(?:message-group|messages|message-container|author)\b|class=[\"']chatlog[\"']")
GROUP, CONTAINER, MESSAGE = "chatlog__message-group", "chatlog__message-container", "chatlog__message"
AUTHORS = ("chatlog__author", "chatlog__author-name")
NOTICES = ("chatlog__system-notification-author", "chatlog__system-notification-content")
EDITED = frozenset({"chatlog__edited-timestamp"})
QUOTED = frozenset({"chatlog__markdown-quote", "quote"})
FILES = ("chatlog__attachment", "chatlog__embed", "chatlog__sticker")
# What versions without a mark for notices write as a message.
OLD_NOTICE = re.compile(
    r"(?:Pinned|Added .{1,80} to|Removed .{1,80} from|Left|Joined|Started|Changed) (?:a message|the group|the server|"
    r"a call that lasted .{1,30} minutes|a call|the channel (?:name|icon).{0,120}|a thread)\.?|"
    r"(?:Added|Removed) .{1,80} (?:to|from) the group\.?"
)
EPOCH_MS = 1_420_070_400_000  # Discord's, in Unix milliseconds
LEAST_ID = 1 << 40


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a page with the exporter's classes."""
    return is_html(file) and MARK.search(file.beginning) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message with the turns before it; a long pause begins a new scene."""
    root = parse(file, html_text(file))
    yield from chat_records(_messages(file, root, options), options)


def _messages(file: RawFile, root: Any, options: ReadOptions) -> Iterator[tuple[RawTurn, datetime | None]]:
    group, author = None, UNNAMED
    messages = [*with_class(root, CONTAINER)] or [*with_class(root, MESSAGE)]
    for number, message in enumerate(messages, 1):
        above = next((one for one in message.iterancestors() if GROUP in classes(one)), None)
        if above is not group or above is None:
            group, author = above, _named(above)
        author = next((text_of(one) for one in with_class(message, *AUTHORS)), author) or UNNAMED
        yield _turn(f"{file.path}#{number}", author, message, options), _time(message)


def _named(group: Any) -> str:
    """The name above all of a group's messages."""
    found = with_class(group, *AUTHORS) if group is not None else iter(())
    return next((text_of(one) for one in found), UNNAMED)


def _turn(where: str, author: str, message: Any, options: ReadOptions) -> RawTurn:
    if notice := " ".join(text_of(one) for one in with_class(message, *NOTICES)):
        return RawTurn(where, UNNAMED, notice.replace("\n", " "), NOTICE)
    content = next(with_class(message, "chatlog__content"), None)
    forwarded = next(with_class(message, "chatlog__forwarded"), None)
    if forwarded is not None:
        return RawTurn(where, author, text_of(forwarded), FORWARDED)
    text = _text(content, QUOTED) if content is not None else ""
    whole = _text(content, frozenset()) if content is not None else ""
    options.remarks.update([QUOTATION] * (text != whole))
    if text and OLD_NOTICE.fullmatch(text):
        return RawTurn(where, author, text, NOTICE)
    if text:
        return RawTurn(where, author, text)
    if whole:
        return RawTurn(where, author, whole, A_QUOTATION)
    has_files = next(with_class(message, *FILES), None) is not None
    return RawTurn(where, author, "", MEDIA_NOTICE if has_files else NO_TEXT)


def _text(content: Any, quoted: frozenset[str]) -> str:
    left_out = EDITED | quoted
    return text_of(
        content,
        without=lambda one: is_unseen(one) or not left_out.isdisjoint(classes(one)),
        keeps_breaks=True,
        of_image=True,
    )


def _time(message: Any) -> datetime | None:
    """When the message was sent, by the number that Discord gave it."""
    own = message.get("data-message-id") or next(
        (one.get("data-message-id") for one in message.iter() if one.get("data-message-id")), ""
    )
    if not (own.isdecimal() and own.isascii() and len(own) < 20 and int(own) > LEAST_ID):
        return None
    return datetime.fromtimestamp(((int(own) >> 22) + EPOCH_MS) / 1000, UTC).replace(tzinfo=None)
