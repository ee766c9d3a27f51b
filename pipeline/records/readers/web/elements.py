"""The elements of a web page: their classes, and what is shown of them as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

WHITE = re.compile(r"[ \t\r\n\f\xa0]+")
# What no reader of a page sees as its text.
UNSEEN = frozenset(
    {
        "script", "style", "noscript", "template", "head", "title", "meta", "link", "svg", "math", "canvas", "iframe",
        "object", "embed", "audio", "video", "map", "button", "select", "input", "textarea", "rt", "rp", "datalist",
        "dialog",
    }
)  # fmt: skip
BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
        "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
        "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip


def classes(element: Any) -> list[str]:
    """The names in its class."""
    return (element.get("class") or "").split()


def with_class(root: Any, *names: str) -> Iterator[Any]:
    """The elements below with one of the classes, in their order."""
    return (one for one in root.iter() if one.get("class") and not {*names}.isdisjoint(classes(one)))


def is_unseen(element: Any) -> bool:
    """Whether it is no text, or not shown."""
    style = (element.get("style") or "").replace(" ", "").lower()
    return element.tag in UNSEEN or element.get("hidden") is not None or "display:none" in style


def text_of(
    element: Any, *, without: Callable[[Any], bool] = is_unseen, keeps_breaks: bool = False, of_image: bool = False
) -> str:
    """Its text as it is shown: breaks and blocks begin a line, other white space is one space.

    What `without` says of an element below is left out. With `keeps_breaks` line ends of the source are breaks, too;
    with `of_image` an image is what stands in its place.
    """
    from lxml import etree

    said: list[str] = []
    left_out: Any = None
    walker = etree.iterwalk(element, events=("start", "end"))
    for event, one in walker:
        if event == "start" and one is not element and without(one):
            walker.skip_subtree()
            left_out = one
            continue
        if one is not left_out:
            said += _begun(one, event, of_image)
        if event == "start":
            said.append(_spaced(one.text, keeps_breaks))
        elif one is not element:
            said.append(_spaced(one.tail, keeps_breaks))
    lines = (" ".join(filter(None, line.split(" "))) for line in "".join(said).split("\n"))
    return "\n".join(line.strip() for line in lines if line.strip())


def _begun(one: Any, event: str, of_image: bool) -> list[str]:
    if one.tag in BLOCKS or (one.tag == "br" and event == "start"):
        return ["\n"]
    return [emoji(one)] if of_image and one.tag == "img" and event == "start" else []


def emoji(image: Any) -> str:
    """What an image in a line stands for: itself, or the name of a face between colons."""
    name = (image.get("alt") or "").strip()
    return f":{name.strip(':')}:" if name.isascii() and name else name


def _spaced(text: str | None, keeps_breaks: bool) -> str:
    if not text:
        return ""
    if not keeps_breaks:
        return WHITE.sub(" ", text)
    return "\n".join(WHITE.sub(" ", line) for line in text.split("\n"))
