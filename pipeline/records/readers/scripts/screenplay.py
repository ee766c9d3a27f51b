"""Screenplays: a name alone above its lines, as Fountain, text out of a PDF, and Final Draft (.fdx) have them.

    INT. FERRY - NIGHT

    MIRA (CONT'D)
    (not looking up)
    Mind the ropes.

Names are in capitals, or anything that stands alone above lines again and again, then without blank lines, too. What is
told between is no speech.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from pipeline.errors import UnderstudyError
from pipeline.records.asides import without_asides
from pipeline.records.names import spelling
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.scripts.quotations import joined
from pipeline.records.readers.scripts.script_lines import LABEL, SCENE_TITLE, spoken_line
from pipeline.records.readers.scripts.script_turns import DIRECTION, NARRATION, TELLS

SUFFIXES = (".fountain", ".spmd")
FINAL_DRAFT, ITS_ROOT = ".fdx", b"<FinalDraft"
TEXTS = ("", ".txt", ".md", ".markdown", ".text", ".docx", *SUFFIXES)
SCENE = re.compile(r"(?:\*?\d{1,4}[A-Z]?[. ]{1,9})?(?:INT|EXT|EST|I/E|INT\./EXT)[. /].*|\.[^.\s].*", re.IGNORECASE)
TRANSITION = re.compile(r"[A-Z ]+ TO:|FADE (?:IN|OUT)[.:]?|>.*|(?:SMASH|MATCH) CUT.*")
PAGE = re.compile(r"\(?(?:MORE|CONTINUED)\)?:?|\d{1,3}\.?|={3,}|(?:\d{1,4}[A-Z]? {1,9})?CONTINUED:.{0,80}")
NUMBERS = re.compile(
    r"^\*?\d{1,4}[A-Z]?[. ]{1,9}|(?<! ) {1,90}\d{1,4}[A-Z]?\*?$"
)  # of a scene, on both sides of its heading
NOTED = re.compile(r"\[\[.*\]\]|/\*.*\*/|#+ .*|=(?!=) ?.*|!.*")  # Fountain's notes, sections, synopses, forced action
CAPITALS = re.compile(r"@\S[^.!?:;]*|[A-ZÀ-ÖØ-Þ](?:[A-ZÀ-ÖØ-Þ0-9 '’&/#-]|\.(?=\s?[A-ZÀ-ÖØ-Þ])){1,39}")
NO_NAME = re.compile(
    r"(?:THE|AN?|ACT|SCENE|CHAPTER|PART|END|STEP|WARNING|CAUTION|TIP|IMPORTANT|TODO|EXAMPLE|SUMMARY|USAGE|OPTIONS)\b.*",
    re.IGNORECASE,
)
PLAIN = re.compile(
    r"[^\W\d_][^\s.!?:;,，。！？：；、…“”\"「」()（）*#>|-]{0,15}(?: [^\W\d_][^\s.!?:;,“”\"()*#>|-]{0,15}){0,2}"
)
MOST_HAN = 6  # letters of a name in a script that writes no spaces between words
EXTENSION = re.compile(r"(?<!\s)(?:\s*[(（][^()（）]*[)）])+\s*\^?$|\s?\^$")  # (CONT'D), (V.O.), and of two at once
PARENTHETICAL = re.compile(r"\([^()]*\)|（[^（）]*）")
WEEKDAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:星期|礼拜|周|週)[一二三四五六日天]", re.IGNORECASE)
SPEAKS = re.compile(  # what notes about people hardly have: 沈阿棠, and below it 渡口的船工，话不多。
    r"[?？!！我你您咱俺吧吗嗎呢啊呀嘛…]|\b(?:I|me|my|you|your|we|us|our|let's|yes|no|oh|please)\b|['’](?:m|re|ll|ve|d|t)\b",
    re.IGNORECASE,
)
SPEAKING_SHARE = 1 / 8  # of the paragraphs below a name, in which somebody surely speaks
SAMPLED_LINES = 400
# Where no blank lines stand between: lines for each name, and the names with one line, where others have what is told.
MOST_BLOCK, SINGLE_SHARE, A_LINE = 4, 0.75, 2
LEAST_CUES, CUES_SHARE, PLAIN_SHARE = 3, 0.2, 0.7  # of the paragraphs, of those where names are in no capitals


@dataclass(frozen=True, slots=True)
class _Element:
    """A part of a screenplay, as Final Draft calls them: Scene Heading, Character, Dialogue, Action."""

    source: str
    kind: str
    text: str


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether names stand alone above lines, again and again, and hardly before a colon."""
    if file.path.suffix.lower() == FINAL_DRAFT:
        return bool(file.encoding) and ITS_ROOT in file.head
    if not file.encoding or looks_like_json(file) or not (file.held or file.path.suffix.lower() in TEXTS):
        return False
    paragraphs = _paragraphs(file, SAMPLED_LINES)
    plain = _plain_names(paragraphs, options)
    found = [(cue, paragraph) for paragraph in paragraphs if (cue := _cue(paragraph, plain))]
    if file.path.suffix.lower() in SUFFIXES:
        return bool(found)
    weekdays = {cue for cue, _ in found if WEEKDAY.fullmatch(cue)}  # one alone may be somebody's name
    cues = [cue for cue, _ in found if len(weekdays) < 2 or cue not in weekdays]
    if not any(SCENE.fullmatch(paragraph[0][1]) for paragraph in paragraphs) and not _speak(
        [paragraph for cue, paragraph in found if cue in cues]
    ):
        return False
    colons = sum(spoken_line(line) is not None for paragraph in paragraphs for _, line in paragraph)
    return colons < len(cues) and _are_usual(cues, len(paragraphs))


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What everybody says, with the turns of its scene before it.

    Raises:
        UnderstudyError: a Final Draft file is broken.
    """
    elements = _of_final_draft(file) if file.path.suffix.lower() == FINAL_DRAFT else _of_text(file, options)
    scene, title = list[_Element](), ""
    for element in itertools.chain(elements, [_Element("", "Scene Heading", "")]):
        if element.kind != "Scene Heading":
            scene.append(element)
            continue
        if scene:
            yield from scene_records(_turns(scene), title=title, place=scene[0].source, window=options.window)
        scene, title = [], NUMBERS.sub("", element.text).strip(" #=【】")


def _turns(scene: Sequence[_Element]) -> Iterator[RawTurn]:
    """The turns of a scene's elements: each line of dialogue is the last name's."""
    name, said, place = UNNAMED, "", ""
    for element in (*scene, _Element("", "Character", "")):
        if element.kind == "Dialogue":
            said, place = joined(said, element.text), place or element.source
            continue
        if element.kind in ("Parenthetical", "Page"):
            yield RawTurn(element.source, UNNAMED, element.text, DIRECTION)
            continue
        following = EXTENSION.sub("", element.text).lstrip("@").strip() if element.kind == "Character" else ""
        if said and following != name:  # below a page's end the same goes on: MIRA (CONT'D)
            text, reason = without_asides(said)
            yield RawTurn(place, name, text, reason)
            said, place = "", ""
        if following:
            name = following
        elif element.text:
            yield RawTurn(element.source, UNNAMED, element.text, NARRATION if element.kind == "Action" else DIRECTION)
            name = name if said else UNNAMED


def _of_text(file: RawFile, options: ReadOptions) -> Iterator[_Element]:
    """The elements of Fountain, or of a text like it."""
    paragraphs = _paragraphs(file)
    plain = _plain_names(paragraphs, options)
    for paragraph in paragraphs:
        cue = _cue(paragraph, plain)
        for position, (number, line) in enumerate(paragraph):
            source = f"{file.path}:{number}"
            if PAGE.fullmatch(line):
                yield _Element(source, "Page", line)
            elif cue and position > 0:
                yield _Element(
                    source, "Parenthetical" if PARENTHETICAL.fullmatch(line) else "Dialogue", line.lstrip("~")
                )
            else:
                yield _Element(source, "Character" if cue else _kind(line), line)


def _kind(line: str) -> str:
    if SCENE.fullmatch(line) or SCENE_TITLE.fullmatch(line):
        return "Scene Heading"
    return "Transition" if TRANSITION.fullmatch(line) or NOTED.fullmatch(line) else "Action"


def _paragraphs(file: RawFile, most: int | None = None) -> list[list[tuple[int, str]]]:
    """What blank lines separate, or names alone on their lines where these follow each other without, as pairs."""
    lines = ((number, line.strip()) for number, line in itertools.islice(file.lines(), most))
    made = [list(some) for is_there, some in itertools.groupby(lines, key=lambda one: bool(one[1])) if is_there]
    blocks = [list(_blocks(paragraph)) for paragraph in made]
    heads = Counter(block[0][1] for some in blocks for block in some if len(block) > 1)
    found = heads.total()
    inner = sum(len(some) - 1 for some in blocks)
    again = sum(count for count in heads.values() if count > 1)
    is_close = sum(map(len, made)) <= MOST_BLOCK * found and found < 2 * min(inner, again)
    if not is_close:
        return made
    flat, names = [block for some in blocks for block in some], tuple(name for name in heads if heads[name] > 1)
    singly = sum(len(block) == A_LINE for block in flat) > SINGLE_SHARE * found
    return [part for block in flat for part in _said_and_told(block, names, singly=singly)]


def _said_and_told(
    block: list[tuple[int, str]], names: tuple[str, ...], *, singly: bool
) -> Iterator[list[tuple[int, str]]]:
    """A name with what is said below it, and apart what may be told: with `singly` all from the second line on."""
    lines = enumerate(line for _, line in block)
    told = (at for at, line in lines if at > 1 and (singly or _is_told(line, names)))
    end = next(told, len(block))
    yield block[:end]
    if end < len(block):
        yield block[end:]


def _is_told(line: str, names: tuple[str, ...]) -> bool:
    """Whether it begins as what is told does, or with a name that is not called."""
    behind = next((line[len(name) :] for name in names if line.startswith(name)), "")
    return TELLS.match(line) is not None or behind.lstrip()[:1].isalnum()


def _blocks(paragraph: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """The paragraph's lines, apart where what may be a name stands; the line below a name is said."""
    block: list[tuple[int, str]] = []
    is_head = False
    for number, line in paragraph:
        is_head = not is_head and _is_plain(EXTENSION.sub("", line).strip())
        if is_head and block:
            yield block
            block = []
        block.append((number, line))
    yield block


def _is_plain(line: str) -> bool:
    """Whether it may be a name that is in no capitals."""
    return PLAIN.fullmatch(line) is not None and (line.isascii() or len(line) <= MOST_HAN)


def _cue(paragraph: Sequence[tuple[int, str]], plain: frozenset[str]) -> str:
    """The name that a paragraph of lines below it begins with, in capitals or one of `plain`."""
    line = EXTENSION.sub("", paragraph[0][1]).strip()
    below = [line for _, line in paragraph[1:] if not PAGE.fullmatch(line)]
    if (
        not below
        or SCENE.fullmatch(line)
        or TRANSITION.fullmatch(line)
        or below[0].startswith(("-", "•", "*", "#", "|"))
    ):
        return ""
    if NO_NAME.fullmatch(line) or LABEL.fullmatch(line):
        return ""
    return line if CAPITALS.fullmatch(line) or line in plain else ""


def _speak(paragraphs: Sequence[Sequence[tuple[int, str]]]) -> bool:
    """Whether what stands below the names is said: one has a parenthetical, or some say I, you, or ask."""
    below = [[line for _, line in paragraph[1:]] for paragraph in paragraphs]
    speaking = sum(any(SPEAKS.search(line) for line in lines) for lines in below)
    is_played = any(PARENTHETICAL.fullmatch(line) for lines in below for line in lines)
    return is_played or (speaking > 0 and speaking >= SPEAKING_SHARE * len(below))


def _are_usual(cues: Sequence[str], paragraphs: int) -> bool:
    """Whether there are many names, and most of them stand above lines again and again, as titles do not."""
    counts = Counter(cues)
    again = sum(count for count in counts.values() if count > 1)
    return len(cues) >= max(LEAST_CUES, CUES_SHARE * paragraphs) and 2 * again > len(cues)


def _plain_names(paragraphs: Sequence[Sequence[tuple[int, str]]], options: ReadOptions) -> frozenset[str]:
    """The names that stand above the lines of nearly every paragraph, where the character's is one of them."""
    heads = [paragraph[0][1] for paragraph in paragraphs if len(paragraph) > 1]
    counts = Counter(filter(_is_plain, heads))
    names = {name: count for name, count in counts.items() if count > 1 and not LABEL.fullmatch(name)}
    wanted = {spelling(name) for name in options.names}
    is_usual = sum(names.values()) >= max(LEAST_CUES, PLAIN_SHARE * len(paragraphs))
    return frozenset(counts) if is_usual and wanted & {spelling(name) for name in names} else frozenset()


def _of_final_draft(file: RawFile) -> Iterator[_Element]:
    """The elements of a Final Draft document.

    Raises:
        UnderstudyError: it is broken XML, or has entities of its own, which a few lines can make endless.
    """
    text = file.text()
    # The text is decoded already, so what its declaration says of the encoding is no longer true.
    body = text[text.index("?>") + 2 :] if text.lstrip().startswith("<?xml") and "?>" in text else text
    if "<!ENTITY" in body:
        raise UnderstudyError(file.path, "has entities of its own", fix="export the script again")
    try:
        root = ElementTree.fromstring(body.strip())  # noqa: S314 (it has no entities)
    except ElementTree.ParseError as error:
        raise UnderstudyError(file.path, f"is broken XML ({error})", fix="export the script again") from error
    for number, paragraph in enumerate(root.iterfind("./Content//Paragraph"), 1):
        said = "".join("".join(part.itertext()) for part in paragraph.iterfind("Text")).strip()
        if said:
            yield _Element(f"{file.path}#{number}", paragraph.get("Type", "Action"), said)
