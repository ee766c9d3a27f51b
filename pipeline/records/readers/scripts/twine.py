"""Twine's stories: published or archived as HTML, or as Twee source; a passage's `Name: line` with those before it.

:: The tower [night] {"position": "100,100"}
Bram: Who is up there?
Mira: "Only me."
[[Climb up->The stairs]]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.records.asides import without_asides
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, UnknownFormError, scene_records
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.scripts import prose
from pipeline.records.readers.scripts.script_lines import NAME_LETTER, spoken_line, unquote
from pipeline.records.readers.scripts.script_turns import (
    A_LOGIC,
    CHOICE,
    DIRECTION,
    NARRATION,
    NO_SPEAKER,
    TOLD_BEHIND,
    unglued,
)
from pipeline.records.readers.scripts.twine_markup import BRANCH, CODE, is_code_alone, links_in, shown_lines
from pipeline.records.readers.web.html_file import html_text, is_html, parse
from pipeline.records.text_patterns import USER_NAME

SUFFIXES = (".twee", ".tw", ".twee2", ".twee3")
STORY = b"<tw-storydata"
SOURCE = re.compile(r"^::\s*\S", re.MULTILINE)
SURE_SOURCE = re.compile(r"^::\s*Story(?:Data|Title)\b", re.MULTILINE)
HEADER = re.compile(r"::\s*(?P<name>(?:\\.|[^\\\[\]{}])*?)\s*(?:\[(?P<tags>[^\[\]]*)\])?\s*(?:\{.*\})?\s*")
CODE_TAGS = frozenset({"script", "stylesheet", "twine.private", "twine.image", "widget", "init"})
CODE_NAMES = frozenset(
    {
        "storytitle", "storydata", "storyauthor", "storysubtitle", "storymenu", "storysettings", "storyincludes",
        "storyinit", "storystylesheet", "storyscript", "storyinterface", "storyshare", "storybanner", "storycaption",
    }
)  # fmt: skip
FORMAT = re.compile(r'"format"\s*:\s*"(?P<name>[^"]{1,40})"')
VARIABLE = re.compile(r"(?<![\w$])[$_][A-Za-z]\w*")
VARIABLES = "a variable or a note of a passage"


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage's name, its lines with their places, and whether it is code; `story_format` is the story's."""

    name: str
    lines: Sequence[tuple[str, str]]
    is_code: bool
    story_format: str


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is HTML with a story's data, or Twee source: by its passages about the story, or by its name."""
    return _is_source(file) or (is_html(file) and STORY in file.read_bytes())


def _is_source(file: RawFile) -> bool:
    if not file.encoding or is_html(file):
        return False
    text = file.beginning
    return (SOURCE if file.path.suffix.lower() in SUFFIXES else SURE_SOURCE).search(text) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Lines with those of their passage, and of their branch of it, before them; else what prose tells of who speaks.

    Raises:
        UnknownFormError: it has no passage, or in none is a name beside what is said.
    """
    passages = [*(_of_source(file) if _is_source(file) else _of_html(file))]
    turns = [[*_turns(passage)] for passage in passages]
    if names := {turn.speaker for one in turns for turn in one if not turn.unusable}:
        for passage, one in zip(passages, turns, strict=True):
            yield from _scenes(passage.name, [*unglued(one, names)], options)
        return
    told = _as_prose(file, passages)
    if not prose.recognises(told, options):
        what = "is a Twine story in which no name stands before what is said, nor tells its prose who speaks"
        raise UnknownFormError(file.path, what, fix="write `Name: line`, a line each")
    yield from prose.read(told, options)


def _of_source(file: RawFile) -> Iterator[Passage]:
    """The passages of Twee source."""
    lines = [(f"{file.path}:{number}", line) for number, line in file.lines()]
    found = FORMAT.search("\n".join(line for _, line in lines))
    story_format = found["name"].lower() if found else ""
    starts = [at for at, (_, line) in enumerate(lines) if line.startswith("::")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        header = HEADER.fullmatch(lines[start][1])
        name = re.sub(r"\\(.)", r"\1", header["name"] if header else lines[start][1][2:].strip())
        tags = (header["tags"] or "").split() if header else []
        yield Passage(name, lines[start + 1 : end], _is_code(name, tags), story_format)


def _of_html(file: RawFile) -> Iterator[Passage]:
    """The passages of a published story, or of those of an archive."""
    root = parse(file, html_text(file))
    number = 0
    for story in root.iter("tw-storydata"):
        for one in story.iter("tw-passagedata"):
            number += 1
            lines = [
                (f"{file.path}#{number}!{at}", line) for at, line in enumerate(one.xpath("string()").splitlines(), 1)
            ]
            name, tags = one.get("name") or "", (one.get("tags") or "").split()
            yield Passage(name, lines, _is_code(name, tags), (story.get("format") or "").lower())


def _is_code(name: str, tags: Sequence[str]) -> bool:
    return name.lower() in CODE_NAMES or not CODE_TAGS.isdisjoint(tag.lower() for tag in tags)


def _turns(passage: Passage) -> Iterator[RawTurn]:
    """What each line lets somebody say; `BRANCH` is the text of a line behind which another branch begins."""
    if passage.is_code:
        yield from (RawTurn(place, UNNAMED, line.strip(), A_LOGIC) for place, line in passage.lines if line.strip())
        return
    shown = _shown(passage)
    for (place, raw), (line, is_variable) in zip(passage.lines, shown, strict=True):
        if not raw.strip():
            continue
        if not line or is_code_alone(line):
            yield RawTurn(place, BRANCH if BRANCH in line or "]" in line else UNNAMED, raw.strip(), DIRECTION)
        elif is_variable:
            yield RawTurn(place, UNNAMED, raw.strip(), VARIABLES)
        else:
            yield _turn(place, line, raw.strip())


def _shown(passage: Passage) -> list[tuple[str, bool]]:
    text = "\n".join(line for _, line in passage.lines)
    return shown_lines(text, passage.story_format) if passage.lines else []


def _turn(place: str, line: str, raw: str) -> RawTurn:
    said, is_choice = links_in(line)
    if is_choice:
        return RawTurn(place, UNNAMED, raw, CHOICE)
    spoken = spoken_line(said.lstrip(f"{CODE}{BRANCH}[] "))
    if spoken is None or not NAME_LETTER.search(spoken["text"]):
        return RawTurn(place, UNNAMED, raw, without_asides(raw)[1] or NO_SPEAKER)
    text, reason = without_asides(_unquoted(spoken["text"]))
    is_logic = CODE in said or BRANCH in said or VARIABLE.search(USER_NAME.sub("", text))
    text = text.replace(CODE, "").replace(BRANCH, "")
    is_told = TOLD_BEHIND.fullmatch(spoken["text"].strip()) is not None
    reason = reason or (A_LOGIC if is_logic else NARRATION if is_told else "")
    return RawTurn(place, spoken["speaker"].strip(), text, reason)


def _unquoted(text: str) -> str:
    text = unquote(text.strip())
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') == 2
    return text[1:-1].strip() if is_quoted else text


def _scenes(title: str, turns: Sequence[RawTurn], options: ReadOptions) -> Iterator[RawRecord]:
    """The records of a passage: what stands in one branch of it is not said before what stands in another."""
    scene: list[RawTurn] = []
    for turn in turns:
        if turn.speaker == BRANCH:
            yield from _scene(title, scene, options)
            scene = [replace(turn, speaker=UNNAMED)]
        else:
            scene.append(turn)
    yield from _scene(title, scene, options)


def _scene(title: str, scene: Sequence[RawTurn], options: ReadOptions) -> Iterator[RawRecord]:
    if scene:
        yield from scene_records(scene, title=title, place=scene[0].source, window=options.window)


def _as_prose(file: RawFile, passages: Sequence[Passage]) -> RawFile:
    """What the passages tell, below their names; lines with code in them are left out."""
    lines: list[str] = []
    for passage in passages:
        if passage.is_code:
            continue
        shown = _shown(passage)
        told = [links_in(line) for line, is_variable in shown if not is_variable]
        lines += ["", f"## {passage.name}", ""]
        lines += [line for line, is_choice in told if not is_choice and CODE not in line and BRANCH not in line]
    text = "\n".join(lines)
    return file.holding(text)
