"""A chat in a table, as WeClone, WeChatMsg and others export it: a message a row, with its sender.

Its rows are conversations by their room; without rooms, and with times, they are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.chats.chat_rows import is_chat, read_messages
from pipeline.records.readers.tables.table import Header, find_header, lines_above, table_rows


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether it is a table whose first line names a sender, a text, and a room or a time."""
    if not file.encoding:
        return False
    return is_chat(_header(file, options).names, options)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message by itself, with the turns of its room before it; a long pause begins a new scene."""
    header = _header(file, options)
    yield from lines_above(file, header)
    yield from read_messages(partial(table_rows, file, header), header.names, options)


def _header(file: RawFile, options: ReadOptions) -> Header:
    return find_header(file, partial(is_chat, options=options))
