"""Telegram Desktop's `messages.html`: messages below the name of their sender, who is not named again for the next.

<div class="message default clearfix" id="message1">
 <div class="body">
  <div class="pull_right date details" title="13.06.2023 19:04:05 UTC+03:00">19:04</div>
  <div class="from_name">Mira</div>
  <div class="text">Who is it?</div>
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from pipeline.records.chat_scenes import A_QUOTATION, FORWARDED, QUOTATION, chat_records, message_turn
from pipeline.records.program_texts import MEDIA_NOTICE, NOTICE
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.web.elements import classes, is_unseen, text_of, with_class
from pipeline.records.readers.web.html_file import html_text, is_html, parse

MARKS = tuple(map(re.compile, (r"class=[\"']page_wrap\b", r"class=[\"'](?:history\b|message (?:default|service)\b)")))
TIME = re.compile(
    r"(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>\d{4}) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?: UTC(?P<sign>[+-])(?P<ahead>\d\d):(?P<minutes>\d\d))?"
)
VIA = re.compile(r"\s+via @\w+$")  # the program that helped to write it
MEDIA = ("media_wrap", "media", "media_poll")


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a page with Telegram's history of messages."""
    return is_html(file) and all(mark.search(file.beginning) for mark in MARKS)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message by itself, with the turns of its chat before it; a long pause begins a new scene."""
    root = parse(file, html_text(file))
    people = {_name(one) for one in with_class(root, "from_name") if not _is_within(one, "forwarded")}
    yield from chat_records(_messages(file, root, options, people), options)


def _messages(
    file: RawFile, root: Any, options: ReadOptions, people: Collection[str]
) -> Iterator[tuple[RawTurn, datetime | None]]:
    speaker = UNNAMED
    for number, message in enumerate(with_class(root, "message"), 1):
        where = f"{file.path}#{number}"
        if "service" in classes(message):
            speaker = UNNAMED
            yield RawTurn(where, UNNAMED, text_of(message), NOTICE), None
            continue
        body = _child(message, "body")
        if body is None:
            continue
        named = _child(body, "from_name")
        if named is not None or "joined" not in classes(message):
            speaker = _name(named) if named is not None else UNNAMED
        yield _turn(where, speaker, body, options, people), _time(body)


def _turn(where: str, speaker: str, body: Any, options: ReadOptions, people: Collection[str]) -> RawTurn:
    forwarded = next(with_class(body, "forwarded"), None)
    if forwarded is not None:
        return RawTurn(where, speaker, text_of(forwarded, without=_is_detail), FORWARDED)
    said = _child(body, "text")
    if said is not None:
        text, whole = text_of(said, without=_is_quotation), text_of(said)
        if whole and not text:
            return RawTurn(where, speaker, whole, A_QUOTATION)
        options.remarks.update([QUOTATION] * (text != whole))
        return message_turn(where, speaker, text, options, people)
    media = next(with_class(body, *MEDIA), None)
    if media is not None:
        return RawTurn(where, speaker, text_of(media), MEDIA_NOTICE)
    return message_turn(where, speaker, "", options, people)


def _child(element: Any, name: str) -> Any:
    return next((one for one in element if name in classes(one)), None)


def _name(element: Any) -> str:
    return VIA.sub("", text_of(element, without=_is_detail).replace("\n", " ")).strip() or UNNAMED


def _is_quotation(element: Any) -> bool:
    return is_unseen(element) or element.tag == "blockquote"


def _is_detail(element: Any) -> bool:
    return is_unseen(element) or "details" in classes(element) or "userpic_wrap" in classes(element)


def _is_within(element: Any, name: str) -> bool:
    return any(name in classes(one) for one in element.iterancestors())


def _time(body: Any) -> datetime | None:
    """When a message was sent, in UTC where the page says how far ahead its clock is."""
    date = _child(body, "date")
    found = TIME.fullmatch((date.get("title") or "").strip()) if date is not None else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (
        int(found[part]) for part in ("year", "month", "day", "hour", "minute", "second")
    )
    try:
        at = datetime(year, month, day, hour, minute, second)
        ahead = timedelta(hours=int(found["ahead"] or 0), minutes=int(found["minutes"] or 0))
        return at + ahead if found["sign"] == "-" else at - ahead
    except (ValueError, OverflowError):
        return None
