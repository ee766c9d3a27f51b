"""Ink's source as statements: heads, choices, branches and lines of content, without comments, logic and diverts.

See https://github.com/inkle/ink/blob/master/Documentation/WritingWithInk.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["knot", "stitch", "function", "choice", "branch", "gather", "divert", "content"]
Block = Literal["conditional", "sequence", "alternatives"]

HEAD = re.compile(r"(?P<marks>=+)\s*+(?P<function>function\s+)?(?P<name>\w+)\s*+(?:\(.*\))?\s*+=*")
CODE = re.compile(r"(?:VAR|CONST|LIST|INCLUDE|EXTERNAL)\b|~|TODO\s*:")
DASHES = re.compile(r"(?:-(?!>)\s*)+")
LABEL = re.compile(r"\(\s*\w+\s*\)\s*")
CHOICE = re.compile(r"[*+]")
SEQUENCE = re.compile(r"\s*(?:shuffle|stopping|cycle|once)(?:\s+(?:once|stopping))?\s*")
FLOW = re.compile(r"\\.|[{}]|->|<-")
GLUE = "<>"
MARKS = re.compile(r"\\.|[{}]")
TAG_MARK = re.compile(r"\\.|#")
COMMENT = re.compile(r"\\.|//|/\*")
ESCAPED = re.compile(r"\\(.)")
DEEPEST = 100  # blocks in one another
MOST_PARTS = 50  # of a line that opens and closes blocks


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of a script at its line: a line of content with its tags, or what parts lines from one another.

    `is_certain` says that all of the text is said whenever the line is; `is_glued` that it goes on in the next.
    """

    number: int
    kind: Kind
    text: str = ""
    tags: tuple[str, ...] = ()
    is_certain: bool = True
    is_glued: bool = False


def statements(lines: Iterable[tuple[int, str]]) -> Iterator[Statement]:
    """The statements of a script's lines, with their numbers; code is left out."""
    blocks: list[Block] = []
    for number, line in _without_comments(lines):
        rest = line.strip()
        for _ in range(MOST_PARTS):
            if not rest or CODE.match(rest):
                break
            found, rest = _next(number, rest, blocks)
            yield from found
        else:
            yield from _unsure(number, rest)


def _without_comments(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines without what stands behind // and between /* and */."""
    is_open = False
    for number, raw in lines:
        kept, start = list[str](), 0
        while start <= len(raw):
            if is_open:
                end = raw.find("*/", start)
                if end < 0:
                    break
                start, is_open = end + 2, False
            found = next((one for one in COMMENT.finditer(raw, start) if one[0] in ("//", "/*")), None)
            kept.append(raw[start : found.start() if found else len(raw)])
            if found is None or found[0] == "//":
                break
            start, is_open = found.end(), True
        yield number, "".join(kept)


def _next(number: int, line: str, blocks: list[Block]) -> tuple[list[Statement], str]:
    """The first statements of a line, and what is left of it; `blocks` are those that it stands in."""
    if head := HEAD.match(line) if line.startswith("==") else HEAD.fullmatch(line):
        blocks.clear()
        kind: Kind = "function" if head["function"] else "knot" if len(head["marks"]) > 1 else "stitch"
        return [Statement(number, kind, head["name"])], ""
    if line.startswith("}"):
        del blocks[-1:]
        return [Statement(number, "branch")], line[1:].strip()
    if line.startswith("{") and _end_of_braces(line) is None:
        return _opened(number, line, blocks)
    if CHOICE.match(line):
        blocks += ["alternatives"] * _left_open(line)
        body = line.lstrip("*+ \t")
        text = _plain(_parts(body[: _divert(body)])[0])
        return [Statement(number, "choice", f"{text}]" if text.startswith("[") and "]" not in text else text)], ""
    if DASHES.match(line):
        return _parted(number, line, blocks)
    return _content(number, line, blocks)


def _opened(number: int, line: str, blocks: list[Block]) -> tuple[list[Statement], str]:
    """A block whose end stands in a line below: `{met:`, `{shuffle:`, or `{` above its conditions."""
    head, colon, rest = line[1:].partition(":")
    if "|" in head or "{" in head:
        blocks.append("alternatives")
        return [Statement(number, "branch"), *_unsure(number, line)], ""
    blocks.append("sequence" if SEQUENCE.fullmatch(head) else "conditional")
    left = rest if colon else head
    return [Statement(number, "gather")], left.strip()


def _parted(number: int, line: str, blocks: list[Block]) -> tuple[list[Statement], str]:
    """A gather, or a branch of the block: behind its condition, or one of what may be said by turns."""
    rest = line[DASHES.match(line).end() :]  # type: ignore[union-attr]
    if not blocks:
        return [Statement(number, "gather")], LABEL.sub("", rest, count=1) if LABEL.match(rest) else rest
    if blocks[-1] == "conditional":
        rest = (rest.partition(":")[2] if ":" in rest else rest).strip()
    return [Statement(number, "branch")], rest


def _content(number: int, line: str, blocks: list[Block]) -> tuple[list[Statement], str]:
    """A line of content up to a divert or the end of its block."""
    end, after = _end_of_block(line), ""
    if end is not None:
        line, after = line[:end].strip(), line[end:]
    left_open = _left_open(line)
    is_unsure = left_open > 0 or "alternatives" in blocks
    blocks += ["alternatives"] * left_open
    divert = _divert(line)
    text, *tags = _parts(line[:divert])
    glued, text = text.endswith(GLUE), text.removesuffix(GLUE).strip()
    said = Statement(number, "content", text, tuple(tags), is_glued=glued)
    found = [replace(said, is_certain=not is_unsure)] if text or tags else []
    parts = divert is not None or (text.startswith("{") and "->" in line)
    return [*found, *([Statement(number, "divert")] if parts else [])], after


def _divert(line: str) -> int | None:
    """Where the line goes elsewhere; a divert in braces is a part of what is not certain."""
    depth = 0
    for found in FLOW.finditer(line):
        if found[0] in ("->", "<-") and depth <= 0:
            return found.start()
        depth += (found[0] == "{") - (found[0] == "}")
    return None


def _unsure(number: int, line: str) -> list[Statement]:
    return [Statement(number, "content", line, is_certain=False)]


def _parts(line: str) -> list[str]:
    """The text of a line and its tags; a mark in braces or behind a backslash is none."""
    cuts = [one.start() for one in TAG_MARK.finditer(line) if one[0] == "#"]
    starts, ends = [0, *(cut + 1 for cut in cuts)], [*cuts, len(line)]
    return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def _left_open(line: str) -> int:
    """How many braces are open at the end of the line."""
    depth = 0
    for found in MARKS.finditer(line):
        depth = max(0, depth + (found[0] == "{") - (found[0] == "}"))
    return min(depth, DEEPEST)


def _end_of_block(line: str) -> int | None:
    """Where a brace closes that was opened in a line above."""
    depth = 0
    for found in MARKS.finditer(line):
        depth += (found[0] == "{") - (found[0] == "}")
        if depth < 0:
            return found.start()
    return None


def _end_of_braces(line: str) -> int | None:
    """Where the brace that begins the line closes; None where it does not."""
    depth = 0
    for found in MARKS.finditer(line):
        depth += (found[0] == "{") - (found[0] == "}")
        if depth == 0 and found[0] == "}":
            return found.end()
    return None


def _plain(text: str) -> str:
    return ESCAPED.sub(r"\1", text).strip()
