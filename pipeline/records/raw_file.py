"""A file's bytes as text: the encoding is detected from the content, and a byte that does not fit is an error."""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import UnderstudyError

HEAD = 1 << 16
END, OLD_END = b"\n", b"\r"  # of a line; the other is the Mac's of old
MAX_BYTES = 1 << 29  # bytes of a file that has to be held in memory: a JSON document, an image, an archive
MAX_LINE = 1 << 24
BYTE_ORDER_MARKS = (  # the longer ones first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What a file that is no Unicode may be. In doubt the first: a short text fits several of them equally well.
LEGACY = ("gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252")
# A letter of a Western text stands alone among ASCII; the bytes of an East Asian one stand together, or in pairs.
HIGH_BYTE, HIGH_ALONE = re.compile(rb"[\x80-\xff]"), re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
MAC_APOSTROPHE = re.compile(rb"(?<=[a-z])\xd5(?=[a-z])")
ALONE_SHARE = 0.8  # of the bytes beyond ASCII, from which a text is Western, unless they are most of it:
MOST_HIGH = 0.25  # of all bytes; katakana in Shift-JIS alternate with ASCII
JSON_BEGINS = re.compile(r"""\s*(?:\[\s*)*(?:\[\s*(?:["\]]|$)|\{\s*(?:["}]|$))""")
IN_DOUBT = 0.1  # by how much the likeliest has to beat the first, on charset-normalizer's scale of mess from 0 to 1


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file, its first bytes, and the encoding of its text (None if it is no text).

    `root` is the folder that was named, if the file was found in one; `held` the text of a file that is no plain text.
    """

    path: Path
    head: bytes
    encoding: str | None
    root: Path | None = None
    held: str | None = None

    @property
    def beginning(self) -> str:
        """The text of its first bytes, by which readers recognise it."""
        return _decoded(self.head, self.encoding or "utf-8")

    def holding(self, text: str) -> RawFile:
        """The file with another text, which was made of its own."""
        return replace(self, head=text.encode()[:HEAD], encoding="utf-8", held=text)

    def read_bytes(self) -> bytes:
        """All of its bytes.

        Raises:
            UnderstudyError: there are too many to hold in memory.
        """
        size = self.path.stat().st_size
        if size > MAX_BYTES:
            raise UnderstudyError(
                self.path,
                f"has {size >> 20} MiB, more than the {MAX_BYTES >> 20} that are read at once",
                fix="write it as JSON lines, csv or parquet, which are read row by row",
            )
        return self.path.read_bytes()

    def text(self) -> str:
        """All of its text, line ends as they are."""
        if self.held is not None:
            return self.held
        encoding = self.encoding or "utf-8"
        data = self.read_bytes()
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise self._undecodable(data[: error.start].count(b"\n") + 1, error) from error

    def lines(self) -> Iterator[tuple[int, str]]:
        """Its lines with their numbers, from 1; held in memory one at a time, unless it is UTF-16 or UTF-32."""
        is_old = OLD_END in self.head and END not in self.head
        if is_old or self.held is not None or self.encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            for number, line in enumerate(self.text().split("\r" if is_old else "\n"), 1):
                yield number, line.rstrip("\r")
            return
        encoding = "utf-8" if self.encoding in (None, "utf-8-sig") else self.encoding
        with self.path.open("rb") as file:
            for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
                if len(raw) == MAX_LINE:
                    raise UnderstudyError(f"{self.path}:{number}", f"is longer than {MAX_LINE >> 20} MiB", fix="cut it")
                bare = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
                try:
                    yield number, bare.decode(encoding).rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise self._undecodable(number, error) from error

    def _undecodable(self, line: int, error: UnicodeDecodeError) -> UnderstudyError:
        name = error.encoding.upper()
        return UnderstudyError(
            f"{self.path}:{line}",
            f"is no text in an encoding that is known; read as {name} it fails (byte {error.start} of it is "
            f"{error.object[error.start]:#04x})",
            fix="save the file as UTF-8 with the program that wrote it, or repair that place",
        )


def open_raw(path: Path) -> RawFile:
    """The file with its encoding.

    Raises:
        UnderstudyError: it cannot be read, or is UTF-8 but for a few bytes.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        return RawFile(path, head, detect_encoding(path, head))
    except OSError as error:
        raise UnderstudyError(
            path, f"cannot be read ({error.strerror})", fix="correct its permissions, or take it out"
        ) from error


@functools.lru_cache(maxsize=4)  # dozens of readers look at the same file, one after another
def _decoded(head: bytes, encoding: str) -> str:
    return head.decode(encoding, errors="ignore")


def first_char(file: RawFile) -> str:
    """The first character of its text that is no white space."""
    return file.beginning.lstrip()[:1]


def looks_like_json(file: RawFile) -> bool:
    """Whether its text begins as JSON does: a script may begin with [Music], a wiki page with {{template}}."""
    return JSON_BEGINS.match(file.beginning) is not None


def detect_encoding(path: Path, head: bytes) -> str | None:
    """The encoding of a file's text by its byte order mark, else UTF-8 if all of it is, else the likeliest legacy one.

    Raises:
        UnderstudyError: most of its characters are UTF-8, but not all.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if 0 in head:
        return _unmarked_utf16(head)
    broken_at = _first_that_is_no_utf8(path)
    if broken_at is None:
        return "utf-8"
    with path.open("rb") as file:
        file.seek(max(0, broken_at - HEAD // 2))
        sample = file.read(HEAD)
    if _is_damaged_utf8(sample):
        with path.open("rb") as file:
            line = file.read(broken_at).count(b"\n") + 1
        raise UnderstudyError(
            f"{path}:{line}", f"is not UTF-8 text (byte {broken_at} of the file)", fix="repair that place"
        )
    return likeliest_encoding(sample)


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark, where nearly every second byte of plain text is zero; else it is no text."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 4 * others:
            try:
                text = head[: len(head) & ~3].decode(encoding)
            except UnicodeDecodeError:
                continue
            if text and not any(char < " " and not char.isspace() for char in text):
                return encoding
    return None


def _first_that_is_no_utf8(path: Path) -> int | None:
    decoder, position = codecs.getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return position - pending + error.start
            position += len(chunk)
    return position - len(decoder.getstate()[0]) if decoder.getstate()[0] else None


def _is_damaged_utf8(sample: bytes) -> bool:
    decoded = sample.decode("utf-8", errors="replace")
    broken = decoded.count("\ufffd")
    return sum(char > "\x7f" for char in decoded) - broken >= broken


def likeliest_encoding(sample: bytes) -> str:
    """What bytes that are no UTF-8 most likely are."""
    high = len(HIGH_BYTE.findall(sample))
    if high <= MOST_HIGH * len(sample) and len(HIGH_ALONE.findall(sample)) >= ALONE_SHARE * high:
        return _western(sample)
    from charset_normalizer import from_bytes

    mess = {match.encoding: match.chaos for match in from_bytes(sample, cp_isolation=list(LEGACY), threshold=0.6)}
    if not mess:
        return LEGACY[0]
    best = min(mess, key=lambda encoding: mess[encoding])
    return LEGACY[0] if mess.get(LEGACY[0], 1.0) <= mess[best] + IN_DOUBT else best


def _western(sample: bytes) -> str:
    """Windows's encoding, or the Mac's of old, whose apostrophe is a capital letter amid a word in the other."""
    return "mac_roman" if MAC_APOSTROPHE.search(sample) or _undefined(sample, "cp1252") else "cp1252"


def _undefined(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return True
    return False
