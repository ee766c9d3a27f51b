"""Character cards and NovelAI's lorebooks in PNG images. Pillow walks and checks the chunks; no pixel is decoded."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.cards.card import read_card
from pipeline.records.readers.cards.lorebook import read_book

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLAIN, COMPRESSED, INTERNATIONAL, END = b"tEXt", b"zTXt", b"iTXt", b"IEND"
UNCOMPRESSED, DEFLATE = b"\0", b"\0"  # of an iTXt chunk; the only method of compression
KEYWORDS = (b"ccv3", b"chara")  # the preferred one first
LOREBOOK = b"naidata"
CARD_CHUNK = re.compile(rb"(?:tEXt|zTXt|iTXt)(?:ccv3|chara|naidata)\0")
MAX_CARD = 1 << 26  # bytes of a card's text


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it begins like a PNG, or its name says so."""
    return file.head.startswith(SIGNATURE) or (not file.encoding and file.path.suffix.lower() == ".png")


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of the card.

    Raises:
        UnderstudyError: a chunk is malformed or too large, or no chunk holds a card.
    """
    found = card_chunks(file)
    for keyword in KEYWORDS:
        if keyword in found:
            yield from read_card(str(file.path), decode_card(file, keyword, found[keyword]), options)
            return
    if LOREBOOK in found:
        yield from read_book(str(file.path), decode_card(file, LOREBOOK, found[LOREBOOK]), options.unused_keys)
        return
    raise UnknownFormError(
        file.path, "is an image without a card in it", fix="export the card again, or take the image out of the folder"
    )


def card_chunks(file: RawFile) -> dict[bytes, bytes]:
    """The contents of the text chunks that may hold a card, every chunk of the image having been checked.

    Raises:
        UnderstudyError: a chunk is malformed, or a card is larger than any card.
    """
    from PIL.PngImagePlugin import ChunkStream

    data = file.read_bytes()
    if not data.startswith(SIGNATURE):
        raise UnknownFormError(file.path, "is called a PNG, but is none", fix="export the card again, or take it out")
    found: dict[bytes, bytes] = {}
    position = len(SIGNATURE)
    stream = ChunkStream(io.BytesIO(data))
    if stream.fp is not None:
        stream.fp.seek(position)
    try:
        kind = b""
        while kind != END:
            kind, position, length = stream.read()
            content = data[position : position + length]
            if stream.fp is not None:
                stream.fp.seek(position + length)
            stream.crc(kind, content)
            keyword, separator, value = content.partition(b"\0")
            if separator and keyword in (*KEYWORDS, LOREBOOK) and kind in (PLAIN, COMPRESSED, INTERNATIONAL):
                found[keyword] = text_of_chunk(kind, value)
    except (SyntaxError, ValueError, struct.error, OverflowError, zlib.error) as error:
        # Without a card that begins in it, it is somebody's broken image, which ends no folder.
        refused = UnderstudyError if CARD_CHUNK.search(data) else UnknownFormError
        raise refused(
            f"{file.path} (byte {position})", f"is cut off or damaged there ({_reason(error)})", fix="export it again"
        ) from error
    return found


def _reason(error: Exception) -> str:
    """What is wrong with a chunk: what the reading of its length and checksum says is Python's, not the file's."""
    return "its end is missing" if isinstance(error, struct.error | OverflowError) else str(error)


def text_of_chunk(kind: bytes, value: bytes) -> bytes:
    """The text of a text chunk, given what follows its keyword: as it is, or inflated, up to a little over MAX_CARD.

    Raises:
        ValueError: the chunk's own fields are missing, or it is compressed in an unknown way.
        zlib.error: what is compressed is broken.
    """
    if kind == PLAIN:
        return value
    if kind == COMPRESSED:
        compressed, method, text = True, value[:1], value[1:]
    else:
        compressed, method = value[:1] != UNCOMPRESSED, value[1:2]
        language, _, rest = value[2:].partition(b"\0")
        translated, separator, text = rest.partition(b"\0")
        if not separator:
            raise ValueError(f"an iTXt chunk without its text, after {language + translated!r}")
    if not compressed:
        return text
    if method != DEFLATE:
        raise ValueError(f"compression method {method!r}")
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(text, MAX_CARD + 1)  # a bomb is cut there, and refused as too large
    if not inflater.eof and len(inflated) <= MAX_CARD:
        raise ValueError("compressed text that is cut off")
    return inflated


def decode_card(file: RawFile, keyword: bytes, content: bytes) -> Any:
    """The card's JSON.

    Raises:
        UnderstudyError: it is too large, or not base64 of JSON.
    """
    where = f"{file.path} (chunk {keyword.decode()})"
    if len(content) > MAX_CARD:
        raise UnderstudyError(where, f"is larger than {MAX_CARD >> 20} MiB", fix="export the card without its assets")
    try:
        return json.loads(base64.b64decode(content, validate=True).decode("utf-8"))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise UnderstudyError(where, f"is no base64 of JSON ({error})", fix="export the card again") from error
