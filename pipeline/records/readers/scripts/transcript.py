"""Scripts: "Name: line" or 名：「话」, scenes separated by blank lines or by titles."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from pipeline.records.asides import without_asides
from pipeline.records.clean import has_cjk
from pipeline.records.names import MANNER, spelling
from pipeline.records.raw import RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.scripts import attribution_en, attribution_zh
from pipeline.records.readers.scripts.cast_lists import describes, listed
from pipeline.records.readers.scripts.quotations import NOT_SAID, SOMEBODY, UNSAID
from pipeline.records.readers.scripts.script_lines import (
    LABEL,
    NAME_LETTER,
    SCENE_TITLE,
    STAGE_DIRECTION,
    form_of,
    is_discarded,
    line_of,
    spoken_line,
    unquote,
)
from pipeline.records.readers.scripts.script_turns import block_turns, turns_of, unglued
from pipeline.records.role_play import Play, play_of

__all__ = ["LABEL", "NAME_LETTER", "NO_SCRIPTS", "read", "recognises", "spoken_line", "turns_of", "unquote"]

WIKI_MARKS = re.compile(r"'{2,3}|</?(?:b|i|em|strong)>|^\s*:+(?=')")  # of wikis and web pages around a name or a word
NAMES_ALONE = tuple(
    re.compile(one) for one in (r"【([^【】:：]{1,20})】", r"#([^\s#:：]{1,20})", r"\[([^\[\]=:：\s]{1,20})\]")
)
LEAST_ALONE, TIMES_ALONE = 4, 1.5  # of such names in a script, and how often each stands in it: a title stands once
NO_SCRIPTS = (
    ".yaml", ".yml", ".toml", ".ini", ".cfg", ".json", ".py", ".sh", ".css", ".js", ".ts", ".html", ".htm", ".xml",
    ".sql", ".java", ".c", ".h", ".cpp", ".rs", ".go", ".tex",
)  # fmt: skip
SAMPLED_LINES = 200  # lines, to recognise a transcript
SPOKEN_SHARE = 0.5  # of them
KAG_SUFFIX, KAG_SHARE = ".ks", 0.3  # of a game engine's scripts, in which much is told
SAYS = "说說道喊叫"  # with which no name ends
MOST_ONCE = 4  # lines that may have as many speakers: in more, they are labels such as "Note:"
PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
NUMBERED = re.compile(r"(?P<number>\d{1,4})[\t \u3000]+(?=\D)")  # 001 洛栖：, as scripts for a recording have it
NUMBERED_SHARE, LEAST_NUMBERED = 0.5, 3  # of the lines that somebody speaks
LEVELS = 7  # the depth of a heading in brackets: below any of Markdown's
INDENTED = re.compile(r"\s+[「『“]")
# The same speakers where a line of theirs has no colon: 洛栖（OS）话, 洛栖VO 话, 洛栖　　话.
VOICED = (
    r"(?P<speaker>{names})(?:\s?(?:[(（](?:OS|VO|O\.S\.|V\.O\.|画外音|心声|内心|独白)[)）]|"
    r"(?:OS|VO|O\.S\.|V\.O\.)(?![A-Za-z])|(?:画外音|心声|内心|独白)(?=[\s“「『]))\s?|[ \u3000]{{2,8}})(?P<text>\S.*)"
)


@dataclass(frozen=True, slots=True)
class ScriptForm:
    """How a script has its lines: forms without a colon, the names that speak, and lines that are a name alone.

    `told` is who speaks by what stands before a colon where that is no name alone: 沈阿棠小声道, Mira said. `play` is
    how people play, if they play their characters.
    """

    forms: tuple[re.Pattern[str], ...]
    names: frozenset[str]
    heads: frozenset[str]
    told: Mapping[str, str]
    play: Play | None


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether at least half of its first lines begin with a speaker, and some with the same.

    `key: value` in a settings file, or in a web page, is not.
    """
    if not file.encoding or _is_code(file) or looks_like_json(file):
        return False
    if file.head.startswith(b"{\\rtf") or PAGE.match(file.beginning):
        return False
    numbered = _lines(file, SAMPLED_LINES)[0]
    if options.character and describes(listed(numbered, file.path, options)):
        return True
    lines = _sample(numbered)
    spoken, told = _speakers(filter(None, lines), _form(lines, lines, (), options).forms)
    names = {spelling(MANNER.sub("", name)) for name in spoken}
    labels = sum(LABEL.fullmatch(name) is not None for name in spoken)
    is_labelled = len(names) == len(spoken) and (len(spoken) > MOST_ONCE or labels > 1)
    is_labelled = is_labelled or 2 * labels > len(spoken)
    least = KAG_SHARE if file.path.suffix.lower() == KAG_SUFFIX else SPOKEN_SHARE
    return bool(spoken) and len(spoken) >= least * (len(spoken) + told) and not is_labelled


def _speakers(lines: Iterable[str], forms: Sequence[re.Pattern[str]]) -> tuple[list[str], int]:
    """Who speaks in the lines, and how many others there are but directions, and what stands below a name."""
    spoken, told, below = [], 0, False
    for line in lines:
        if STAGE_DIRECTION.fullmatch(line):
            continue
        if found := line_of(line, forms):
            spoken.append(found["speaker"])
            below = not found["text"]
        else:
            told, below = told + (not below), False
    return spoken, told


def _is_code(file: RawFile) -> bool:
    suffix = file.path.suffix.lower()
    return file.held is None and (suffix in NO_SCRIPTS or file.path.name == "Makefile")


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Turns with the turns of their scene before them."""
    lines, heads = _lines(file)
    sample = _sample(lines[:SAMPLED_LINES])
    spaced, form = _is_double_spaced(sample), _form(sample, [line for _, line in lines], heads, options)
    title, scene, entries = "", list[tuple[str, str]](), listed(lines, file.path, options)
    draft = 0  # how deep the heading of a draft is, above the scene
    for number, line in itertools.chain(lines, [(0, "")]):
        heading = SCENE_TITLE.fullmatch(line)
        is_listed = number in entries
        if heading or is_listed or not number or (not line and not spaced):
            yield from _scene(scene, title, options.window, form, "a draft" * bool(draft))
            scene = []
        if heading:
            draft = _draft_below(line, draft)
        if heading or is_listed:
            title = next((group for group in heading.groups() if group), "").strip() if heading else ""
        elif line:
            scene.append((f"{file.path}:{number}", line))
        if entry := entries.get(number):
            yield entry


def _form(sample: Sequence[str], lines: Sequence[str], heads: Collection[str], options: ReadOptions) -> ScriptForm:
    """The script's form by its first lines, and who speaks in all of it."""
    found = form_of(sample)
    forms = (found,) if found else ()
    spoken = [one for line in lines if (one := line_of(line, forms))]
    counts = Counter(MANNER.sub("", one["speaker"]) for one in spoken)
    turns = [RawTurn("", one["speaker"], one[0] if without_asides(one[0])[1] else one["text"]) for one in spoken]
    own = {*options.names}
    names = {name for name in (*counts, *own) if len(name) > 1}
    if again := [name for name, count in counts.items() if count > 1 and name in names]:
        longest_first = "|".join(map(re.escape, sorted(again, key=len, reverse=True)))
        forms = (*forms, re.compile(VOICED.format(names=longest_first)))
    told = {words: who for words in counts if words not in own and (who := _who_is_told(words, names, counts))}
    return ScriptForm(forms, frozenset(names - {*told}), frozenset(heads), told, play_of(turns, in_quotes=False))


def _who_is_told(words: str, names: Set[str], counts: Mapping[str, int]) -> str:
    """Of whom the words before a colon tell that he or she speaks; nothing if they are a name, as it seems.

    With one character more than a name, such as 慕容问, they are one where both speak, and no other name has it, too.
    """
    others = {name for name in names if name in words and name != words}
    short, verb = words[:-1], words[-1:]
    is_name = short in others and verb not in SAYS and counts[words] > 1 and short in counts
    if not others or (is_name and not any(f"{name}{verb}" in counts for name in names - {short})):
        return ""
    who = attribution_zh.speaks(words, others) if has_cjk(words) else attribution_en.before(f"{words}:", others)
    return "" if who == SOMEBODY else who


def _lines(file: RawFile, most: int | None = None) -> tuple[list[tuple[int, str]], set[str]]:
    """The file's lines, stripped, the first `most` of them; a speaker's name alone on its line has a colon.

    Gives these names with their colons, too.
    """
    lines = [(number, WIKI_MARKS.sub("", line).rstrip()) for number, line in itertools.islice(file.lines(), most)]
    indented = sum(line[:1].isspace() for _, line in lines)
    keeps = 2 * indented < len(lines)  # where most are indented it means nothing
    lines = [(number, line if keeps and INDENTED.match(line) else line.strip()) for number, line in lines]
    names: set[str] = set()
    for form in NAMES_ALONE:
        alone = [line for _, line in lines if form.fullmatch(line)]
        names |= {*alone} if len(alone) >= max(LEAST_ALONE, TIMES_ALONE * len({*alone})) else set()
    heads = {name: f"{name.strip('#【】[]')}：" for name in names}
    return _unnumbered([(number, heads.get(line, line)) for number, line in lines]), {*heads.values()}


def _unnumbered(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines without the numbers of a recording, where most that are spoken have one, each higher than the last."""
    found = [(NUMBERED.match(line), line) for _, line in lines]
    numbers = [int(one["number"]) for one, line in found if one and spoken_line(line[one.end() :])]
    spoken = sum(spoken_line(line) is not None for _, line in lines)
    if len(numbers) < max(LEAST_NUMBERED, NUMBERED_SHARE * spoken) or numbers != sorted({*numbers}):
        return lines
    return [(number, NUMBERED.sub("", line, count=1) if NUMBERED.match(line) else line) for number, line in lines]


def _draft_below(heading: str, draft: int) -> int:
    """How deep the draft's heading is that the lines below this one stand under; 0 if they are in none."""
    mark = re.match("#+|=+", heading)
    depth = len(mark[0]) if mark else LEVELS
    if 0 < draft < depth or not any(char.isalnum() for char in heading):  # a rule
        return draft
    return depth if is_discarded(heading) else 0


def _scene(
    lines: list[tuple[str, str]], title: str, window: int, form: ScriptForm, unusable: str
) -> Iterator[RawRecord]:
    if lines:
        turns: Iterator[RawTurn] = block_turns(lines, form.heads, form.forms, form.play)
        told = (_with_who_is_told(turn, form.told) for turn in turns)
        for raw in scene_records(unglued(told, form.names), title=title, place=lines[0][0], window=window):
            yield replace(raw, unusable=raw.unusable or unusable)


def _with_who_is_told(turn: RawTurn, told: Mapping[str, str]) -> RawTurn:
    """The turn with whom the words before its colon tell of; a thought is none."""
    who = told.get(turn.speaker, "")
    if who == UNSAID and not turn.unusable:
        return replace(turn, unusable=NOT_SAID)
    return replace(turn, speaker=who) if who not in ("", UNSAID) else turn


def _sample(lines: Iterable[tuple[int, str]]) -> list[str]:
    """The lines, blank ones too, without the titles of scenes."""
    return [line for _, line in lines if not SCENE_TITLE.fullmatch(line)]


def _is_double_spaced(lines: Sequence[str]) -> bool:
    """Whether blank lines surround nearly every line, so that blank lines separate nothing."""
    pairs = [(line, after) for line, after in itertools.pairwise(lines) if line]
    return len(pairs) >= 4 and sum(not after for _, after in pairs) >= 0.8 * len(pairs)
