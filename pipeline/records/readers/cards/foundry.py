"""Foundry's actors and journals: an actor's biography is a passage about it, a page one about whom it is called for."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.names import spelling
from pipeline.records.raw import CHARACTER, UNNAMED, RawRecord, ReadOptions, mapping, sequence, string
from pipeline.records.raw_file import RawFile, first_char

MARK = re.compile(rb'"(?:system|pages)"\s*:')
MARKS = frozenset({"_stats", "prototypeToken", "flags", "ownership"})
MAX_BYTES = 1 << 24
# Where game systems keep what is written about an actor, and the title of its passage.
TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Biography", ("details", "biography")),
    ("Biography", ("biography",)),
    ("Background", ("details", "backstory")),
    ("Background", ("details", "background")),
    ("Description", ("details", "publicNotes")),
    ("Appearance", ("details", "appearance")),
    ("Personality", ("details", "trait")),
    ("Ideals", ("details", "ideal")),
    ("Bonds", ("details", "bond")),
    ("Flaws", ("details", "flaw")),
)
BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|h\d|blockquote|tr)>", re.IGNORECASE)
TAG = re.compile(r"<[^<>]{0,400}>")
REFERENCE = re.compile(r"@\w{1,20}\[[^\[\]]{0,200}\](?:\{([^{}]{0,200})\})?")
ELSEWHERE = "a journal's page about something else"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a JSON object with an actor's data or a journal's pages."""
    if (
        not file.encoding
        or first_char(file) != "{"
        or not MARK.search(file.head)
        or file.path.stat().st_size > MAX_BYTES
    ):
        return False
    try:
        document = json.loads(file.text())
    except (ValueError, RecursionError, UnderstudyError):
        return False  # the reader of JSON says where it is broken
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        return False
    return not MARKS.isdisjoint(document) and (
        isinstance(document.get("system"), dict) or _has_pages(document.get("pages"))
    )


def _has_pages(pages: Any) -> bool:
    return isinstance(pages, list) and any(isinstance(one, dict) and isinstance(one.get("text"), dict) for one in pages)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What is written about the actor, or each page of the journal."""
    source, document = str(file.path), mapping(str(file.path), json.loads(file.text()))
    if "pages" in document and not isinstance(document.get("system"), Mapping):
        yield from _pages(source, document, options)
        return
    system = mapping(source, document.get("system"))
    for title, path in TEXTS:
        if text := plain_text(_at(system, path)):
            place = f"{source}#system.{'.'.join(path)}"
            yield _passage(place, string(source, document, "name"), text, title)


def _pages(source: str, document: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    names = {spelling(name) for name in options.names}
    called = string(source, document, "name")
    for number, value in enumerate(sequence(source, document["pages"], "pages")):
        place = f"{source}#pages.{number}"
        page = mapping(place, value)
        title, text = string(place, page, "name"), plain_text(_at(page, ("text", "content")))
        if text and names & {spelling(title), spelling(called)}:
            yield _passage(place, CHARACTER, text, title if spelling(title) not in names else "Description")
        elif text:
            yield RawRecord(place, UNNAMED, text, unusable=ELSEWHERE)


def _passage(place: str, speaker: str, text: str, title: str) -> RawRecord:
    return RawRecord(place, speaker, text, asked=title, kind="background", why="written about an actor")


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value.get("value") if isinstance(value, Mapping) else value


def plain_text(value: Any) -> str:
    """The text of a piece of a web page, a paragraph a line."""
    if not isinstance(value, str):
        return ""
    text = REFERENCE.sub(lambda match: match[1] or "", TAG.sub("", BREAK.sub("\n", value)))
    lines = (" ".join(line.split()) for line in html.unescape(text).split("\n"))
    return "\n".join(line for line in lines if line)
