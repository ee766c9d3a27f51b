"""QQ's export of a chat as a web archive: a row a message, its sender and time above it, and rows with the date.

<tr><td>日期: 2023-06-13</td></tr>
<tr><td><div><div style=float:left;>小王(12345678)</div>19:04:05</div><div style=padding-left:20px;>在吗</div></td></tr>
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipeline.records.account_names import own_names
from pipeline.records.chat_scenes import FORWARDED, chat_records, message_turn
from pipeline.records.chat_times import parse_time
from pipeline.records.program_texts import MEDIA_NOTICE, sender_name
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.web.elements import text_of
from pipeline.records.readers.web.html_file import html_text, is_archive, parse

MARK = re.compile("Tencent MsgMgr|Tencent IM Message|消息对象[:：]|訊息對象[:：]".encode())
DATE = re.compile(r"日期[:：]\s*(?P<date>\d{4}-\d{1,2}-\d{1,2})")
CLOCK = re.compile(r"\d{1,2}:\d{2}:\d{2}")
COPIED = re.compile(
    r"(?P<who>\S.{0,60}?)\s+(?:\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?\s+)?\d{1,2}:\d{2}(?::\d{2})?"
)  # above what is pasted
ABOVE = "a line above the messages"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a web archive that says so."""
    return is_archive(file) and MARK.search(file.head) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message by itself, with the turns before it; a long pause begins a new scene.

    Raises:
        UnknownFormError: there is no message in it.
    """
    rows = [row for row in parse(file, html_text(file)).iter("tr") if next(row.iter("td"), None) is not None]
    heads = [_head(row) for row in rows]
    if not any(heads):
        what = "is a web archive of QQ without a message where it has them"
        raise UnknownFormError(file.path, what, fix="export the chat as .txt")
    own = own_names([(head[0], _said(row)) for row, head in zip(rows, heads, strict=True) if head], options)
    heads = [(own.get(head[0], head[0]), head[1]) if head else None for head in heads]
    people = {sender_name(head[0]) for head in heads if head}
    yield from chat_records(_messages(file, rows, heads, options, people), options)


def _messages(
    file: RawFile, rows: list[Any], heads: list[tuple[str, str] | None], options: ReadOptions, people: set[str]
) -> Iterator[tuple[RawTurn, datetime | None]]:
    date = ""
    for number, (row, head) in enumerate(zip(rows, heads, strict=True), 1):
        where = f"{file.path}#{number}"
        if head is None:
            text = text_of(row)
            found = DATE.search(text)
            date = found["date"] if found else date
            if text and not found:
                yield RawTurn(where, UNNAMED, text, ABOVE), None
            continue
        said = _said(row)
        has_image = not said and next(row.iter("img"), None) is not None
        turn = RawTurn(where, sender_name(head[0]), "", MEDIA_NOTICE) if has_image else None
        copied = COPIED.fullmatch(said.partition("\n")[0])
        if copied and sender_name(copied["who"]) in people:
            turn = RawTurn(where, sender_name(head[0]), said, FORWARDED)
        yield turn or message_turn(where, head[0], said, options, people), _time(date, head[1])


def _said(row: Any) -> str:
    return "\n".join(text for one in _blocks(row)[1:] if (text := text_of(one)))


def _head(row: Any) -> tuple[str, str] | None:
    """The sender and the time above a message; None where the row is none."""
    blocks = _blocks(row)
    named = blocks[0].find("div") if blocks else None
    clock = CLOCK.search(named.tail or "") if named is not None else None
    name = text_of(named).replace("\n", " ") if named is not None else ""
    return (name, clock[0]) if clock and name else None


def _blocks(row: Any) -> list[Any]:
    return row.xpath("./td/div")  # type: ignore[no-any-return]


def _time(date: str, clock: str) -> datetime | None:
    if not date:
        return None
    year, month, day = date.split("-")
    return parse_time(f"{year}-{month:>02}-{day:>02} {clock:>08}")
