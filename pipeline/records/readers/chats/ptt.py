"""Posts of PTT, Taiwan's board: what their author wrote is a text like others; what readers wrote below it is theirs.

The head says 作者, 標題, 時間; the post ends at `--` and ※ 發信站; below stand 推, 噓 and → with a name and a time.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.scripts.transcript import NO_SCRIPTS
from pipeline.records.readers.set_aside import read_rest

STATION = re.compile(r"※\s?(?:發信站|文章網址|編輯|轉錄者)\s?[:：].*")
COMMENT = re.compile(r"(?:推|噓|→)\s+\w{2,14}\s*[:：].*\d{1,2}/\d{1,2}(?:\s+\d{1,2}:\d{2})?\s*")
HEADED = re.compile(r"(?:作者|看板|標題|時間|发信人|發信人)[\s:：]+\S.*")
RULE = re.compile(r"[─—\-]{8,}")
END = "--"
LEAST_COMMENTS = 2
HEAD_LINES = 4  # in which a post says who wrote it, and when
BELOW, ABOVE = "a reader's comment below a post", "the head of a post"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it has the line of its station below it, or comments."""
    if not file.encoding or file.path.suffix.lower() in NO_SCRIPTS or looks_like_json(file):
        return False
    try:
        lines = [line.strip() for _, line in file.lines()]
    except UnderstudyError:
        return False  # whoever reads it says where it is broken
    is_sent = any(line.startswith("※") and STATION.fullmatch(line) for line in lines)
    return is_sent or sum(COMMENT.fullmatch(line) is not None for line in lines) >= LEAST_COMMENTS


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What the post is, read as such; its head and what others wrote below it is set aside.

    Raises:
        UnknownFormError: it is neither a script, questions and answers, nor a page about the character.
    """
    lines = list(file.lines())
    reasons = [ABOVE if number <= HEAD_LINES and _is_head(line) else "" for number, line in lines]
    ends = [place for place, (_, line) in enumerate(lines) if _ends(place, lines)]
    body = ends[0] if ends else len(lines)
    for place, (_, line) in enumerate(lines):
        if place >= body or COMMENT.fullmatch(line.strip()) or STATION.fullmatch(line.strip()):
            reasons[place] = BELOW
    yield from read_rest(file, lines, reasons, options, what="a post of PTT")


def _is_head(line: str) -> bool:
    return HEADED.fullmatch(line.strip()) is not None or RULE.fullmatch(line.strip()) is not None


def _ends(place: int, lines: list[tuple[int, str]]) -> bool:
    """Whether a post ends with this line: a rule, and below it, but for a signature, its station or comments."""
    below = itertools.islice((line.strip() for _, line in lines[place + 1 :]), 12)
    return lines[place][1].strip() == END and any(STATION.fullmatch(line) or COMMENT.fullmatch(line) for line in below)
