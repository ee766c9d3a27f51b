"""HTML files and web archives (.mht): their bytes as text, and the text as a tree of elements, by lxml."""

from __future__ import annotations

import codecs
import email
import importlib.util
import re
from collections.abc import Iterator
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UnknownFormError
from pipeline.records.raw_file import BYTE_ORDER_MARKS, RawFile, likeliest_encoding

SUFFIXES, ARCHIVES = (".html", ".htm", ".xhtml", ".shtml"), (".mht", ".mhtml")
TAG = re.compile(r"<!?[a-z]", re.IGNORECASE)
# Under any name; the end of a comment is looked for among as many characters.
BEGINS = re.compile(
    r"\s*(?:<\?xml\b[^<>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*){0,3}<(?:!doctype\s+html\b|html\b|tw-storydata\b)",
    re.IGNORECASE | re.DOTALL,
)
ARCHIVE_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[\w-]{1,40}:[^\n]{0,1000}\n|[ \t][^\n]{0,1000}\n){0,30}"
    rb"(?:Snapshot-Content-Location:|Content-Type:\s*multipart/related\b)",
    re.IGNORECASE,
)
PAGES = ("text/html", "application/xhtml+xml")
META = re.compile(rb"<meta\b[^<>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
META_WITHIN = 1 << 14  # bytes
# What browsers take a declared encoding for, where it is not what Python does.
MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "big5": "big5hkscs",
    "x-x-big5": "big5hkscs", "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
}  # fmt: skip
FIX = "save its text as .txt"


def is_installed() -> bool:
    """Whether there is an lxml to read pages with."""
    return importlib.util.find_spec("lxml") is not None


def is_archive(file: RawFile) -> bool:
    """Whether it is a web archive by its headers, or by its name."""
    has_tag = file.path.suffix.lower() in ARCHIVES and TAG.search(file.head.decode("ascii", "ignore")) is not None
    return ARCHIVE_HEAD.match(file.head) is not None or has_tag


def is_html(file: RawFile) -> bool:
    """Whether it is HTML by its beginning, or by its name and a tag."""
    if not file.encoding:
        return False
    text = file.beginning
    return BEGINS.match(text) is not None or (file.path.suffix.lower() in SUFFIXES and TAG.search(text) is not None)


def html_text(file: RawFile) -> str:
    """All of its HTML; of an archive, that of its page.

    Raises:
        UnderstudyError: it is in no encoding that is known, too large, or an archive without a page.
    """
    data, declared = file.read_bytes(), ""
    if is_archive(file):
        data, declared = _archived(file, data)
    found = next((one for one in _encodings(file, data, declared) if _decodes(data, one)), None)
    if found is None:
        return file.text()  # which says where it fails
    return data.decode(found)


def parse(file: RawFile, text: str) -> Any:
    """The root element of its HTML.

    Raises:
        UnknownFormError: lxml is not installed, or there is nothing in it.
        UnderstudyError: it is nested deeper than can be read whole.
    """
    try:
        from lxml import etree, html
    except ImportError as error:
        what = "is a web page, and lxml, which reads it, is not installed"
        raise UnknownFormError(file.path, what, fix=f"run `pip install lxml`, or {FIX}") from error
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = html.document_fromstring(text.replace("\0", "\ufffd").encode(), parser=parser)
    except etree.LxmlError as error:
        raise UnknownFormError(file.path, "is a web page without anything in it", fix=FIX) from error
    if any(one.type_name == "ERR_RESOURCE_LIMIT" for one in parser.error_log):
        raise UnderstudyError(file.path, "is nested so deep that it cannot be read whole", fix=FIX)
    return root


def _archived(file: RawFile, data: bytes) -> tuple[bytes, str]:
    """The bytes of an archive's page, and the encoding that the archive declares."""
    try:
        for part in email.message_from_bytes(data.removeprefix(codecs.BOM_UTF8)).walk():  # QQ's begins with one
            if part.get_content_type() in PAGES:
                payload = part.get_payload(decode=True)
                return (payload if isinstance(payload, bytes) else b""), part.get_content_charset("")
    except Exception as error:  # the email package raises whatever a broken header leads to
        raise UnderstudyError(file.path, "is no sound web archive", fix=FIX) from error
    raise UnderstudyError(file.path, "is a web archive without a page in it", fix=FIX)


def _encodings(file: RawFile, data: bytes, declared: str) -> Iterator[str]:
    """What it may be read as, the likeliest first: what is UTF-8 throughout is hardly anything else."""
    yield from (encoding for mark, encoding in BYTE_ORDER_MARKS if data.startswith(mark))
    yield "utf-8"
    in_page = META.search(data, 0, META_WITHIN)
    for name in (declared, in_page[1].decode("ascii", "ignore") if in_page else ""):
        if name:
            yield MEANT.get(name.lower(), name)
    yield likeliest_encoding(data[:META_WITHIN]) if declared else file.encoding or "utf-8"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError, AttributeError):
        return False
    return True
