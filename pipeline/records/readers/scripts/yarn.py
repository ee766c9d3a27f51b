"""Yarn Spinner's scripts: nodes of `Name: line`, with commands, options, and the tags that translations go by.

title: Start
---
Juno: Back again. #line:0a1b2c
<<if $late>>
Juno: And late.
<<else>>
Juno: And early.
<<endif>>
===
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.records.asides import without_asides
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.scripts.script_lines import spoken_line
from pipeline.records.readers.scripts.script_turns import A_LOGIC, CHOICE, DIRECTION, LOGIC, NO_SPEAKER

SUFFIXES = (".yarn",)
TITLE = re.compile(r"title:\s*(?P<title>.*)")
TAGS = re.compile(r"(?<!\s)(?:\s+#[\w:.-]+)+\s*$")
COMMAND = re.compile(r"<<\s*(?P<word>\w+)[^<>]*>>")
BRANCHES = ("if", "elseif", "else", "endif", "once", "endonce")  # what parts lines that do not follow one another
OPTION = re.compile(r"->.*|\[\[.*\]\]")
END = "==="


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether its name says so."""
    return bool(file.encoding) and file.path.suffix.lower() in SUFFIXES


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Lines with those of their node, and of their branch of it, before them."""
    turns, title, in_head, depth = list[RawTurn](), "", True, 0
    for number, raw_line in file.lines():
        line, source = raw_line.strip(), f"{file.path}:{number}"
        indented = len(raw_line) - len(raw_line.lstrip())
        if _is_branch(line) or (line and indented < depth):
            yield from _scene(turns, title, options)
            turns, in_head = [], in_head or line == END
        depth = indented if line else depth
        if in_head:
            title = found["title"].strip() if (found := TITLE.fullmatch(line)) else title
            in_head = not line.startswith("---")
        elif line:
            turns.append(_turn(source, line))
    yield from _scene(turns, title, options)


def _is_branch(line: str) -> bool:
    """Whether what follows does not follow what stands above: another branch, an option, another node."""
    command = COMMAND.fullmatch(line)
    return line == END or OPTION.fullmatch(line) is not None or (command is not None and command["word"] in BRANCHES)


def _scene(turns: list[RawTurn], title: str, options: ReadOptions) -> Iterator[RawRecord]:
    if turns:
        yield from scene_records(turns, title=title, place=turns[0].source, window=options.window)


def _turn(source: str, line: str) -> RawTurn:
    """What a line lets somebody say, without its tags."""
    if COMMAND.fullmatch(line) or OPTION.fullmatch(line):
        return RawTurn(source, UNNAMED, line, CHOICE if OPTION.fullmatch(line) else DIRECTION)
    spoken = spoken_line(line)
    if spoken is None:
        return RawTurn(source, UNNAMED, line, without_asides(line)[1] or NO_SPEAKER)
    text, reason = without_asides(spoken["text"])
    text = TAGS.sub("", text).strip()
    return RawTurn(source, spoken["speaker"], text, reason or (A_LOGIC if LOGIC.search(text) else ""))
