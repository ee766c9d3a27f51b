"""Ren'Py scripts (`.rpy`): say statements, speakers by their `define`; a label begins a scene.

See https://www.renpy.org/doc/html/dialogue.html. Narration and the choices of a menu have no speaker. Python, screens,
styles and transforms are left out whole. Characters are those that any script of the game defines; where two define one
variable, the script nearest to the file does. A game's translations are passed over unless their folder was named.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, UnknownFormError, scene_records
from pipeline.records.raw_file import RawFile, open_raw
from pipeline.records.readers.scripts.script_turns import CHOICE

SUFFIXES = (".rpy", ".rpym")
STRING = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
ASSIGNED = r"^[^\S\n]*(?:define|default|\$)\s+(?P<variable>[\w.]+)\s*=\s*"
CHARACTER = re.compile(
    rf"{ASSIGNED}(?P<maker>\w*)Character\((?P<arguments>(?:[^()\"']|{STRING}|\((?:[^()\"']|{STRING})*\))*)\)",
    re.MULTILINE,
)
VARIABLE = re.compile(rf"{ASSIGNED}_?\(?\s*(?P<value>{STRING})\s*\)?\s*$", re.MULTILINE)
FIRST_NAME = re.compile(rf"\s*+_?\(?\s*(?P<value>{STRING}|[\w.]+)\s*\)?\s*(?:,|$)")
NAMED_NAME = re.compile(rf"(?:^|[,\s])name\s*=\s*_?\(?\s*(?P<value>{STRING}|[\w.]+)")
DYNAMIC = re.compile(r"\bdynamic\s*=\s*True")  # its name is an expression, given as a string
KIND = re.compile(r"(?:^|[,\s])kind\s*=\s*(?P<value>[\w.]+)")
INTERPOLATED = re.compile(r"\[(?P<variable>[\w.]+)(?:!\w+)?\]")
LABEL = re.compile(r"label\s+(?P<title>[\w.]+)\s*(?:\(.*\))?\s*(?:hide\s*)?:")
TRANSLATED = re.compile(r"translate\s+\w+\s+(?P<title>\w+?)(?:_[0-9a-f]{8}(?:_\d+)?)?\s*:")
TRANSLATIONS = "tl"  # the folder of a game that has them
GAME = "game"  # the folder that has a game's scripts
BLOCK = re.compile(
    r"(?:init\b.*\bpython|python|screen|style|transform|image|layeredimage|testcase)\b[^\"']*:\s*(?:#.*)?$"
)
SAY = re.compile(
    rf"(?:(?P<variable>[A-Za-z_][\w.]*)(?:\s+[@\w-]+)*?\s+|(?P<name>{STRING})\s+)?(?P<text>{STRING})\s*(?P<rest>.*)",
    re.DOTALL,
)
TRIPLE = re.compile(r"(?:(?P<variable>[A-Za-z_][\w.]*)(?:\s+[@\w-]+)*?\s+)?(?P<quote>\"\"\"|''')")
# What begins with a word and may hold a string, and is not said by anybody.
STATEMENTS = frozenset({
    "add", "at", "auto", "call", "camera", "default", "define", "elif", "else", "expression", "for", "from", "hide",
    "hotspot", "idle", "if", "image", "imagebutton", "import", "init", "jump", "label", "menu", "new", "nvl", "old",
    "on", "pass", "pause", "play", "python", "queue", "return", "scene", "screen", "set", "show", "stop", "style",
    "text", "textbutton", "tooltip", "transform", "translate", "use", "voice", "while", "window", "with",
})  # fmt: skip
TAG = re.compile(r"\{(?P<name>/?[\w#]*)[^{}]*\}")
ESCAPES = {r"\"": '"', r"\'": "'", r"\ ": " ", r"\n": "\n", r"\%": "%", r"\\": "\\", "%%": "%", "{{": "{", "[[": "["}
ESCAPE = re.compile("|".join(map(re.escape, ESCAPES)))
PLAYER = re.compile(r"\[(?!\[)[\w.]*(?:player|user|pov|mc|protagonist)[\w.]*(?:![\w]+)?\]", re.IGNORECASE)
OPEN_STRING = re.compile(rf"^(?:[^\"'#]|{STRING})*(?:\"(?:[^\"\\]|\\.)*|'(?:[^'\\]|\\.)*)$", re.DOTALL)
LONGEST_CHAIN = 8  # of characters that are kinds of one another
MOST_LINES = 40  # of one string: a quotation mark left open must not swallow the rest of the file


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether its name says so, or it defines characters and has labels."""
    if not file.encoding:
        return False
    if file.path.suffix.lower() in SUFFIXES:
        return True
    head = file.beginning
    return bool(CHARACTER.search(head)) and any(LABEL.fullmatch(line.strip()) for line in head.splitlines())


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Lines with the turns of their label before them.

    Raises:
        UnknownFormError: it is a translation, found beside the script.
    """
    _check_is_no_translation(file)
    defined = _definitions(file)
    scene: list[RawTurn] = []
    title = ""
    for number, line in _statements(file):
        if label := LABEL.match(line) or TRANSLATED.match(line):
            if (label["title"], label.re) == (title, TRANSLATED):
                continue  # of a translation every line has a label of its own
            yield from _scene(scene, title, options)
            scene, title = [], label["title"]
        elif turns := list(_turns(f"{file.path}:{number}", line, defined)):
            scene += turns
        elif (more := SAY.fullmatch(line)) and more["variable"] == "extend" and scene:
            scene[-1] = replace(scene[-1], text=f"{scene[-1].text}{_plain(more['text'], keep_edges=True)}".strip())
    yield from _scene(scene, title, options)


def _scene(turns: list[RawTurn], title: str, options: ReadOptions) -> Iterator[RawRecord]:
    if turns:
        yield from scene_records(turns, title=title, place=turns[0].source, window=options.window, each_line=True)


def _turns(source: str, statement: str, defined: _Definitions) -> Iterator[RawTurn]:
    """What the statement lets somebody say; nothing if it is no say statement."""
    triple = TRIPLE.match(statement)
    if triple and triple["variable"] not in STATEMENTS:
        said = statement[triple.end() :].split(triple["quote"])[0]
        for paragraph in re.split(r"\n\s*\n", said):
            if paragraph.strip():
                yield _turn(source, triple["variable"], _plain(paragraph, quoted=False), defined)
        return
    say = SAY.fullmatch(statement)
    if say is None or say["variable"] in STATEMENTS or say["variable"] == "extend":
        return
    text = _plain(say["text"])
    if say["rest"].split("#")[0].rstrip().endswith(":"):
        yield RawTurn(source, UNNAMED, text, CHOICE)
    elif say["name"]:
        yield RawTurn(source, _plain(say["name"]), text)
    else:
        yield _turn(source, say["variable"], text, defined)


def _turn(source: str, variable: str | None, text: str, defined: _Definitions) -> RawTurn:
    if variable is None or variable in ("narrator", "centered", "vcentered"):
        return RawTurn(source, UNNAMED, text, "no speaker")
    return RawTurn(source, defined.name_of(variable) or variable, text)


def _statements(file: RawFile) -> Iterator[tuple[int, str]]:
    """The statements outside of Python and screens, each with its first line's number; a string may take several."""
    lines = iter(file.lines())
    skipped: int | None = None  # the indentation of a block that is left out
    for number, raw in lines:
        line = raw.strip()
        indent = len(raw) - len(raw.lstrip())
        if not line or line.startswith("#") or (skipped is not None and indent > skipped):
            continue
        skipped = indent if BLOCK.match(line) else None
        if skipped is None:
            yield number, _whole(line, lines)


def _whole(line: str, lines: Iterator[tuple[int, str]]) -> str:
    """The statement that begins with this line, with the lines that its string goes on over."""
    triple = TRIPLE.match(line)
    for _ in range(MOST_LINES):
        is_open = line.count(triple["quote"]) < 2 if triple else OPEN_STRING.match(line) is not None
        if not is_open or (following := next(lines, None)) is None:
            break
        line += f"\n{following[1].strip()}"
    return line


def _check_is_no_translation(file: RawFile) -> None:
    """The file is no translation of a script, unless its folder was named, so that the language is meant.

    Raises:
        UnknownFormError: it is one.
    """
    if file.root and TRANSLATIONS in file.path.relative_to(file.root).parts[:-1]:
        what = "is a translation of the game, whose own script is read"
        raise UnknownFormError(file.path, what, fix="name its folder in `raw` to have that language instead")


def _definitions(file: RawFile) -> _Definitions:
    """What all scripts of the game define, for games keep it apart from what is said; the nearest script last."""
    characters: dict[str, str] = {}
    strings: dict[str, str] = {}
    for path in sorted(_scripts(file), key=lambda path: _folders_shared(path, file.path)):
        stat = path.stat()
        found = _definitions_in(path, stat.st_mtime_ns, stat.st_size)
        characters |= found.characters
        strings |= found.strings
    own = _defined(file.text())
    return _Definitions(characters | own.characters, strings | own.strings)


def _scripts(file: RawFile) -> list[Path]:
    """The other scripts of the game: in its own folder, else in the one that was named, else beside the file."""
    game = next((folder for folder in file.path.parents if folder.name == GAME), None)
    folder = game or file.root or file.path.parent
    changed = (folder.stat().st_mtime_ns, file.path.parent.stat().st_mtime_ns)
    return [path for path in _scripts_below(folder, changed) if path != file.path]


@functools.lru_cache(maxsize=64)
def _scripts_below(folder: Path, _changed: tuple[int, int]) -> tuple[Path, ...]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return tuple(path for path in paths if TRANSLATIONS not in path.relative_to(folder).parts)


def _folders_shared(one: Path, other: Path) -> int:
    """How many folders, from the top, both paths lie in."""
    pairs = zip(one.parts, other.parts, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


@functools.lru_cache(maxsize=4096)
def _definitions_in(path: Path, _changed: int, _size: int) -> _Definitions:
    """What another script defines: each of a game asks for it. A broken one, for which its reading says so, nothing.

    The time of its last change and its size are part of the key: a script that was mended is read anew.
    """
    try:
        return _defined(open_raw(path).text())
    except UnderstudyError:
        return _Definitions()


def _defined(text: str) -> _Definitions:
    characters = {
        found["variable"]: found["arguments"] + (", dynamic=True" if found["maker"] == "Dynamic" else "")
        for found in CHARACTER.finditer(text)
    }
    return _Definitions(
        characters,
        {found["variable"]: _plain(found["value"]) for found in VARIABLE.finditer(text)},
    )


@dataclass(frozen=True, slots=True)
class _Definitions:
    """The arguments of characters, and strings, by the variables that scripts assign them to."""

    characters: dict[str, str] = field(default_factory=dict)
    strings: dict[str, str] = field(default_factory=dict)

    def name_of(self, variable: str, depth: int = 0) -> str | None:
        """The name of a character: its own, that which a variable holds, or that of the character it is a kind of."""
        arguments = self.characters.get(variable)
        if arguments is None or depth > LONGEST_CHAIN:
            return None
        if found := NAMED_NAME.search(arguments) or FIRST_NAME.match(arguments):
            value = found["value"]
            name = self.strings.get(value, "") if value[0] not in "\"'" else _plain(value)
            name = self.strings.get(name, name) if DYNAMIC.search(arguments) else name
            return INTERPOLATED.sub(lambda part: self.strings.get(part["variable"], part[0]), name) or None
        kind = KIND.search(arguments)
        return self.name_of(kind["value"], depth + 1) if kind else None


def _plain(literal: str, *, quoted: bool = True, keep_edges: bool = False) -> str:
    """The text of a string as the player reads it: without text tags, white space as Ren'Py collapses it."""
    text = literal[1:-1] if quoted else literal
    text = re.sub(r"[ \t]*\n[ \t]*", " ", text)
    text = PLAYER.sub("{{user}}", ESCAPE.sub(lambda found: ESCAPES[found[0]], _without_tags(text)))
    return text if keep_edges else text.strip()


def _without_tags(text: str) -> str:
    """The text without `{i}` and the like; `{p}` and `{n}` break it, and `{{` stays for the escape that it is."""
    parts = text.split("{{")
    broken = (TAG.sub(lambda tag: "\n" if tag["name"] in ("p", "n") else "", part) for part in parts)
    return "{{".join(broken)
