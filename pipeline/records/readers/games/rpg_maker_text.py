r"""Who speaks in a box of text of RPG Maker's, and what: its codes removed, `\N[1]` an actor's name.

Since MZ a box has a name. Before, and with plugins, it stands in the text: `\n<Mira>`, `Mira:`, 【米拉】, above 「…」,
or in a colour of its own above the lines; else the face beside it may be an actor's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records.names import spelling
from pipeline.records.raw import UNNAMED, RawTurn, ReadOptions
from pipeline.records.readers.scripts.script_lines import spoken_line, unquote
from pipeline.records.readers.scripts.script_turns import NO_SPEAKER

# A code: a letter's, with what it is of in brackets, or a mark's.
CODE = re.compile(
    r"\\(?:(?P<letters>[A-Za-z]+)(?:\[(?P<number>[^\[\]]{0,40})\]|<(?P<quoted>[^<>]{0,80})>)?|(?P<mark>[{}$.|!><^\\]))"
)
# Codes that show nothing of their own: colours, icons, sizes, fonts, places, waits and sounds.
SILENT = frozenset({
    "c", "i", "fs", "px", "py", "fb", "fi", "fr", "fn", "oc", "ow", "hc", "hexcolor", "outlinecolor", "outlinewidth",
    "picture", "centerpicture", "commonevent", "w", "wait", "se", "ts", "sp", "af", "msgposx", "msgposy",
})  # fmt: skip
FONTS = ("fb", "fi", "fr")
NAME_BOX = re.compile(r"\\(?:n[lcr]?\d?|nd|nm|nw|name)<(?P<name>[^<>]{1,60})>", re.IGNORECASE)
TAG = re.compile(r"</?(?:b|i|left|center|right|wordwrap|nowordwrap)>", re.IGNORECASE)
COLOURED = re.compile(r"\\C\[\d+\](?P<name>\\N\[\d+\]|[^\\.。!！?？,，…]{1,24})(?:\\C(?:\[0\])?)?", re.IGNORECASE)
BRACKETED = re.compile(r"【(?P<name>[^【】]{1,20})】\s*(?P<text>.*)", re.DOTALL)
LEAST_BRACKETED, BRACKETED_SHARE = 3, 0.3  # texts that begin so; one may be a thing: 【Mira】 has joined
NAMED = re.compile(r"<(?P<name>[^<>]{1,30})>")
QUOTES = {"「": "」", "『": "』", "“": "”"}
CJK = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
# The faces that come with the program, each of several people.
DEFAULT_FACE = re.compile(
    r"(?:SF_)?(?:Actor|People|Evil|Monster|Nature|Spiritual|Vehicle|Package|Damage)\d*(?:_\d+)?", re.IGNORECASE
)
FACE = re.compile(r"[!$]*(?P<name>.*?)(?:[ _-]?\d{1,3})?", re.DOTALL)
MISSING = "a value of the game's"
BY_FACE = "texts of RPG Maker without a name, whose speaker is the one of the face beside them"


@dataclass(frozen=True, slots=True)
class Actor:
    """One of the game's actors: the name, and the face that is shown beside what is said."""

    name: str
    face: tuple[str, int]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Actor:
        """The actor of an entry of Actors.json."""
        name, face, index = (entry.get(key) for key in ("name", "faceName", "faceIndex"))
        is_shown = isinstance(face, str) and isinstance(index, int)
        return cls(name.strip() if isinstance(name, str) else "", (str(face), int(index)) if is_shown else ("", 0))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Box:
    """A box of text: its number among the commands of the page, the face beside it, its name, and its lines."""

    number: int
    face: str
    index: int
    name: str
    lines: tuple[str, ...]


class Speakers:
    """Who speaks in the boxes of a file."""

    def __init__(self, actors: Mapping[int, Actor], boxes: Sequence[Box], options: ReadOptions) -> None:
        self._actors, self._options = actors, options
        names = [actor.name for actor in actors.values() if actor.name]
        self._names = {spelling(name) for name in (*names, *options.names)}
        first = [box.lines[0] for box in boxes if len(box.lines) > 1]
        coloured = Counter(found["name"] for line in first if (found := COLOURED.fullmatch(line.strip())))
        self._coloured = {name for name, count in coloured.items() if count > 1}
        below = (spoken_line(plain_text(line, actors)[0]) for box in boxes for line in box.lines[1:])
        self._below = {found["speaker"] for found in below if found and found["text"].startswith((*QUOTES,))}
        unnamed = [box.lines[0] for box in boxes if box.lines and not box.name]
        bracketed = sum(BRACKETED.fullmatch(plain_text(line, actors)[0]) is not None for line in unnamed)
        self._is_bracketed = bracketed >= max(LEAST_BRACKETED, BRACKETED_SHARE * len(unnamed))

    def turn(self, source: str, box: Box) -> RawTurn:
        """What the box lets somebody say; the reason where nobody can be told, or not what is said."""
        named, lines = self._named(box)
        text, reason = plain_text(_joined(lines), self._actors)
        name, unknown = plain_text(named, self._actors)
        name = name.strip(" :：【】")
        if not name and not reason and lines:
            name, text = self._by_text(text, plain_text(lines[0], self._actors)[0], box)
        if not name and (name := self._by_face(box)):
            self._options.remarks[BY_FACE] += 1
        if not text:
            return RawTurn(source, name or UNNAMED, text, "a text without words")
        return RawTurn(source, name or UNNAMED, unquote(text), reason or unknown or ("" if name else NO_SPEAKER))

    def names_in(self, turns: Iterable[RawTurn]) -> set[str]:
        """Who speaks in the turns, and who is quoted below others' lines in a box."""
        return self._below | {turn.speaker for turn in turns if not turn.unusable}

    def _named(self, box: Box) -> tuple[str, Sequence[str]]:
        """The name that the box has, and its lines without it."""
        lines = box.lines
        first = lines[0] if lines else ""
        if found := NAME_BOX.search(first):
            return found["name"], (first[: found.start()] + first[found.end() :], *lines[1:])
        coloured = COLOURED.fullmatch(first.strip())
        is_below = len(lines) > 1 and not lines[1].strip()[:1].islower()  # Mira / joined the party!
        if not box.name and coloured and coloured["name"] in self._coloured and is_below:
            return coloured["name"].strip(" :："), lines[1:]
        plain, below = (plain_text(text, self._actors)[0] for text in (first, _joined(lines[1:])))
        bracketed = BRACKETED.fullmatch(plain)
        if not box.name and not bracketed and _is_above_quotation(plain, below):
            return first, lines[1:]
        is_alone = bracketed is not None and not bracketed["text"] and len(lines) > 1
        is_said = bracketed is not None and (self._is_bracketed or bracketed["text"].startswith((*QUOTES,)))
        if not box.name and bracketed and (is_alone or (is_said and bracketed["text"])):
            return bracketed["name"], (bracketed["text"], *lines[1:])
        return box.name, lines

    def _by_text(self, text: str, first: str, box: Box) -> tuple[str, str]:
        """The name before a colon in the first line, and what is said; beside a face it has to be one that is known."""
        spoken = spoken_line(text)
        if spoken is None or spoken.end("speaker") > len(first):
            return "", text
        name = found["name"] if (found := NAMED.fullmatch(spoken["speaker"])) else spoken["speaker"]
        if box.face and spelling(name) not in self._names:
            return "", text
        return name, spoken["text"]

    def _by_face(self, box: Box) -> str:
        """The actor with the face beside the box, or whom the face is called after."""
        if not box.face:
            return ""
        names = {actor.name for actor in self._actors.values() if actor.face == (box.face, box.index)} - {""}
        if names:
            return names.pop() if len(names) == 1 else ""
        found = FACE.fullmatch(box.face)
        return "" if found is None or DEFAULT_FACE.fullmatch(box.face) else found["name"].strip()


def plain_text(text: str, actors: Mapping[int, Actor]) -> tuple[str, str]:
    """The text without its codes, and the reason why nobody knows all of it, where a code shows something else."""
    missing = False

    def shown(code: re.Match[str]) -> str:
        nonlocal missing
        letters = (code["letters"] or "").lower()
        if not letters:
            return "\\" if code["mark"] == "\\" else ""
        if letters[:2] in FONTS and letters not in SILENT:  # with the text right behind it
            return code[0][3:]
        if letters == "n" and (code["number"] or "").isdecimal():
            name = actors[int(code["number"])].name if int(code["number"]) in actors else ""
            missing |= not name
            return name or code[0]
        missing |= letters not in SILENT
        return "" if letters in SILENT else code[0]

    plain = TAG.sub("", CODE.sub(shown, text)).strip()
    return plain, MISSING if missing else ""


def _is_above_quotation(name: str, below: str) -> bool:
    """Whether a short line stands above one that is quoted as a whole."""
    end = QUOTES.get(below[:1])
    return (
        end is not None and below.endswith(end) and 0 < len(name) <= 20 and not re.search(r"[.。!！?？,，…」』”]", name)
    )


def _joined(lines: Sequence[str]) -> str:
    """The lines of a box as a text: they were wrapped to fit it."""
    parts: list[str] = []
    for line in filter(None, map(str.strip, lines)):
        is_spaced = parts and not CJK.match(parts[-1][-1]) and not CJK.match(line)
        parts.append(f" {line}" if is_spaced else line)
    return "".join(parts)
