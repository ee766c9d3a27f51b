"""A wiki's page of lines: templates that say who speaks, {{剧情对话|洛栖|谁？}}, or voice entries of 角色 and 内容."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from pipeline.records.raw import RawRecord, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.pages import wiki
from pipeline.records.readers.scripts.transcript import NO_SCRIPTS, WIKI_MARKS, spoken_line, turns_of

SAMPLED_LINES = 400
LEAST = 2  # such lines


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether half of its lines or more are spoken, as its templates show them, and most only so."""
    is_code = file.held is None and file.path.suffix.lower() in NO_SCRIPTS
    if not file.encoding or is_code or looks_like_json(file):
        return False
    lines = [line for _, line in itertools.islice(file.lines(), SAMPLED_LINES)]
    if not wiki.is_source("\n".join(lines)):
        return False
    shown = [line for line in _plain(lines) if line.strip()]
    spoken = sum(map(_turn, shown))
    by_template = sum(_turn(after) and not _turn(line) for line, after in zip(lines, _plain(lines), strict=True))
    return by_template >= LEAST and 2 * spoken >= len(shown) and 2 * by_template >= spoken


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Turns with those before them, up to a blank line or a heading; a voice entry stands alone."""
    numbered = [*file.lines()]
    title, scene = "", list[tuple[str, str]]()
    for (number, _), line in zip(numbered, _plain([line for _, line in numbered]), strict=True):
        heading = wiki.HEADING.fullmatch(line.strip())
        place = f"{file.path}:{number}"
        if heading or not line.strip() or line.startswith(wiki.ENTRY):
            yield from _scene(scene, title, options.window)
            scene = []
        title = heading[1] if heading else title
        if line.startswith(wiki.ENTRY):
            yield from _scene([(place, line[1:])], title, options.window)
        elif line.strip() and not heading:
            scene.append((place, line))
    yield from _scene(scene, title, options.window)


def _scene(lines: Sequence[tuple[str, str]], title: str, window: int) -> Iterator[RawRecord]:
    if lines:
        yield from scene_records(turns_of(lines), title=title, place=lines[0][0], window=window)


def _plain(lines: Sequence[str]) -> list[str]:
    return [WIKI_MARKS.sub("", line) for line in wiki.plain_lines(lines, lambda _: False, labels=False)]


def _turn(line: str) -> bool:
    bare = WIKI_MARKS.sub("", line.lstrip(wiki.ENTRY)).strip()
    return spoken_line(bare) is not None
