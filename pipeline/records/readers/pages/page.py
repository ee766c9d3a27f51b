"""A page about the character: prose, a wiki's page or a profile of labels (`Age: 41`), as text or Markdown.

Each section is a background passage under its heading; what stands under a heading such as Quotes is lines. Of a page
about several people it is the part that has the character's name as its heading, or as its `Name:`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from pipeline.records.classify import BACKGROUND_TITLES, any_of
from pipeline.records.comparable import letters
from pipeline.records.names import spelling
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.pages import wiki
from pipeline.records.readers.pages.copied import SITES_OWN, is_copied
from pipeline.records.readers.pages.notes import CODE, WORK, note_lines
from pipeline.records.readers.pages.page_sections import IN_BRACKETS, OWN_TITLE, Section, below, plain, sections_of
from pipeline.records.readers.pages.page_titles import is_title_of, names_file, shorten_title
from pipeline.records.readers.pages.profile import (
    LABELLED,
    OF_ANOTHER_NAME,
    PLAYERS,
    PLAYERS_NOTE,
    entry,
    is_label,
    is_of_the_file,
)
from pipeline.records.readers.pages.quoted import is_of_lines, quoted_lines, said_in_rows, said_in_tabs, title_of_list
from pipeline.records.readers.pages.section_kinds import as_list, kinds_of
from pipeline.records.readers.pages.skits import skit_records, skits_of
from pipeline.records.readers.scripts.transcript import LABEL, spoken_line
from pipeline.records.traditional_chinese import to_simplified

SUFFIXES = ("", ".txt", ".md", ".markdown", ".text", ".wiki", ".mediawiki", ".wikitext")
PROMPT = re.compile(r"^\W*(?:you are|you're|act as|pretend|write |你是|你现在是|请?扮演)", re.IGNORECASE | re.MULTILINE)
# What a text about something else has: a program's page, a licence, a list of things to do.
ELSEWHERE = re.compile(
    r"^#+\s*(?:installation|install|usage|requirements|licen[cs]e|changelog|安装|使用方法)\b|"
    r"^\s*(?:pip|npm|cargo|apt) install ",
    re.IGNORECASE | re.MULTILINE,
)
# A site's line below a post: how many liked it, and when.
FOOTER = re.compile(
    r"(?:赞同|已赞同)\s*[\d.]+.*|.*\d\s*条评论.*|(?:编辑|发布|发表)于\s*[:：]?\s*[\d-]+.*|GP\s*[-\d]+.*|BP\s*[-\d]*|看过的人也看过.*|"
    r"(?:分享|收藏|喜欢|举报|回复|点赞|转发|推荐)(?:[\s·|/]+(?:分享|收藏|喜欢|举报|回复|点赞|转发|推荐))+|"
    r"本(?:页面|条目|词条).{0,20}(?:建设|施工|完善|编辑|整理).*|(?:推|嘘|→)\s+\w{3,20}\s*[:：].*|※\s*(?:发信站|文章网址|编辑).*",
    re.IGNORECASE,
)
NO_TEXTS = {"draft": "a draft", "doubtful": "quotations below a heading that may be another's name"}
OF_A_SITE = "a site's own words"
LONGEST_PROSE = 12_000  # letters of a page without a heading
FEW_LINES, STORY = 8, 0.25  # of as many lines, the share in which something is said in a story
SAYS = re.compile(r"[.!?,…。！？，～~—–-][’'』]?[”」\"]|“[^“”]{6,200}”|「[^「」]{6,200}」|\"[^\"]{6,200}\"")
NOBODYS_TITLE = any_of(BACKGROUND_TITLES)
TOP = 200  # characters of a page, in which it says whom it is about
LEAST_TEXT = 3  # lines of a note that has code
LONGEST = 1200  # letters of a passage; a longer section is several
SHORTEST = 8
TITLES = ("Background", "背景")


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether it is a text about the character: its name is the file's, a heading, or stands at its beginning.

    A script, a story, an instruction for a model and a program's page are none.
    """
    is_text = file.encoding and (file.held is not None or file.path.suffix.lower() in SUFFIXES)
    if not (options.character and is_text) or looks_like_json(file):
        return False
    head = file.beginning
    top = "" if title_of_list(file.path, _names(options)) else _top(head)
    if head.lstrip().startswith(("<", "{\\rtf")) or PROMPT.search(top) or ELSEWHERE.search(head):
        return False
    own, _ = _about(file, options)
    return bool(own) and not _is_story(own) and not _is_code(file, own)


def _top(head: str) -> str:
    """The beginning of a text, up to a heading for lines: `You are late` is none to a model there."""
    lines = head[:TOP].splitlines(keepends=True)
    end = next((at for at, line in enumerate(lines) if is_of_lines(line.strip(" #*=\n"))), len(lines))
    return "".join(lines[:end])


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Its passages, and the lines that stand under a heading for them; what is about others is unusable."""
    own, others = _about(file, options)
    for section, kind in kinds_of(own):
        if kind == "lines":
            yield from _lines(file, section, options)
            continue
        skits, rest = skits_of(section.lines, _names(options)) if kind == "text" else ([], section.lines)
        yield from skit_records(file.path, skits, options.window)
        yield from _background(file, replace(section, lines=rest), NO_TEXTS.get(kind, ""))
    for section in others:
        for number, text in _passages(section.lines):
            title = section.person or section.title
            yield _passage(file, number, text, title, "a section about somebody or something else")


def _lines(file: RawFile, section: Section, options: ReadOptions) -> Iterator[RawRecord]:
    """What is said in a section for it; beside a table of tabs that holds that, what is quoted or has a speaker."""
    sites = [(number, line) for number, line in section.lines if line.startswith(SITES_OWN)]
    rows, others = said_in_tabs([one for one in section.lines if one not in sites])
    skits, others = skits_of(others, _names(options)) if rows else ([], others)
    for number, title, text in rows:
        for raw in quoted_lines(file.path, [(number, plain(text))], _names(options)):
            yield replace(raw, scene=title, place=raw.source)
    yield from skit_records(file.path, skits, options.window)
    lines = [(number, plain(line)) for number, line in said_in_rows(others)]
    yield from quoted_lines(file.path, lines, _names(options), only_quoted=section.only_quoted or bool(rows))
    for number, line in sites:
        yield _passage(file, number, line.lstrip(SITES_OWN), section.title, OF_A_SITE)


def _background(file: RawFile, section: Section, unusable: str) -> Iterator[RawRecord]:
    """The section's passages, and by themselves its lines that are no text about the character."""
    lines: list[tuple[int, str]] = []
    for number, text, why in note_lines(section.lines):
        if why := why or _unusable(text):
            yield _passage(file, number, text.lstrip(SITES_OWN), section.title, why)
        else:
            lines.append((number, text))
    for number, text in _passages(lines):
        short = "" if len(text) >= SHORTEST or _has_labels(text) else "a few words under a heading"
        why = unusable or short
        yield _passage(file, number, text, section.title or TITLES[any(char > "\u2e80" for char in text)], why)


def _passage(file: RawFile, number: int, text: str, title: str, unusable: str) -> RawRecord:
    return RawRecord(
        f"{file.path}:{number}",
        CHARACTER,
        text,
        asked=title,
        kind="background",
        why="a section of a page",
        unusable=unusable,
    )


def _unusable(line: str) -> str:
    """Why a line of a section is no text about the character; nothing where it is."""
    if line == wiki.DROPPED:
        return "a wiki's table"
    if line.startswith(SITES_OWN):
        return OF_A_SITE
    if FOOTER.fullmatch(to_simplified(line)):
        return "a site's line below a post"
    labelled = LABELLED.fullmatch(line)
    if labelled and is_of_the_file(labelled["key"], labelled["value"]):
        return "about the profile, and not the character"
    found = entry(line)
    is_players = PLAYERS_NOTE.fullmatch(to_simplified(line)) or (found and PLAYERS.fullmatch(to_simplified(found[0])))
    return "about the player" if is_players else ""


def _has_labels(text: str) -> bool:
    return any(entry(line) is not None for line in text.splitlines())


def _names(options: ReadOptions) -> set[str]:
    return {spelling(name) for name in options.names}


def _about(file: RawFile, options: ReadOptions) -> tuple[Sequence[Section], Sequence[Section]]:
    """The sections that are about the character, all of its own page or its own of several people's; and the rest."""
    names = _names(options)
    sections = sections_of([*file.lines()], names)
    shorten_title(sections, names, options.character or "")
    named = [number for number, one in enumerate(sections) if spelling(one.title) in names]
    persons = [_whose(one, names) for one in sections]
    if named:  # below the name that it goes by its full name may be another
        persons = [
            None if is_own is False and _is_of_full_name(one) else is_own
            for one, is_own in zip(sections, persons, strict=True)
        ]
    if True in persons and False in persons:
        own = [one for number, is_own in enumerate(persons) if is_own for one in below(sections, number)]
        return own, [one for one in sections if not any(one is other for other in own)]
    if named and (named[0] > 0 or (len(named) == 1 and _siblings(sections, named[0]))):
        first = sections[named[0]]
        deeper = itertools.takewhile(lambda one: one.depth > first.depth, sections[named[0] + 1 :])
        own = [first, *deeper]
        return own, [one for one in sections if not any(one is other for other in own)]
    if not named and (title := title_of_list(file.path, names)) and (made := as_list(sections, title)):
        return made, []
    is_own = bool(named) or any(_is_of(sections, file, name) for name in names)
    return (sections if is_own else []), []


def _is_of_full_name(section: Section) -> bool:
    return OF_ANOTHER_NAME.fullmatch(section.named_by) is not None and OWN_TITLE.fullmatch(section.title) is not None


def _whose(section: Section, names: Collection[str]) -> bool | None:
    """Whether it says that it is about the character; None where it says nothing."""
    if spelling(section.title) in names:
        return True
    person = spelling(section.person)
    return any(_begins_with(person, name) for name in names) if person else None


def _begins_with(text: str, name: str) -> bool:
    """Whether it is the name, with or without more: Mira Vale, the ringer; Mira Anne Vale."""
    words, own = IN_BRACKETS.sub("", text).split(), name.split()
    is_longer = len(own) > 1 and [*words[:1], *words[-1:]] == [own[0], own[-1]]
    return is_longer or re.match(re.escape(name) + r"(?!\w)", text) is not None


def _is_of(sections: Sequence[Section], file: RawFile, name: str) -> bool:
    """Whether the file has the name and says something of it, or its text begins with the name, or with its label."""
    if names_file(file.path.stem, name):
        return is_copied([line for _, line in file.lines()], {name}) or not _is_script(sections, {name})
    persons = [spelling(one.person) for one in sections[:2] if one.person]
    if persons:
        return _begins_with(persons[0], name)
    lines = [line for one in sections[:2] for _, line in one.lines if line.strip()]
    titled = [one.title for one in sections[:2] if one.title and not NOBODYS_TITLE.fullmatch(one.title)]
    if not lines or _is_script(sections, {name}):
        return False
    title = (titled or [plain(lines[0])])[0]
    if spelling(title) != name and is_title_of(title, name):
        return bool(titled) or len(lines) > 1
    if titled:
        return False
    # A word for itself, and no sentence's other word: `Will you ...`, 安装说明.
    after = r"\s+(?!you\b|the\b)[^\W\d]" if name.isascii() else r"(?:[^\W\d]|[，（(])"
    return (name.isascii() or len(name) > 1) and re.match(
        re.escape(name) + after, spelling(plain(lines[0]))
    ) is not None


def _is_script(sections: Sequence[Section], names: Collection[str]) -> bool:
    """Whether people speak in it, in a form that no reader knows: somebody twice, or one of the names."""
    lines = [plain(line) for one in sections for _, line in one.lines]
    speakers = [spelling(found["speaker"]) for line in lines if (found := spoken_line(line))]
    others = [one for one in speakers if not (LABEL.fullmatch(one) or is_label(one))]
    return len({*others}) < len(others) or any(one in names for one in speakers)


def _is_story(sections: Sequence[Section]) -> bool:
    """Whether it is told with what people say, or goes on and on without a heading; a quoted word is nothing said."""
    lines = [line for one in sections if not is_of_lines(one.title) for _, line in one.lines if line.strip()]
    quoting = sum(SAYS.search(line) is not None and entry(line) is None for line in lines)
    is_long = len(sections) == 1 and not sections[0].title and sum(map(letters, lines)) > LONGEST_PROSE
    return is_long or (len(lines) >= FEW_LINES and quoting > STORY * len(lines) and len(sections) == 1)


def _is_code(file: RawFile, sections: Sequence[Section]) -> bool:
    """Whether it has code and is called README, or hardly any text beside code and tasks."""
    noted = [why for one in sections for _, text, why in note_lines(one.lines) if text]
    text = noted.count("")
    is_readme = file.path.stem.lower() == "readme" and CODE in noted
    return is_readme or noted.count(WORK) > text or (CODE in noted and text < LEAST_TEXT)


def _siblings(sections: Sequence[Section], number: int) -> bool:
    """Whether other headings stand as high as this one: it is one of several."""
    return any(one.depth == sections[number].depth for one in sections[number + 1 :])


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
