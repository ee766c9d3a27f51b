"""A page about the character: prose, a wiki's page or a profile of labels (`Age: 41`), as text or Markdown.

Each section is a background passage under its heading; what stands under a heading such as Quotes is lines. Of a page
about several people it is the section that has the character's name as its heading.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.records.classify import BACKGROUND_TITLES, any_of
from pipeline.records.names import spelling
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json

SUFFIXES = ("", ".txt", ".md", ".markdown", ".text", ".wiki")
HEADING = re.compile(
    r"(?P<hash>#{1,6})\s*(?P<title>.+?)\s*#*|(?P<equals>={2,6})\s*(?P<wiki>[^=]+?)\s*=+|【(?P<bracket>[^【】]+)】"
)
LABELLED_NAME = re.compile(
    r"(?:[-*•|]\s*)?\**(?:(?:full )?name|姓名|名字|名称|角色名?)\**\s*[:：|]\**\s*(?P<name>[^|]+)", re.IGNORECASE
)
QUOTES = re.compile(r".*(?:quotes?|lines|sayings|catchphrases?|台词|语录|口头禅|名言).*", re.IGNORECASE)
PROMPT = re.compile(r"\byou are\b|\byou're\b|\bact as\b|\brole-?play|你是|你现在是|扮演", re.IGNORECASE)  # for a model
QUOTE_MARKS = '"“”「」『』'
# What Markdown and wikis put around their words; a table's row becomes `Age: 41`, or what its cells hold.
MARKUP = (
    (re.compile(r"<!--.*?-->|<[^<>]{1,80}>|\[\d{1,3}\]|\{\{[^{}]*\}\}"), ""),
    (re.compile(r"!\[[^\[\]]*\]\([^()]*\)"), ""),
    (re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]|\[([^\[\]]*)\]\([^()]*\)"), r"\1\2"),
    (re.compile(r"(\*{1,3}|_{2,3}|'{2,3}|`)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|?)+\s*$"), ""),
    (re.compile(r"^\s*\|?\s*([^|]+?)\s*\|\s*([^|]+?)\s*\|?\s*$"), r"\1: \2"),
    (re.compile(r"^\s*(?:[-+*•·>]|\d{1,3}[.)、])\s+"), ""),
)
NOBODYS_TITLE = any_of(BACKGROUND_TITLES)
LABELS = 8  # lines in which a profile says its name
TOP = 200  # characters of a page, in which it says whom it is about
LONGEST = 1200  # letters of a passage; a longer section is several
SHORTEST = 8
TITLES = ("Background", "背景")


@dataclass(slots=True)
class Section:
    """A heading, how deep it is, and the lines below it with their numbers."""

    title: str = ""
    depth: int = 0
    lines: list[tuple[int, str]] = field(default_factory=list)


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether it is a text about the character: its name is the file's, a heading, or stands at its beginning."""
    is_text = file.encoding and (file.held is not None or file.path.suffix.lower() in SUFFIXES)
    if not (options.character and is_text) or looks_like_json(file):
        return False
    top = file.head.decode(file.encoding or "utf-8", errors="ignore")[:TOP]
    if top.lstrip().startswith(("<", "{\\rtf")) or PROMPT.search(top):
        return False
    return bool(_about(_sections(file), file, options))


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Its passages, and the lines that stand under a heading for them."""
    for section in _about(_sections(file), file, options):
        lines = [(number, _plain(line)) for number, line in section.lines]
        if QUOTES.fullmatch(section.title):
            for number, line in lines:
                if text := line.strip().strip(QUOTE_MARKS):
                    yield RawRecord(
                        f"{file.path}:{number}", CHARACTER, text, kind="dialogue", why="under a heading for lines"
                    )
            continue
        for number, text in _passages(lines):
            title = section.title or TITLES[any(char > "\u2e80" for char in text)]
            unusable = "a few words under a heading" if len(text) < SHORTEST else ""
            yield RawRecord(
                f"{file.path}:{number}",
                CHARACTER,
                text,
                asked=title,
                kind="background",
                why="a section of a page",
                unusable=unusable,
            )


def _about(sections: Sequence[Section], file: RawFile, options: ReadOptions) -> Sequence[Section]:
    """The sections that are about the character: all of its own page, its own of several people's, or none."""
    names = {spelling(name) for name in (options.character, *options.other_names) if name}
    named = [number for number, one in enumerate(sections) if spelling(one.title) in names]
    if named and (named[0] > 0 or (len(named) == 1 and _siblings(sections, named[0]))):
        first = sections[named[0]]
        return [first, *itertools.takewhile(lambda one: one.depth > first.depth, sections[named[0] + 1 :])]
    stem = spelling(file.path.stem.replace("_", " ").replace("-", " "))
    is_own = bool(named) or any(name in stem or _begins_with(sections[:2], name) for name in names)
    return sections if is_own else []


def _begins_with(sections: Sequence[Section], name: str) -> bool:
    """Whether the name is the first word under no title, or one that names nobody, or stands there as a label's."""
    lines = [line for one in sections for _, line in one.lines if line.strip()]
    labels = [found["name"] for line in lines[:LABELS] if (found := LABELLED_NAME.match(line))]
    titled = [one.title for one in sections if one.title and not NOBODYS_TITLE.fullmatch(one.title)]
    begins = labels[:1] or ([] if titled else [_plain(line) for line in lines[:1]])
    return any(spelling(text).startswith(name) for text in begins)


def _siblings(sections: Sequence[Section], number: int) -> bool:
    """Whether other headings stand as high as this one: it is one of several."""
    return any(one.depth == sections[number].depth for one in sections[number + 1 :])


def _sections(file: RawFile) -> list[Section]:
    """The page's sections, those without text left out unless they have a heading."""
    sections = [Section()]
    for number, line in file.lines():
        if found := HEADING.fullmatch(line.strip()):
            title = _plain(found["title"] or found["wiki"] or found["bracket"]).strip(" :：")
            depth = len(found["hash"] or found["equals"] or "#")
            sections.append(Section(title, depth))
        else:
            sections[-1].lines.append((number, line))
    return [one for one in sections if one.title or any(line.strip() for _, line in one.lines)]


def _plain(line: str) -> str:
    """The line without its markup."""
    for pattern, plain in MARKUP:
        line = pattern.sub(plain, line)
    return line.strip()


def _passages(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Paragraphs together, up to LONGEST letters, each with the number of its first line."""
    first, held = 0, ""
    for number, line in lines:
        if held and not line and _letters(held) >= LONGEST:
            yield first, held
            held = ""
        elif line:
            first, held = (first, f"{held}\n{line}") if held else (number, line)
    if held:
        yield first, held


def _letters(text: str) -> int:
    return sum(2 if char > "\u2e80" else 1 for char in text)
