"""An article's parts in their order: headings, paragraphs, labels with their values, tables, quotations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.records.clean import has_cjk
from pipeline.records.readers.scripts.script_lines import spoken_line
from pipeline.records.readers.web.elements import BLOCKS, WHITE, classes, is_unseen, text_of, with_class
from pipeline.records.readers.web.page_content import (
    HEADINGS,
    holds_headings,
    infobox_groups,
    is_infobox,
    is_left_out,
    tab_title,
)
from pipeline.records.readers.web.page_tables import LONGEST_LABEL, Row, are_labels, pairs_of, rows_of

QUOTE = re.compile(r"(?:.*[-_])?(?:c|r|pull|block)?-?quot(?:e|ation)(?:box|-?block|-?text)?", re.IGNORECASE)
SIGNATURES = ("pull-quote__source", "quote-source", "quote-author", "quote__source", "quote__author")
SOURCE = re.compile(r"(?:.*[-_])?(?:author|attribution|cite|citation|credit|speaker|source|by)", re.IGNORECASE)
MARKS = re.compile(r"[\s“”\"❝❞‘’「」『』]*")
SIGNED = re.compile(r"[\s~]*[—–―-]+\s*(?P<who>\S.*)")
BOLD = ("b", "strong")
# What a page has to press.
BUTTON = re.compile(
    r"[\[【（(]?(?:编辑|編輯|播报|播報|播放|收藏|分享|展开|展開|折叠|摺疊|收起|显示|顯示|隐藏|隱藏|查看更多|"
    r"edit(?: source)?|show|hide|expand|collapse|play|[▼▲▶►])[\]】）)]?",
    re.IGNORECASE,
)
LONGEST_SIGNATURE = 60
ENDED = tuple('.!?…。！？~～:：,，"”」')  # with which no signature ends


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an article: a `text` may have several lines; `level` is a heading's; `rows` a table's.

    `pairs` are labels and their values; `is_bold` says that all of a text is; `depth` is in how many lists an item
    lies. A `tab` shows what follows, up to the next one, or to one without a text. The text of labels and of a table is
    their title.
    """

    kind: Literal["heading", "tab", "text", "item", "labels", "table"]
    text: str = ""
    level: int = 0
    rows: tuple[Row, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    is_bold: bool = False
    depth: int = 0


def parts_of(content: Any) -> list[Part]:
    """The parts of an article, without what is none of its text."""
    return [*with_signatures(_parts(content))]


def _parts(content: Any) -> Iterator[Part]:
    from lxml import etree

    line = _Line()
    whole: Any = None  # the element that was read as one, or left out
    walker = etree.iterwalk(content, events=("start", "end"))
    for event, one in walker:
        if event == "start":
            parts = [] if one is not content and is_left_out(one) else _whole(one)
            if parts is not None:
                yield from line.ended() if one.tag in BLOCKS else ()
                yield from parts
                walker.skip_subtree()
                whole = one
                continue
            yield from line.begin(one)
            if title := tab_title(one):
                yield Part("tab", title)
            line.add(one.text)
        else:
            if one is not whole:
                yield from line.end(one)
                if tab_title(one):
                    yield Part("tab")
            if one is not content:
                line.add(one.tail)
    yield from line.ended()


class _Line:
    """The text between two blocks, as far as it is read."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.is_item = self.has_plain = False
        self.bold = self.depth = 0

    def begin(self, one: Any) -> Iterator[Part]:
        if one.tag in BLOCKS:
            yield from self.ended()
            self.is_item = one.tag == "li" or (self.is_item and one.tag in ("p", "div"))
            self.depth += one.tag == "li"
        elif one.tag == "br":
            self.held.append("\n")
        self.bold += one.tag in BOLD

    def end(self, one: Any) -> Iterator[Part]:
        self.bold -= one.tag in BOLD
        if one.tag in BLOCKS:
            yield from self.ended()
            self.is_item = self.is_item and one.tag != "li"
            self.depth -= one.tag == "li"

    def add(self, text: str | None) -> None:
        if text:
            self.held.append(WHITE.sub(" ", text))
            self.has_plain = self.has_plain or (not self.bold and bool(text.strip()))

    def ended(self) -> Iterator[Part]:
        """The part that ends here, if there is a text."""
        lines = [line.strip() for line in "".join(self.held).split("\n")]
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        if text and not BUTTON.fullmatch(text):
            yield Part("item" if self.is_item else "text", text, is_bold=not self.has_plain, depth=self.depth)
        self.held, self.has_plain, self.is_item = [], False, self.is_item and not text


def _whole(one: Any) -> list[Part] | None:
    """The parts of an element that is read as one; None where its children are walked."""
    if one.tag in HEADINGS:
        return [Part("heading", _flat(one), level=int(one.tag[1]))]
    if one.tag == "pre":
        return [Part("text", "\n".join(line.rstrip() for line in one.xpath("string()").strip("\r\n").splitlines()))]
    if _is_quotation(one):
        return _quotation(one)
    if one.tag in ("table", "dl"):
        return _table(one) if one.tag == "table" else _definitions(one)
    if is_infobox(one) and next(with_class(one, "pi-data", "pi-smart-group"), None) is not None:
        title = next(with_class(one, "pi-title"), None)
        return [Part("labels", _flat(title) if title is not None else "", pairs=tuple(infobox_groups(one)))]
    return None


def _table(table: Any) -> list[Part] | None:
    rows = rows_of(table)
    if is_infobox(table) or (are_labels(rows) and not holds_headings(table)):
        alone = [row[0].text for row in rows if len(row) == 1 and len(row[0].text) > LONGEST_LABEL]
        return [Part("labels", pairs=tuple(pairs_of(rows))), *(Part("text", text) for text in alone)]
    if holds_headings(table) or all(len(row) == 1 for row in rows):
        return None
    caption = table.find("caption")
    title = _flat(caption) if caption is not None else rows[0][0].text if len(rows[0]) == 1 else ""
    return [Part("table", title, rows=tuple(rows))]


def _definitions(element: Any) -> list[Part] | None:
    """Labels with their values, where terms have one; what stands alone, as wikis indent it, is lines."""
    if holds_headings(element):
        return None
    parts, pairs = list[Part](), list[tuple[str, str]]()
    term = ""
    for one in element.iter("dt", "dd"):
        if next(one.iterancestors("dl"), None) is not element:
            continue
        text = text_of(one, without=is_left_out)
        if one.tag == "dt":
            term = text.replace("\n", " ").rstrip(":： ")
        elif term and len(term) <= LONGEST_LABEL and text:
            pairs.append((term, text))
        elif text:
            parts.append(Part("item", f"{term}\n{text}".strip()))
            term = ""
    return [*([Part("labels", pairs=tuple(pairs))] if pairs else []), *parts]


def _quotation(element: Any) -> list[Part]:
    """What is quoted, and who is said to have said it behind a dash; a conversation as its lines."""
    source = _source(element)
    who = " ".join(text_of(source, without=is_unseen).split()) if source is not None else ""
    lines = text_of(element, without=lambda one: one is source or is_left_out(one)).split("\n")
    lines = [line for line in lines if not MARKS.fullmatch(line)]
    if sum(spoken_line(line) is not None for line in lines) > 1:
        return [Part("item", line) for line in lines]
    if len(lines) > 1 and not who and (signed := SIGNED.fullmatch(lines[-1])):
        who, lines = signed["who"], lines[:-1]
    text = joined("\n".join(lines))
    if not text:
        return []
    quoted = text if text[0] in '“"「『‘' else f"“{text}”"
    who = who.lstrip("—–―-~ ")
    return [Part("item", f"{quoted} — {who}" if who else quoted)]


def _source(element: Any) -> Any:
    """The element of a quotation that says whose it is."""
    named = next(with_class(element, *SIGNATURES), None)
    below = (one for one in element.iter() if one.tag in ("footer", "figcaption"))
    called = (one for one in element.iter() if one is not element and any(map(SOURCE.fullmatch, classes(one))))
    found = (one for ones in (below, called, element.iter("cite")) for one in ones)
    return named if named is not None else next(found, None)


def _is_quotation(one: Any) -> bool:
    """Whether its class says so, or somebody signs a block that is set off."""
    if any(QUOTE.fullmatch(name) for name in classes(one)):
        return one.tag in ("div", "blockquote", "table", "aside")
    if one.tag != "blockquote":
        return False
    return _source(one) is not None or _is_signature(text_of(one, without=is_left_out).split("\n")[-1])


def _is_signature(line: str) -> bool:
    return len(line) <= LONGEST_SIGNATURE and SIGNED.fullmatch(line) is not None and not line.endswith(ENDED)


def with_signatures(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, who is said to have said something behind it on its line, where that stood on the next one."""
    last: Part | None = None
    for part in parts:
        is_text = part.kind in ("text", "item")
        lines = part.text.split("\n") if is_text else []
        if len(lines) > 1 and _is_signature(lines[-1]):
            part = replace(part, text=_signed(joined("\n".join(lines[:-1])), lines[-1]))
        if last and is_text and len(lines) == 1 and last.kind in ("text", "item") and _is_signature(part.text):
            last = replace(last, text=_signed(last.text, part.text))
            continue
        if last:
            yield last
        last = part
    if last:
        yield last


def _signed(text: str, signature: str) -> str:
    return f"{text} — {signature.lstrip(' ~—–―-')}"


def joined(text: str) -> str:
    """Its lines as one, with a space between them where its script has spaces."""
    return text.replace("\n", "" if has_cjk(text) else " ")


def _flat(element: Any) -> str:
    return " ".join(text_of(element, without=is_left_out).split())
