"""Ren'Py scripts (`.rpy`): say statements, speakers by their `define`; a label begins a scene.

See https://www.renpy.org/doc/html/dialogue.html. Narration and the choices of a menu have no speaker. Python, screens,
styles and transforms are left out whole.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile, open_raw

SUFFIXES = (".rpy", ".rpym")
STRING = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
CHARACTER = re.compile(
    rf"^\s*(?:define|default|\$)\s+(?P<variable>[\w.]+)\s*=\s*(?:\w*Character)\(\s*(?:name\s*=\s*)?_?\(?\s*(?P<name>{STRING})",
    re.MULTILINE,
)
LABEL = re.compile(r"label\s+(?P<title>[\w.]+)\s*(?:\(.*\))?\s*(?:hide\s*)?:")
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
MOST_LINES = 40  # of one string: a quotation mark left open must not swallow the rest of the file


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether its name says so, or it defines characters and has labels."""
    if not file.encoding:
        return False
    if file.path.suffix.lower() in SUFFIXES:
        return True
    head = file.head.decode(file.encoding, errors="ignore")
    return bool(CHARACTER.search(head)) and any(LABEL.fullmatch(line.strip()) for line in head.splitlines())


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Lines with the turns of their label before them."""
    names = _names(file)
    scene: list[RawTurn] = []
    title = ""
    for number, line in _statements(file):
        if label := LABEL.match(line):
            yield from _scene(scene, title, options)
            scene, title = [], label["title"]
        elif turns := list(_turns(f"{file.path}:{number}", line, names)):
            scene += turns
        elif (more := SAY.fullmatch(line)) and more["variable"] == "extend" and scene:
            scene[-1] = replace(scene[-1], text=f"{scene[-1].text}{_plain(more['text'], keep_edges=True)}".strip())
    yield from _scene(scene, title, options)


def _scene(turns: list[RawTurn], title: str, options: ReadOptions) -> Iterator[RawRecord]:
    if turns:
        yield from scene_records(turns, title=title, place=turns[0].source, window=options.window, each_line=True)


def _turns(source: str, statement: str, names: dict[str, str]) -> Iterator[RawTurn]:
    """What the statement lets somebody say; nothing if it is no say statement."""
    triple = TRIPLE.match(statement)
    if triple and triple["variable"] not in STATEMENTS:
        said = statement[triple.end() :].split(triple["quote"])[0]
        for paragraph in re.split(r"\n\s*\n", said):
            if paragraph.strip():
                yield _turn(source, triple["variable"], _plain(paragraph, quoted=False), names)
        return
    say = SAY.fullmatch(statement)
    if say is None or say["variable"] in STATEMENTS or say["variable"] == "extend":
        return
    text = _plain(say["text"])
    if say["rest"].split("#")[0].rstrip().endswith(":"):
        yield RawTurn(source, UNNAMED, text, "a menu's choice")
    elif say["name"]:
        yield RawTurn(source, _plain(say["name"]), text)
    else:
        yield _turn(source, say["variable"], text, names)


def _turn(source: str, variable: str | None, text: str, names: dict[str, str]) -> RawTurn:
    if variable is None or variable in ("narrator", "centered", "vcentered"):
        return RawTurn(source, UNNAMED, text, "no speaker")
    return RawTurn(source, names.get(variable, variable), text)


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


def _names(file: RawFile) -> dict[str, str]:
    """The names of the characters that the file defines, or the scripts beside it: games keep them apart."""
    names: dict[str, str] = {}
    beside = sorted(path for path in file.path.parent.iterdir() if path.suffix.lower() in SUFFIXES)
    for path in (one for one in beside if one != file.path):
        stat = path.stat()
        names |= _names_beside(path, stat.st_mtime_ns, stat.st_size)
    return names | _defined(file.text())


@functools.lru_cache(maxsize=4096)
def _names_beside(path: Path, _changed: int, _size: int) -> dict[str, str]:
    """What a script beside others defines: each of them asks for it. A broken one, for which its reading says so, none.

    The time of its last change and its size are part of the key: a script that was mended is read anew.
    """
    try:
        return _defined(open_raw(path).text())
    except UnderstudyError:
        return {}


def _defined(text: str) -> dict[str, str]:
    """The names of the characters that a script defines, by their variables."""
    return {found["variable"]: _plain(found["name"]) for found in CHARACTER.finditer(text)}


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
