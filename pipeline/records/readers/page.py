"""A page about the character: prose, a wiki's page or a profile of labels (`Age: 41`), as text or Markdown.

Each section is a background passage under its heading; what stands under a heading such as Quotes is lines. Of a page
about several people it is the section that has the character's name as its heading.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.records.classify import BACKGROUND_TITLES, any_of
from pipeline.records.comparable import letters
from pipeline.records.names import spelling
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.transcript import LABEL, spoken_line

SUFFIXES = ("", ".txt", ".md", ".markdown", ".text", ".wiki")
HEADING = re.compile(
    r"(?P<hash>#{1,6})\s*(?P<title>.+?)\s*#*|(?P<equals>={2,6})\s*(?P<wiki>[^=]+?)\s*=+|【(?P<bracket>[^【】]+)】"
)
LABELLED_NAME = re.compile(
    r"(?:[-*•|]\s*)?\**(?:(?:full )?name|姓名|名字|名称|角色名?)\**\s*[:：|]\**\s*(?P<name>[^|]+)", re.IGNORECASE
)
QUOTES = re.compile(
    r"(?:(?:famous|notable|memorable|selected|voice|her|his|their) )?"
    r"(?:quotes?|quotations?|lines|sayings|catch ?phrases?)|(?:经典|常用|部分)?(?:台词|语录|口头禅|名言)(?:集|摘录)?",
    re.IGNORECASE,
)
PROMPT = re.compile(r"^\W*(?:you are|you're|act as|pretend|write |你是|你现在是|请?扮演)", re.IGNORECASE | re.MULTILINE)
# What a text about something else has: a program's page, a licence, a list of things to do.
ELSEWHERE = re.compile(
    r"^(?:```|\s*[-*] \[[ xX]\]|#+\s*(?:installation|install|usage|requirements|licen[cs]e|changelog|安装|使用方法)\b)|"
    r"^\s*(?:pip|npm|cargo|apt) install ",
    re.IGNORECASE | re.MULTILINE,
)
OF_A_PAGE = (
    r"(?:'?s)?(?: (?:profile|bio|biography|wiki|background|character|info|sheet|page))*|"
    r"的?(?:人物)?(?:设定集?|简介|资料|人设|背景|档案|介绍|小传|百科)"
)
ATTRIBUTION = re.compile(r"\s+[—–-]{1,2}\s*[^—–-]{1,40}$")  # who said it, behind a quotation
QUOTE_MARKS = '"“”「」『』'
# What Markdown and wikis put around their words; a table's row becomes `Age: 41`, or what its cells hold.
MARKUP = (
    (re.compile(r"<!--.{0,400}?-->|<[^<>]{1,80}>|\[\d{1,3}\]|\{\{[^{}]*\}\}"), ""),
    (re.compile(r"!\[[^\[\]]*\]\([^()]*\)"), ""),
    (re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]|\[([^\[\]]*)\]\([^()]*\)"), r"\1\2"),
    (re.compile(r"(\*{1,3}|_{2,3}|'{2,3}|`)(?=\S)(.{1,300}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"^\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?$"), ""),
    (re.compile(r"^\|?([^|]{1,80})\|([^|]+)\|?$"), lambda row: f"{row[1].strip()}: {row[2].strip()}"),
    (re.compile(r"^\s*(?:[-+*•·>]|\d{1,3}[.)、])\s+"), ""),
)
LONGEST_PROSE = 12_000  # letters of a page without a heading
FEW_LINES, STORY = 8, 0.25  # of as many lines, the share that hold a quotation in a story
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
    """Whether it is a text about the character: its name is the file's, a heading, or stands at its beginning.

    A script, a story, an instruction for a model and a program's page are none.
    """
    is_text = file.encoding and (file.held is not None or file.path.suffix.lower() in SUFFIXES)
    if not (options.character and is_text) or looks_like_json(file):
        return False
    head = file.head.decode(file.encoding or "utf-8", errors="ignore")
    if head.lstrip().startswith(("<", "{\\rtf")) or PROMPT.search(head[:TOP]) or ELSEWHERE.search(head):
        return False
    sections = _about(_sections(file), file, options)
    return bool(sections) and not _is_story(sections)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Its passages, and the lines that stand under a heading for them."""
    for section in _about(_sections(file), file, options):
        lines = [(number, _plain(line)) for number, line in section.lines]
        if QUOTES.fullmatch(section.title):
            yield from _quotes(file, lines)
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


def _quotes(file: RawFile, lines: Sequence[tuple[int, str]]) -> Iterator[RawRecord]:
    """The lines under a heading for them, those that name somebody as that one's."""
    for number, line in lines:
        if line and not line.startswith(("—", "–")):
            spoken = spoken_line(line)
            speaker, said = (spoken["speaker"], spoken["text"]) if spoken else (CHARACTER, ATTRIBUTION.sub("", line))
            text, why = said.strip().strip(QUOTE_MARKS), "under a heading for lines"
            yield RawRecord(f"{file.path}:{number}", speaker, text, kind="dialogue", why=why)


def _about(sections: Sequence[Section], file: RawFile, options: ReadOptions) -> Sequence[Section]:
    """The sections that are about the character: all of its own page, its own of several people's, or none."""
    names = {spelling(name) for name in (options.character, *options.other_names) if name}
    named = [number for number, one in enumerate(sections) if spelling(one.title) in names]
    if named and (named[0] > 0 or (len(named) == 1 and _siblings(sections, named[0]))):
        first = sections[named[0]]
        return [first, *itertools.takewhile(lambda one: one.depth > first.depth, sections[named[0] + 1 :])]
    is_own = bool(named) or any(_is_of(sections, file, name) for name in names)
    return sections if is_own else []


def _is_of(sections: Sequence[Section], file: RawFile, name: str) -> bool:
    """Whether the file has the name and says something of it, or its text begins with the name, or with its label."""
    stem = spelling(file.path.stem.replace("_", " ").replace("-", " "))
    if re.fullmatch(re.escape(name) + rf"(?:{OF_A_PAGE})", stem):
        return not _is_script(sections, {name})
    lines = [line for one in sections[:2] for _, line in one.lines if line.strip()]
    labels = [spelling(found["name"]) for line in lines[:LABELS] if (found := LABELLED_NAME.match(line))]
    if labels:
        return re.match(re.escape(name) + r"(?!\w)|" + re.escape(name) + r"$", labels[0]) is not None
    titled = [one.title for one in sections[:2] if one.title and not NOBODYS_TITLE.fullmatch(one.title)]
    if titled or not lines or _is_script(sections, {name}):
        return False
    # A word for itself, and no sentence's other word: `Will you ...`, 安装说明.
    after = r"\s+(?!you\b|the\b)[^\W\d]" if name.isascii() else r"[^\W\d]"
    return (name.isascii() or len(name) > 1) and re.match(
        re.escape(name) + after, spelling(_plain(lines[0]))
    ) is not None


def _is_script(sections: Sequence[Section], names: Collection[str]) -> bool:
    """Whether people speak in it, in a form that no reader knows: somebody twice, or one of the names."""
    lines = [_plain(line) for one in sections for _, line in one.lines]
    speakers = [spelling(found["speaker"]) for line in lines if (found := spoken_line(line))]
    others = [one for one in speakers if not LABEL.fullmatch(one)]
    return len({*others}) < len(others) or any(one in names for one in speakers)


def _is_story(sections: Sequence[Section]) -> bool:
    """Whether it is told with what people say, or goes on and on without a heading."""
    lines = [line for one in sections for _, line in one.lines if line.strip()]
    quoting = sum(line.count("“") + line.count("「") + line.count('"') // 2 > 0 for line in lines)
    is_long = len(sections) == 1 and not sections[0].title and sum(map(letters, lines)) > LONGEST_PROSE
    return is_long or (len(lines) >= FEW_LINES and quoting > STORY * len(lines) and len(sections) == 1)


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
    line = line.strip()
    for pattern, plain in MARKUP:
        line = pattern.sub(plain, line)
    return line.strip()


def _passages(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Paragraphs together, up to LONGEST letters, each with the number of its first line."""
    first, held = 0, ""
    for number, line in lines:
        if held and not line and letters(held) >= LONGEST:
            yield first, held
            held = ""
        elif line:
            first, held = (first, f"{held}\n{line}") if held else (number, line)
    if held:
        yield first, held
