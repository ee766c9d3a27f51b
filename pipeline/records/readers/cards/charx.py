"""Character cards in a .charx archive, by itself or after an image, as RisuAI writes them.

Only card.json is read, into memory: nothing is ever unpacked to a path.
"""

from __future__ import annotations

import io
import json
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.cards.card import read_card

SIGNATURE = b"PK\x03\x04"
IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
CARD = "card.json"
CARD_HEADER = re.compile(rb"PK\x03\x04.{26}card\.json", re.DOTALL)  # how the card begins within an archive
MAX_MEMBERS = 10_000
MAX_CARD = 1 << 26  # bytes of card.json, unpacked
MAX_RATIO = 200  # unpacked to packed: JSON reaches about 20, a bomb 1000
SMALL = 1 << 20  # below this any ratio will do


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is an archive called .charx, or one that holds a card, or an image with such an archive after it."""
    if file.path.suffix.lower() == ".charx":
        return True
    if file.head.startswith(IMAGES):
        return _has_archive(file)
    if not file.head.startswith(SIGNATURE):
        return False
    try:
        with zipfile.ZipFile(file.path) as archive:
            return CARD in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return False


def _has_archive(file: RawFile) -> bool:
    """Whether an archive's card begins in it: a broken one, which has no list of its members, is known too."""
    try:
        with file.path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return CARD_HEADER.search(data) is not None
    except (OSError, ValueError):
        return False


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of the card."""
    where = f"{file.path}!{CARD}"
    try:
        card = json.loads(_unpack(file).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnderstudyError(where, f"is broken JSON ({error})", fix="export the card again") from error
    yield from read_card(where, card, options)


def _unpack(file: RawFile) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise _refused(file, f"holds {len(members)} files, more than {MAX_MEMBERS}")
            for member in members:
                if member.filename.startswith(("/", "\\")) or ".." in member.filename.replace("\\", "/").split("/"):
                    raise _refused(file, f"holds {member.filename!r}, which points out of it")
            return _unpack_member(file, archive, archive.getinfo(CARD))
    except KeyError as error:
        raise UnderstudyError(file.path, f"holds no {CARD}", fix="export the card again") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        # RuntimeError is an encrypted member, and NotImplementedError, one of its kind, an unknown packing
        raise UnderstudyError(file.path, f"is no sound archive ({error})", fix="export the card again") from error


def _unpack_member(file: RawFile, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as stream:
        content = stream.read(MAX_CARD + 1)  # what it claims of its size is not believed
    if len(content) > MAX_CARD:
        raise _refused(file, f"holds a {CARD} larger than {MAX_CARD >> 20} MiB")
    if len(content) > SMALL and len(content) > MAX_RATIO * max(1, member.compress_size):
        raise _refused(file, f"holds a {CARD} packed {len(content) // max(1, member.compress_size)} to 1")
    return content


def _refused(file: RawFile, what: str) -> UnderstudyError:
    return UnderstudyError(file.path, what, fix="do not trust this file; export the card again")
