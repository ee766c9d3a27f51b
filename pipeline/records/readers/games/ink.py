"""Ink's source (`.ink`): lines of `Name: line`, or with the speaker in a tag, in their knots and stitches.

=== cellar ===
Bram: Where were you?
Below. # speaker: Mira
* [Leave] -> tower

A tag belongs to its own line, or to the line below it. Many games keep the speaker for the lines that follow: these are
the speaker's only where the script shows it, and nothing parts them from the tagged line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

from pipeline.records.asides import without_asides
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, UnknownFormError, scene_records
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.games.ink_statements import ESCAPED, GLUE, Statement, statements
from pipeline.records.readers.scripts.script_lines import STAGE_DIRECTION, spoken_line, unquote
from pipeline.records.readers.scripts.script_turns import (
    A_LOGIC,
    CHOICE,
    DIRECTION,
    NARRATION,
    NO_SPEAKER,
    QUOTE,
    TELLS,
    unglued,
)

SUFFIXES = (".ink",)
KNOT = re.compile(r"^[ \t]*+={2,}+[ \t]*+(?P<name>\w++)[ \t]*+(?:\([^()\n]*+\))?[ \t]*+=*+[ \t\r]*+$", re.MULTILINE)
TARGET = re.compile(r"->[ \t]*+(\w++)[ \t\r]*+$", re.MULTILINE)
COMPILED = re.compile(r'\ufeff?\s*+\{\s*+"inkVersion"\s*+:')
TAG = re.compile(r"(?P<key>[^\s:：=]+(?: [^\s:：=]+)?)\s*[:：=]\s*(?P<value>.*)")
# The keys of a tag that names the speaker, the surest first: beside a name, `speaker` is often a portrait.
KEYS = (
    "name", "display_name", "displayname", "speaker_name", "speakername", "speaker name", "角色名", "姓名", "名字",
    "speaker", "character", "char", "who", "说话人", "說話人", "角色",
)  # fmt: skip
RESETS = frozenset({"_", "-", "none", "null", "nobody", "narrator", "narration", "旁白", "无", "無"})
NOBODY = RESETS - {"narrator", "narration", "旁白"} | {""}
LEAST_CHANGES = 3  # of the speaker, within scenes, in a script that has a tag only where the speaker changes
VALUE = re.compile(r"\{\s*(?P<name>[\w.]+)\s*\}")
PLAYER = re.compile(r"(?:player|user|hero|protagonist)_?(?:name|nickname)|player|玩家(?:名字?)?", re.IGNORECASE)
ENGINE = re.compile(r">>>|@\w|/\w|\$\w")  # what a line begins with that is a command to the game
ALTERNATIVES, GLUED = "alternatives, of which one is said", "a line that goes on elsewhere"
QUOTES = ('"', "“", "「", "『")
NO_TAG, SEVERAL = "no speaker's tag of its own", "a line with the names of several speakers"
CARRIED = "lines of Ink without a tag, below one with its speaker's, taken for the same speaker's"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether its name says so, or it goes to knots that it has, or it is what such a script is compiled to."""
    if not file.encoding:
        return False
    return file.path.suffix.lower() in SUFFIXES or _is_compiled(file) or _has_knots(file)


def _has_knots(file: RawFile) -> bool:
    head = file.beginning
    if "->" not in head or "==" not in head or "```" in head:  # a page that tells of Ink has examples
        return False
    return not {found["name"] for found in KNOT.finditer(head)}.isdisjoint(TARGET.findall(head))


def _is_compiled(file: RawFile) -> bool:
    return COMPILED.match(file.beginning) is not None


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Lines with those of their knot or stitch, and of their branch of it, before them.

    Raises:
        UnknownFormError: it is compiled.
    """
    if _is_compiled(file):
        raise UnknownFormError(file.path, "is compiled Ink", fix="give the .ink that it was made of")
    found = list(statements(file.lines()))
    scene = _Scene(str(file.path), _carries_on(found), _names_in(found), options)
    for statement in found:
        if statement.kind == "content":
            yield from scene.add(statement)
        else:
            yield from scene.end(statement)
    yield from scene.records()


@dataclass(slots=True)
class _Scene:
    """The lines since the last statement that parts them, and who speaks where a line does not say it."""

    path: str
    carries: bool
    names: Set[str]
    options: ReadOptions
    turns: list[RawTurn] = field(default_factory=list)
    knot: str = ""
    stitch: str = ""
    is_function: bool = False
    tags: tuple[str, ...] = ()  # those that stand above their line
    speaker: str = ""  # whom the last tag names
    is_quoted: bool = False  # what the last tagged line says
    glued: RawTurn | None = None

    def end(self, statement: Statement) -> Iterator[RawRecord]:
        """The records of the scene, once a statement has parted it from what follows."""
        yield from self.records()
        if statement.kind in ("knot", "function"):
            self.knot, self.stitch, self.is_function = statement.text, "", statement.kind == "function"
        elif statement.kind == "stitch":
            self.stitch = statement.text
        elif statement.kind == "choice" and any(char.isalnum() for char in statement.text):
            self.turns.append(RawTurn(f"{self.path}:{statement.number}", UNNAMED, statement.text, CHOICE))
        if statement.kind != "gather":
            self.tags = ()
        self.speaker = ""

    def records(self) -> Iterator[RawRecord]:
        """The records of the turns so far, which are none of the next scene's."""
        if self.glued:
            self.turns.append(replace(self.glued, unusable=GLUED))
            self.glued = None
        if self.turns:
            title = ".".join(part for part in (self.knot, self.stitch) if part)
            turns, place = unglued(self.turns, self.names), self.turns[0].source
            yield from scene_records(turns, title=title, place=place, window=self.options.window)
        self.turns = []

    def add(self, statement: Statement) -> Iterator[RawRecord]:
        """A line of content; the records of the scene, where what is said in it is not certain."""
        self.tags += statement.tags
        if not statement.text:
            return
        turn = self._turn(statement, _speakers_of(self.tags))
        self.tags = ()
        if statement.text.startswith(GLUE) and self.turns and not self.turns[-1].unusable:
            self.glued = self.turns.pop()
        if self.glued and (whole := _joined(self.glued, turn)):
            turn, self.glued = whole, None
        elif self.glued:
            self.turns.append(replace(self.glued, unusable=GLUED))
            self.glued = None
        if statement.is_glued and not turn.unusable:
            self.glued = turn
            return
        self.turns.append(turn)
        if turn.unusable in (ALTERNATIVES, A_LOGIC, GLUED, SEVERAL):
            yield from self.records()

    def _turn(self, statement: Statement, named: Sequence[str]) -> RawTurn:
        source, text = f"{self.path}:{statement.number}", _with_player(statement.text)
        plain = ESCAPED.sub(r"\1", text)
        self.speaker = "" if named else self.speaker
        if self.is_function or not statement.is_certain or any(map(_braces, (text, *named))):
            self.speaker, reason = "", ALTERNATIVES if "|" in text and not self.is_function else A_LOGIC
            return RawTurn(source, UNNAMED, plain, reason)
        if ENGINE.match(plain) or STAGE_DIRECTION.fullmatch(plain):
            return RawTurn(source, UNNAMED, plain, DIRECTION)
        if reason := without_asides(plain)[1]:
            return RawTurn(source, UNNAMED, plain, reason)
        if len(named) > 1:
            return RawTurn(source, UNNAMED, plain, SEVERAL)
        return self._said(source, plain, named[0] if named else None)

    def _said(self, source: str, text: str, tag: str | None) -> RawTurn:
        """The turn of a line of which all is said."""
        spoken = None if text.startswith(QUOTES) else spoken_line(text)
        if tag is None and spoken is None:
            return self._carried(source, text)
        if tag is None or (spoken and _is_same(spoken["speaker"], tag)):
            text, reason = without_asides(spoken["text"] if spoken else text)
            self.speaker = ""
            return _quoted(RawTurn(source, spoken["speaker"] if spoken else UNNAMED, unquote(text), reason))
        if spoken and _letters(spoken["speaker"]) in {*map(_letters, self.names)} - {_letters(tag)}:
            return RawTurn(source, UNNAMED, text, SEVERAL)
        self.speaker = "" if tag.lower() in NOBODY else tag
        self.is_quoted = text.startswith(QUOTES)
        if not self.speaker:
            return RawTurn(source, UNNAMED, text, NO_SPEAKER)
        return _quoted(RawTurn(source, self.speaker, text))

    def _carried(self, source: str, text: str) -> RawTurn:
        """A line that names nobody: the speaker's of the tag above, where the script keeps it and nothing is told."""
        if not self.speaker:
            return RawTurn(source, UNNAMED, text, NO_SPEAKER)
        if not self.carries:
            return RawTurn(source, UNNAMED, text, NO_TAG)
        if TELLS.match(text) or text.startswith(QUOTES) != self.is_quoted:
            self.speaker = ""
            return RawTurn(source, UNNAMED, text, NARRATION)
        self.options.remarks[CARRIED] += 1
        return _quoted(RawTurn(source, self.speaker, text))


def _carries_on(found: Sequence[Statement]) -> bool:
    """Whether a script has a speaker's tag only where the speaker changes, or takes it back where nobody speaks."""
    last, changes, repeated, reset = "", 0, False, False
    for statement in found:
        if statement.kind != "content":
            last = ""
        elif named := _speakers_of(statement.tags):
            tag = named[-1]
            reset |= tag.lower() in RESETS
            repeated |= tag == last
            changes += bool(last) and tag != last
            last = tag
    return reset or (not repeated and changes >= LEAST_CHANGES)


def _names_in(found: Sequence[Statement]) -> set[str]:
    """All names that the script has in tags, or before the lines that have none."""
    names = set[str]()
    for statement in found:
        if statement.kind == "content":
            named = _speakers_of(statement.tags)
            spoken = None if named else spoken_line(ESCAPED.sub(r"\1", statement.text))
            names |= {*named, *([spoken["speaker"]] if spoken else [])}
    return names


def _speakers_of(tags: Sequence[str]) -> list[str]:
    """Whom the tags name, each once; several may be on the stage, of whom nobody can say who speaks."""
    found = [(one["key"].lower(), one["value"].strip()) for tag in tags if (one := TAG.fullmatch(tag))]
    key = next((key for key in KEYS if any(key == other for other, _ in found)), None)
    return list(dict.fromkeys(value for other, value in found if other == key))


def _with_player(text: str) -> str:
    """The text in which the value that holds the player's name is the placeholder for it."""
    return VALUE.sub(lambda found: "\\{\\{user\\}\\}" if PLAYER.fullmatch(found["name"]) else found[0], text)


def _braces(text: str) -> bool:
    """Whether something of the text depends on the game."""
    return any(mark in ESCAPED.sub("", text) for mark in "{}")


def _is_same(name: str, tag: str) -> bool:
    """Whether a tag is the name, or an id or a portrait that begins with it: LauraHill, mira_happy."""
    return bool(_letters(name)) and _letters(tag).startswith(_letters(name))


def _letters(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


def _quoted(turn: RawTurn) -> RawTurn:
    """The turn without the quotation marks around it; one that quotes and tells is not all said."""
    if not turn.text.startswith(QUOTES):
        is_told = TELLS.match(turn.text) is not None and QUOTE.search(turn.text) is not None
        return replace(turn, unusable=NARRATION) if is_told and not turn.unusable else turn
    inner = turn.text[1:]
    if not any(mark in inner for mark in '"“”「」『』'):  # the closing one forgotten
        return RawTurn(turn.source, turn.speaker, inner.strip())
    if any(char.isalnum() for char in QUOTE.sub("", turn.text)):
        return RawTurn(turn.source, turn.speaker, turn.text, NARRATION)
    parts = [found[0][1:-1].strip() for found in QUOTE.finditer(turn.text)]
    return RawTurn(turn.source, turn.speaker, (" " if turn.text.isascii() else "").join(parts))


def _joined(before: RawTurn, turn: RawTurn) -> RawTurn | None:
    """Both lines as one, where the second names nobody else and all of it is said."""
    if turn.unusable not in ("", NO_SPEAKER, NO_TAG, NARRATION) or turn.speaker not in (UNNAMED, before.speaker):
        return None
    space = " " if before.text[-1:].isascii() else ""
    return RawTurn(before.source, before.speaker, f"{before.text}{space}{turn.text.removeprefix(GLUE).strip()}")
