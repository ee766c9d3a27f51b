"""Pages that a browser saved, as .html or .mht: their article as text, read as what it is.

A page whose title is the character's name is about the character; any other is what its text says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.records.names import spelling
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.pages import labelled_page, page
from pipeline.records.readers.scripts import prose, screenplay, transcript
from pipeline.records.readers.texts import TEXTS
from pipeline.records.readers.web.elements import text_of
from pipeline.records.readers.web.html_file import FIX, html_text, is_archive, is_html, parse
from pipeline.records.readers.web.page_content import OF_A_THING, content_of, is_left_out, title_of
from pipeline.records.readers.web.page_parts import parts_of
from pipeline.records.readers.web.page_text import PageText, page_text

ABOUT = (labelled_page, page)
TOLD = (screenplay, prose)  # what an article about somebody with quotations in it is not
TOLD_IN_TURNS = (*TOLD, transcript)  # nor one that has its lines in lists, besides what several people say
# Wikis' pages of disambiguation.
REFERS = re.compile(
    r"\s*\b(?:may|can|might) (?:also )?refer to(?:\b[^\n]{0,40}:)?|\s*(?:可以|可能|可)是?指[^\n]{0,10}[:：]",
    re.IGNORECASE,
)
OF_NAMESAKES = re.compile(
    r"^this (?:is a )?disambiguation page\b|是一?[个個]?消歧[义義][页頁]", re.IGNORECASE | re.MULTILINE
)
TOP = 2000  # characters of a page, in which it says so
HARDLY_ANY = 200  # characters of a page that its scripts would fill
MOST_SHOWN = 60  # characters of a title in an error
BESIDE = "a text beside tables, of no known form"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is HTML, or a web archive."""
    return is_archive(file) or is_html(file)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What its text and its tables are, read as such; a place is the number of a line of that text.

    Raises:
        UnknownFormError: lxml is not installed, or nothing in it is of a known form.
        UnderstudyError: it is broken.
    """
    root = parse(file, html_text(file))
    title = title_of(root)
    if _lists_namesakes(root, title):
        what = f"is a web page that lists what else is called {title[:MOST_SHOWN]!r}"
        raise UnknownFormError(file.path, what, fix="save the page about the character itself")
    made = page_text(file, title, parts_of(content_of(root)), options)
    found = [*_of_text(file, made, options)]
    usable = [raw for raw in (*found, *made.records) if not raw.unusable]
    if not usable:
        raise _unknown(file, title, made, options, has_scripts=next(root.iter("script"), None) is not None)
    yield from found
    yield from made.records
    if not found:
        for number, line in enumerate(made.lines, 1):
            if line.strip() and not line.startswith("#"):
                yield RawRecord(f"{file.path}:{number}", UNNAMED, line.strip(), unusable=BESIDE)


def _lists_namesakes(root: Any, title: str) -> bool:
    top = text_of(content_of(root), without=is_left_out)[:TOP]
    beside = (line[len(title) :] for line in top.split("\n") if title and line.startswith(title))
    return OF_NAMESAKES.search(top) is not None or any(map(REFERS.fullmatch, beside))


def _of_text(file: RawFile, made: PageText, options: ReadOptions) -> Iterator[RawRecord]:
    """What the lines are: labels are a page's, and no script's; beside a script of the character's they are a page."""
    whole = _held(file, made.lines)
    titled = [made.titles.get(number, line) for number, line in enumerate(made.lines)]
    body = _held(file, ["" if number in made.labels else line for number, line in enumerate(titled)])
    is_thing = not made.is_own and OF_A_THING.search(made.lines[0] if made.lines else "") is not None
    is_page = not is_thing and page.recognises(whole, options)
    told = TOLD_IN_TURNS if made.has_quotations else TOLD if _is_article(made) else ()
    passed = (ABOUT if made.is_own or is_thing else ()) + (told if made.is_own and is_page else ())
    forms = ((one, whole if one in ABOUT else body) for one in TEXTS if one not in passed)
    reader, text = next(((one, text) for one, text in forms if one.recognises(text, options)), (None, whole))
    if reader is not None:
        yield from reader.read(text, options)
    elif is_page:
        yield from page.read(whole, options)
    if reader is not None and made.is_own and made.labels:
        labels = [line if number in made.labels or number == 0 else "" for number, line in enumerate(made.lines)]
        beside = _held(file, labels)
        yield from page.read(beside, options) if page.recognises(beside, options) else ()


def _is_article(made: PageText) -> bool:
    """Whether it has labels, or several headings, as what is told has not."""
    return bool(made.labels) or sum(line.startswith("##") for line in made.lines) > 1


def _held(file: RawFile, lines: Sequence[str]) -> RawFile:
    text = "\n".join(lines)
    return file.holding(text)


def _unknown(file: RawFile, title: str, made: PageText, options: ReadOptions, *, has_scripts: bool) -> UnknownFormError:
    """What a page looks like of which nothing is read."""
    said = "\n".join(line for line in made.lines if not line.startswith("#")).strip()
    shown = f" ({title[:MOST_SHOWN]!r})" if title else ""
    if len(said) < HARDLY_ANY and has_scripts:
        what = f"is a web page{shown} with hardly any text in it: its scripts would fetch it"
        return UnknownFormError(file.path, what, fix="open it in a browser, and save its text as .txt")
    if made.is_own:
        what = f"is a web page{shown} with no text about the character beside its navigation and tables"
        return UnknownFormError(file.path, what, fix=FIX)
    what = f"is a web page{shown}, and neither about the character, nor a script, a chat or questions and answers"
    named = next((name for name in options.names if spelling(name) in spelling(said)), None)
    what += f"; {named} is named in it" if named else ""
    return UnknownFormError(file.path, what, fix=f"{FIX}, and begin it with the name, as in `# Mira Vale`")
