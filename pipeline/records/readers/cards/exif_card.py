"""Character cards in JPEG and WebP images, as the EXIF UserComment. Pillow parses the headers and decodes no pixel."""

from __future__ import annotations

import base64
import io
import json
import mmap
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.cards.card import read_card

JPEG, RIFF, WEBP = b"\xff\xd8\xff", b"RIFF", b"WEBP"
EXIF_FOLDER, USER_COMMENT = 0x8769, 0x9286  # tags of the EXIF specification (CIPA DC-008)
CHARACTER_CODE = re.compile(rb"(?:ASCII\0{3}|UNICODE\0|JIS\0{5}|\0{8})")  # the eight bytes before a comment's text
BYTE_NUMBERS = re.compile(r"\d{1,3}(?:,\d{1,3})+")  # some programs write the text as the numbers of its bytes
BASE64 = re.compile(r"eyJ[A-Za-z0-9+/\s]+=*")  # base64 of {"
# What only a card's text has: as JSON, as base64 of it, or as the numbers of its bytes; in UTF-16, zeros stand between.
MARKS = ("chara_card_v", '"first_mes"', '"mes_example"', "eyJzcGVj", "eyJuYW1l", "eyJkYXRh", "123,34,1")
CARD_MARKS = re.compile("|".join("\0?".join(map(re.escape, mark)) for mark in MARKS).encode())
CARD_KEYS = frozenset({"spec", "description", "first_mes", "mes_example", "personality"})  # any of these is a card's
MAX_CARD = 1 << 26  # bytes of a card's text


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it begins like a JPEG or a WebP, whatever its name says, and has the text of a card somewhere in it."""
    if not file.head.startswith(JPEG) and not (file.head.startswith(RIFF) and file.head[8:12] == WEBP):
        return False
    with file.path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return CARD_MARKS.search(data) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of the card.

    Raises:
        UnderstudyError: it is damaged, or its text stands in another place of the image.
    """
    card = _card(file, user_comment(file.read_bytes()))
    if card is None:
        raise UnderstudyError(
            file.path, "holds a card that cannot be read, damaged or in an unknown place", fix="export it as JSON"
        )
    yield from read_card(str(file.path), card, options)


def user_comment(data: bytes) -> str:
    """The text of an image's EXIF UserComment; empty where there is none, or the image is broken before it."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its size in pixels, which are not decoded, and of odd tags
            with Image.open(io.BytesIO(data)) as image:
                exif = image.getexif()
                value = exif.get_ifd(EXIF_FOLDER).get(USER_COMMENT) or exif.get(USER_COMMENT)
    except (
        Image.DecompressionBombError, OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError,
        struct.error,
    ):  # fmt: skip
        return ""
    return comment_text(value)


def comment_text(value: object) -> str:
    """A comment's text, decoded by the zeros in it rather than by its character code, which programs write wrongly."""
    if not isinstance(value, bytes):
        return value.strip("\0 \r\n") if isinstance(value, str) else ""
    coded = CHARACTER_CODE.match(value)
    text = value[coded.end() :] if coded else value
    even, odd = text[:200:2].count(0), text[1:200:2].count(0)
    encoding = "utf-8" if not text.strip(b"\0").count(0) else "utf-16-le" if odd >= even else "utf-16-be"
    return text.decode(encoding, errors="replace").strip("\0\ufeff \r\n")


def _card(file: RawFile, text: str) -> Mapping[str, Any] | None:
    """The card that the text is: JSON, base64 of it, or the numbers of its bytes; None if it is no card.

    Raises:
        UnderstudyError: it is one that is too large, or broken.
    """
    where = f"{file.path} (EXIF UserComment)"
    if len(text) > MAX_CARD:
        raise UnderstudyError(where, f"is larger than {MAX_CARD >> 20} MiB", fix="export the card without its assets")
    try:
        content = text
        if BYTE_NUMBERS.fullmatch(text):
            content = bytes(map(int, text.split(","))).decode()
        elif BASE64.fullmatch(text):
            content = base64.b64decode(text).decode()
        card = json.loads(content)
    except (ValueError, RecursionError) as error:
        if not CARD_MARKS.search(text.encode(errors="replace")):
            return None  # a comment of another kind
        raise UnderstudyError(where, f"is no JSON of a card ({error})", fix="export the card again") from error
    return card if isinstance(card, dict) and CARD_KEYS & card.keys() else None
