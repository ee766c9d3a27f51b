"""Lists of people and outlines in scripts: under 人物介绍 or Characters, `Mira: owner of the ferry` is no line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.records.names import MANNER, spelling
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions
from pipeline.records.readers.scripts.script_lines import HEADLINE, SCENE_TITLE, STAGE_DIRECTION, spoken_line

# Under these people are described, each by an entry; under the next it may be who plays them; the last tell a story.
DESCRIBED = re.compile(
    r"(?:主要|登[场場]|出[场場])?(?:人物|角色|腳色)(?:介[绍紹]|[简簡]介|小[传傳]|[设設]定|[档檔]案|[资資]料|[说說]明|列?表)?|"
    r"人[设設]|(?:main |list of )?characters?(?: list| descriptions?| profiles?| bios?)?|"
    r"(?:the )?cast of characters|dramatis personae",
    re.IGNORECASE,
)
PLAYED = re.compile(
    r"(?:the )?cast(?: list)?|casting|voice (?:cast|actors)|"
    r"(?:本[期集章回话場场幕])?(?:出[场場]|登[场場])(?:人物|角色)?|"
    r"演[员員]表?|配音(?:演[员員])?表?|[声聲][优優]表?|cv表?",
    re.IGNORECASE,
)
OUTLINED = re.compile(
    r"(?:故事|[剧劇]情|章[节節]|分集|情[节節]|小[说說])?(?:大[纲綱]|梗概|[细細][纲綱]|章[纲綱])|"
    r"(?:plot |story )?(?:outline|synopsis|beat sheet|beats)|plot(?: summary)?",
    re.IGNORECASE,
)
BODY = re.compile(r"正文(?:开始|開始|如下)?")  # ends what stands before the script
CAST_LIST, OUTLINE = "a cast list", "an outline"
ACTOR = re.compile(r"\bCV\b|CV[:：]|配音|[饰飾]|[声聲][优優]|演[员員]|(?:played|voiced) by|\bactor\b", re.IGNORECASE)
# What a description says of somebody, and what only somebody who speaks says.
DESCRIBES = re.compile(
    r"[\d一二三四五六七八九十][岁歲]|性格|身份|[职職][业業]|[擅善][长長]|喜[欢歡]|[讨討][厌厭]|之[子女妻]|主角|男主|女主|反派|"
    r"^(?:an?|the) (?![^.;]*\b(?:is|are|was|were|has|have|had|will)\b)|\baged? \d|years? old|"
    r"的(?:父|母|兄|弟|姐|妹|儿|女|朋友|同事)|配音|\bCV\b|"
    r"\bwho (?:is|was|has|runs|lives)\b|(?:played|voiced) by",
    re.IGNORECASE,
)
SAYS = re.compile(r"[我俺咱你您妳“”「」?？!！]|\b(?:I|I'm|me|[Mm]y|[Yy]ou|[Yy]our|[Ww]e|us)\b|…$|\.\.\.$")
SAID_IN_A_LIST, SAID_IN_AN_OUTLINE = 1 / 2, 1 / 3  # of the entries, from which on all of them are what people say
SHORTEST = 6  # characters of an entry that is worth a passage
LEAST_ENTRIES, LEAST_UNTITLED = 2, 3  # two lines without a title may be all of a script


@dataclass(frozen=True, slots=True)
class _Section:
    """The lines below a heading, by their positions, and what it makes of them."""

    title: str
    first: int
    end: int
    reason: str
    is_described: bool


def listed(lines: Sequence[tuple[int, str]], path: Path, options: ReadOptions) -> Mapping[int, RawRecord | None]:
    """The lines of lists of people and of outlines, by their numbers, each as a passage or with why it is none.

    A character's own entry below a heading that says so is a passage; the entries of others are left out.
    """
    found: dict[int, RawRecord | None] = {}
    for section in _sections(lines, path):
        below = [(number, line) for number, line in lines[section.first : section.end] if line]
        found |= dict(_records(section, below, path, options))
    return found


def describes(lines: Mapping[int, RawRecord | None]) -> bool:
    """Whether the character's own entry is among them."""
    return any(record is not None and record.kind == "background" for record in lines.values())


def _sections(lines: Sequence[tuple[int, str]], path: Path) -> Sequence[_Section]:
    """The sections of the file that are lists or outlines: all of it by its name or by what it says, or some."""
    stem = path.stem.replace("_", " ").replace("-", " ").strip()
    if OUTLINED.fullmatch(stem) and not _is_said(lines, SAID_IN_AN_OUTLINE):
        return [_Section(stem, 0, len(lines), OUTLINE, False)]
    is_described = DESCRIBED.fullmatch(stem) is not None
    if (is_described or PLAYED.fullmatch(stem)) and _is_of_entries(lines, is_titled=True):
        return [_Section(stem, 0, len(lines), CAST_LIST, is_described)]
    if titled := list(_titled(lines)):
        return titled
    return [_Section("", 0, len(lines), CAST_LIST, False)] if _is_of_entries(lines, is_titled=False) else []


def _titled(lines: Sequence[tuple[int, str]]) -> Iterator[_Section]:
    """The sections below a heading that says what they are."""
    for position, (_, line) in enumerate(lines):
        title = _title(line)
        first = position if SCENE_TITLE.fullmatch(line) is None else position + 1
        if OUTLINED.fullmatch(title):
            end = _end_of_outline(lines, position + 1)
            if not _is_said(lines[position + 1 : end], SAID_IN_AN_OUTLINE):
                yield _Section(title, first, end, OUTLINE, False)
        elif DESCRIBED.fullmatch(title) or PLAYED.fullmatch(title):
            end = _end_of_list(lines, position + 1)
            if not _is_scene(lines, position + 1, end):
                yield _Section(title, first, end, CAST_LIST, DESCRIBED.fullmatch(title) is not None)


def _entries(lines: Sequence[tuple[int, str]]) -> list[tuple[str, str]]:
    """Who and what of the lines that have something behind a name and a colon."""
    found = [one for _, line in lines if (one := spoken_line(line)) and one["text"]]
    return [(MANNER.sub("", one["speaker"]), one["text"]) for one in found]


def _is_said(lines: Sequence[tuple[int, str]], share: float) -> bool:
    """Whether that share of the entries or more are what people say."""
    texts = [text for _, text in _entries(lines)]
    return bool(texts) and sum(SAYS.search(text) is not None for text in texts) >= share * len(texts)


def _is_described(lines: Sequence[tuple[int, str]]) -> bool:
    """Whether half of the entries or more describe somebody."""
    texts = [text for _, text in _entries(lines)]
    return 2 * sum(DESCRIBES.search(text) is not None for text in texts) >= len(texts)


def _is_scene(lines: Sequence[tuple[int, str]], start: int, end: int) -> bool:
    """Whether the heading is that of a scene: people speak below it, or go on to without a blank line."""
    section = lines[start:end]
    names = {name for name, _ in _entries(section)}
    goes_on = end < len(lines) and bool(section) and bool(section[-1][1]) and bool(_entries(lines[end : end + 1]))
    is_again = goes_on and _entries(lines[end : end + 1])[0][0] in names
    return _is_said(section, SAID_IN_A_LIST) or (is_again and not _is_described(section))


def _title(line: str) -> str:
    """What the line says as a heading, marked as one or alone on it; empty if it is none."""
    heading = SCENE_TITLE.fullmatch(line)
    text = next((group for group in heading.groups() if group), "") if heading else line
    return text.strip(" *:：\u3000")


def _next_title(lines: Sequence[tuple[int, str]], start: int) -> int:
    later = ((at, lines[at][1]) for at in range(start, len(lines)))
    return next((at for at, line in later if SCENE_TITLE.fullmatch(line) or BODY.fullmatch(_title(line))), len(lines))


def _end_of_outline(lines: Sequence[tuple[int, str]], start: int) -> int:
    """Where an outline ends: at a heading, or below what it tells before a paragraph that is all of entries."""
    end = _next_title(lines, start)
    paragraphs = list(_paragraphs(lines, start, end))
    of_entries = [len(_entries(lines[first:stop])) == stop - first for first, stop in paragraphs]
    pairs = zip(paragraphs, itertools.pairwise(of_entries), strict=False)
    return next((stop for (_, stop), (told, said) in pairs if said and not told), end)


def _paragraphs(lines: Sequence[tuple[int, str]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each paragraph there begins and stops."""
    for is_there, some in itertools.groupby(range(start, end), key=lambda at: bool(lines[at][1])):
        if is_there:
            positions = list(some)
            yield positions[0], positions[-1] + 1


def _end_of_list(lines: Sequence[tuple[int, str]], start: int) -> int:
    """Where a list of people ends: at a heading, or before somebody has a second entry, who speaks by then.

    One that has its people in another form, such as 沈阿棠、裴照, ends with its paragraph.
    """
    end = _next_title(lines, start)
    end = next((at for at in range(start, end) if _is_headline(lines, at)), end)
    first, stop = next(_paragraphs(lines, start, end), (start, start))
    if first < stop and not _entries(lines[first:stop]) and _is_all(lines, first, stop, end):
        return stop
    seen: dict[str, int] = {}
    for at in range(start, end):
        name = next((name for name, _ in _entries(lines[at : at + 1])), "")
        if name in seen:  # the paragraph that it stands in is the script's already
            return next((back for back in range(at, min(seen.values()), -1) if not lines[back][1]), at)
        seen |= {name: at} if name else {}
    return end


def _is_all(lines: Sequence[tuple[int, str]], first: int, stop: int, end: int) -> bool:
    """Whether the paragraph is all of a list: it names somebody who speaks below, or the next describes nobody."""
    people = " ".join(line for _, line in lines[first:stop]).casefold()
    begins, stops = next(_paragraphs(lines, stop, end), (end, end))
    is_named = any(name.casefold() in people for name, _ in _entries(lines[begins:end]))
    return is_named or not _is_described(lines[begins:stops])


def _is_headline(lines: Sequence[tuple[int, str]], at: int) -> bool:
    """Whether something else begins there: a scene, or below a blank line a few words in capitals."""
    line = lines[at][1]
    return HEADLINE.match(line) is not None or (line.isupper() and not lines[at - 1][1])


def _is_of_entries(lines: Sequence[tuple[int, str]], *, is_titled: bool) -> bool:
    """Whether it has one entry for each name and nothing else, which say what nobody says of oneself.

    Under a title for them it suffices that each name comes once.
    """
    said = [line for _, line in lines if line and not SCENE_TITLE.fullmatch(line)]
    found = [spoken_line(line) for line in said if not STAGE_DIRECTION.fullmatch(line)]
    entries = [(one["speaker"], one["text"]) for one in found if one]
    names = {MANNER.sub("", name) for name, _ in entries}
    if len(entries) < (LEAST_ENTRIES if is_titled else LEAST_UNTITLED) or len(names) < len(entries):
        return False
    if is_titled:
        return True
    describing = sum(DESCRIBES.search(text) is not None for _, text in entries)
    is_said = len(entries) < len(found) or any(SAYS.search(text) for _, text in entries)
    return not is_said and 2 * describing >= len(entries)


def _records(
    section: _Section, below: Sequence[tuple[int, str]], path: Path, options: ReadOptions
) -> Iterator[tuple[int, RawRecord | None]]:
    """Each line of the section, that of an entry with those below it, which are nothing by themselves."""
    names = {spelling(name) for name in options.names}
    entry: tuple[int, RawRecord] | None = None
    for number, line in below:
        found = spoken_line(line)
        if SCENE_TITLE.fullmatch(line):
            continue
        if found and found["text"]:
            if entry:
                yield entry[0], _passage(entry[1], section, names)
            entry = number, RawRecord(f"{path}:{number}", found["speaker"], found["text"], unusable=section.reason)
        elif entry:
            entry = entry[0], replace(entry[1], text=f"{entry[1].text}\n{line}")
            yield number, None
        else:
            yield number, RawRecord(f"{path}:{number}", UNNAMED, line, unusable=section.reason)
    if entry:
        yield entry[0], _passage(entry[1], section, names)


def _passage(record: RawRecord, section: _Section, names: Collection[str]) -> RawRecord:
    """The record as a passage, where it describes the character and not who plays it."""
    name = spelling(MANNER.sub("", record.speaker))
    is_own = section.is_described and (not names or name in names)
    if (
        not is_own
        or SAYS.search(record.text)
        or ACTOR.search(f"{record.speaker} {record.text}")
        or len(record.text) < SHORTEST
    ):
        return record
    why = "an entry in a list of characters"
    return replace(record, asked=section.title, kind="background", why=why, unusable="")
