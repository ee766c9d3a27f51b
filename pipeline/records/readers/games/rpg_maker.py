"""RPG Maker MV's and MZ's data: the texts of maps, common events and troops, and what Actors.json tells of people.

{"code": 101, "parameters": ["Actor1", 0, 0, 2, "Mira"]}, {"code": 401, "parameters": ["Mind the third stair."]}

A box of text (101) has its lines below it (401). An event's page is a scene; a choice or a condition parts its lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from pipeline.records.clean import has_cjk
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, UnknownFormError, scene_records
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.games.exports import document_beside, listed, string_of
from pipeline.records.readers.games.rpg_maker_text import MISSING, Actor, Box, Speakers, plain_text
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.scripts.script_turns import CHOICE, NARRATION, unglued
from pipeline.records.readers.tables.people_table import TITLES

COMMAND = re.compile(r'"code"\s*:\s*\d+\s*,\s*"indent"\s*:\s*\d+\s*,\s*"parameters"\s*:')
DATABASE = re.compile(r"\[\s*null\s*,\s*(?:null\s*,\s*)*+(?:\{\s*\"id\"\s*:\s*\d|\[)")
OF_A_MAP = ('"autoplayBgm"', '"parallaxName"')
BOX, LINE, CHOICES, SCROLLING, SCROLLED = 101, 401, 102, 105, 405
# What parts the lines of a page: choices, conditions, loops, labels, other events, and how a battle ends.
PARTS = frozenset({102, 103, 104, 111, 112, 113, 115, 117, 118, 119, 301, 402, 403, 404, 411, 412, 413, 601, 602, 603})
ACTORS = "Actors.json"
BLANK: tuple[Any, ...] = ("", 0, 0, 0, "")  # the parameters of a box: face, its number, background, place, name
WHY = "written about an actor"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a map, or one of the lists that begin with nothing, since their entries count from 1."""
    if not file.encoding:
        return False
    head = file.beginning.lstrip("\ufeff \t\r\n")
    if head.startswith("{"):
        return all(key in head for key in OF_A_MAP) or ('"events"' in head and COMMAND.search(head) is not None)
    return DATABASE.match(head) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Texts with those of their page, and of their branch of it, before them; of actors their profiles.

    Raises:
        UnknownFormError: it has neither, as the lists of a game's items and skills.
    """
    document = json_document(file)
    entries = document.get("events") if isinstance(document, Mapping) else document
    numbered = enumerate(entries if isinstance(entries, list) else [])
    found = [(number, one) for number, one in numbered if isinstance(one, Mapping)]
    if any("profile" in one and "faceName" in one for _, one in found):
        yield from _profiles(str(file.path), found)
        return
    if not any("list" in one or "pages" in one for _, one in found):
        raise UnknownFormError(file.path, "is data of RPG Maker's that nobody says", fix="leave it out")
    pages = [page for number, event in found for page in _pages(f"{file.path}#{number}", event, document)]
    boxes = [{box.number: box for box in _boxes(commands)} for _, _, commands in pages]
    speakers = Speakers(_actors(file), [box for of_page in boxes for box in of_page.values()], options)
    scenes = [scene for page, of_page in zip(pages, boxes, strict=True) for scene in _scenes(*page, of_page, speakers)]
    names = speakers.names_in([turn for _, turns in scenes for turn in turns])
    for title, turns in scenes:
        yield from scene_records(unglued(turns, names), title=title, place=turns[0].source, window=options.window)


def _profiles(path: str, actors: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[RawRecord]:
    names = {number: Actor.of(actor) for number, actor in actors}
    for number, actor in actors:
        where = f"{path}#{number}"
        text, reason = plain_text(string_of(actor.get("profile")), names)
        if text and (name := names[number].name):
            yield RawRecord(where, name, text, asked=TITLES[has_cjk(text)], kind="background", why=WHY, unusable=reason)


def _pages(place: str, event: Mapping[str, Any], document: Any) -> Iterator[tuple[str, str, list[Any]]]:
    """(title, place, commands) of each page of an event; a common event is one itself."""
    named = document.get("displayName") if isinstance(document, Mapping) else event.get("name")
    title = named.strip() if isinstance(named, str) else ""
    if isinstance(event.get("list"), list):
        yield title, place, event["list"]
    for number, page in enumerate(listed(event, "pages")):
        if isinstance(page, Mapping) and isinstance(page.get("list"), list):
            yield title, f"{place}.{number}", page["list"]


def _scenes(
    title: str, place: str, commands: Sequence[Any], boxes: Mapping[int, Box], speakers: Speakers
) -> Iterator[tuple[str, Sequence[RawTurn]]]:
    """The turns of a page, those of each of its branches by themselves, under the page's title."""
    turns: list[RawTurn] = []
    for number, command in enumerate(commands):
        code, where = _code(command), f"{place}.{number}"
        if turns and (code in PARTS or turns[-1].unusable == MISSING):
            yield title, turns
            turns = []
        if code == BOX:
            turns.append(speakers.turn(where, boxes[number]))
        elif code == CHOICES:
            turns += [RawTurn(where, UNNAMED, text, CHOICE) for text in _choices(command)]
        elif code == SCROLLING and (text := "\n".join(_lines_below(commands, number, SCROLLED))):
            turns.append(RawTurn(where, UNNAMED, text, NARRATION))
    if turns:
        yield title, turns


def _boxes(commands: Sequence[Any]) -> Iterator[Box]:
    """The boxes of text among the commands, each with its number there."""
    for number, command in enumerate(commands):
        if _code(command) == BOX:
            given = _parameters(command)
            face, index, _, _, name = [*given, *BLANK[len(given) :]][: len(BLANK)]
            is_face = isinstance(index, int)
            lines = tuple(_lines_below(commands, number, LINE))
            yield Box(number, string_of(face), index if is_face else 0, string_of(name), lines)


def _lines_below(commands: Sequence[Any], number: int, code: int) -> Iterator[str]:
    for following in range(number + 1, len(commands)):
        if _code(commands[following]) != code:
            return
        yield from map(string_of, _parameters(commands[following])[:1])


def _choices(command: Mapping[str, Any]) -> list[str]:
    offered = [one for one in _parameters(command)[:1] if isinstance(one, list)]
    return [text for text in map(string_of, chain.from_iterable(offered)) if text]


def _code(command: Any) -> int:
    code = command.get("code") if isinstance(command, Mapping) else None
    return code if isinstance(code, int) else 0


def _parameters(command: Mapping[str, Any]) -> list[Any]:
    return listed(command, "parameters")


def _actors(file: RawFile) -> Mapping[int, Actor]:
    """The actors of the game, by the numbers that texts call them by; none where their file is missing or broken."""
    document = document_beside(file.path.parent / ACTORS)
    entries = enumerate(document if isinstance(document, list) else [])
    return {number: Actor.of(one) for number, one in entries if isinstance(one, Mapping)}
