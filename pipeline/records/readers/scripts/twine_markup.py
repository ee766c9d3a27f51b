"""A Twine passage's lines as they are shown: without comments, code and marks of style, and links as what they say.

Macros of Harlowe, `(if: $late)[...]`, SugarCube, `<<if $late>>`, Chapbook, `[if late]` and `{late}`, and Snowman,
`<% if (late) { %>`, leave a mark where they stand: `BRANCH` of those after which other lines follow, `CODE` of others.
"""

from __future__ import annotations

import re

CODE, BRANCH = "\1", "\2"
# What is none of the text from its beginning to its end, and the mark that it leaves.
SPANS = (
    ("<!--", "-->", ""), ("/*", "*/", ""), ("/%", "%/", ""), ("<script", "</script>", ""), ("<style", "</style>", ""),
    ("<<script>>", "<</script>>", CODE), ("<<silently>>", "<</silently>>", CODE), ("<%", "%>", BRANCH),
)  # fmt: skip
SUGARCUBE = re.compile(r"<</?(?P<name>[A-Za-z_=-][\w-]*)(?:[^<>]|<(?!<)|>(?!>)){0,600}>>")
BRANCHES = re.compile(
    r"if|else-?if|else|unless|switch|case|default|for|loop|once|link(?:append|replace|prepend)?|button|click|cond|"
    r"link-(?:reveal|repeat|goto|rerun|show|undo|storylet)|event|live|more|after|append|replace|prepend|timed|next",
    re.IGNORECASE,
)
HARLOWE = re.compile(r"\((?P<name>[$_]?[A-Za-z][\w-]{0,40})\s*:")
STYLES = re.compile(
    r"text-?(?:style|colou?r|size|rotate(?:-[xyz])?|indent)|colou?r|bg|background|font|align|css|opacity|box|border|"
    r"corner-radius|transition(?:-\w+)*|t8n(?:-\w+)*|char-style|line-style|link-style|hover-style|hook",
    re.IGNORECASE,
)
# Chapbook's, alone on its line: what follows is shown under a condition, or is none of the text up to the next one.
MODIFIER = re.compile(r"\[(?P<name>[A-Za-z][\w.'’]*)(?:\s[^\[\]]{0,200})?\]")
HIDDEN = re.compile(r"javascript|css|note|n\.b|nb|todo|fixme", re.IGNORECASE)
CHAPBOOK = re.compile(
    r"if|ifalways|ifnever|unless|else|continue|cont|cont'd|after|align|append|javascript|css|note|n\.b|nb|todo|fixme",
    re.IGNORECASE,
)
INSERT = re.compile(r"\{[A-Za-z_][^{}\n]{0,200}\}")
VARIABLES = re.compile(r"\s*[\w.]{1,60}(?:\s*\([^()\n]{0,200}\))?\s*:\s*\S[^\n]*")
LINK = re.compile(r"\[\[(?P<inside>[^\[\]]{1,300})\](?:\[[^\[\]]{0,300}\])?\]")
TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
MARKS = re.compile(r"''|\*\*|__|~~|\^\^|==|@@(?:[.#]?[\w-]+(?:[.#:][^;@\n]{0,60})?;)?|(?<![:/])//(?!/)")
STYLED = re.compile(r"\[(?!\[)(?P<text>[^\[\]\n()]{0,600})\]")
BULLETS, CLOSING = "-–—>*•·0123456789.) \t", "\"'”’」』*_"
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", ":", "：")
HOOK = re.compile(r"\|[\w-]{1,40}[>)](?=\[)|(?<=\])[<(][\w-]{1,40}\|")


def shown_lines(text: str, story_format: str) -> list[tuple[str, bool]]:
    """As many lines as the passage has: each as it is shown, and whether it is one of its variables or notes."""
    text = text.replace("\r\n", "\n")
    for begins, ends, mark in SPANS:
        text = _without(text, begins, ends, mark)
    text = SUGARCUBE.sub(lambda found: (BRANCH if BRANCHES.fullmatch(found["name"]) else CODE) + _breaks(found), text)
    text = HOOK.sub("", without_macros(text))
    is_chapbook = story_format in ("", "chapbook")
    lines = text.split("\n")
    head = _variables(lines, is_sure=bool(story_format)) if is_chapbook else 0
    shown, hidden = list[tuple[str, bool]](), False
    for number, line in enumerate(lines):
        modifier = MODIFIER.fullmatch(line.strip()) if is_chapbook else None
        if modifier and CHAPBOOK.fullmatch(modifier["name"]):
            hidden = HIDDEN.fullmatch(modifier["name"]) is not None
            shown.append((BRANCH, False))
            continue
        line = INSERT.sub(CODE, line) if is_chapbook else line
        shown.append((_plain(line), number < head or hidden))
    return shown


def links_in(line: str) -> tuple[str, bool]:
    """The line with its links as what they say, and whether there is nothing else in it.

    A link behind the end of a sentence is what the player may choose: it goes. One that ends a line otherwise may be
    either, and leaves the mark of code.
    """
    if "[[" not in line:
        return line, False
    said, at, so_far = list[str](), 0, ""  # so_far: what was said last before a link
    links = [*LINK.finditer(line)]
    ending = _ending(line, links)
    for number, found in enumerate(links):
        before = line[at : found.start()]
        so_far = before.rstrip(f" {CLOSING}") or so_far
        is_choice = not so_far.strip(BULLETS) or so_far.endswith(SENTENCE_ENDS)
        label = "" if is_choice else label_of(found["inside"])
        said += [before, CODE if number >= ending and not is_choice else "", label]
        so_far, at = label or so_far, found.end()
    rest = "".join([*said, line[at:]]).strip()
    return rest, not any(char.isalnum() for char in rest.replace(CODE, ""))


def _ending(line: str, links: list[re.Match[str]]) -> int:
    """The number of the first of the links behind which nothing but links stands."""
    first, end = len(links), len(line)
    while first and not line[links[first - 1].end() : end].strip():
        first -= 1
        end = links[first].start()
    return first


def label_of(inside: str) -> str:
    """What a link says: text|passage, text->passage, passage<-text, or the passage."""
    if "->" in inside:
        return inside.rpartition("->")[0].strip()
    if "<-" in inside:
        return inside.partition("<-")[2].strip()
    return inside.partition("|")[0].strip()


def without_macros(text: str) -> str:
    """The text with Harlowe's macros as marks, those of style without one, and without the brackets of their hooks."""
    pieces, at, ends = list[str](), 0, _macro_ends(text)
    while found := HARLOWE.search(text, at):
        end = ends.get(found.start())
        if end is None:
            pieces.append(text[at : found.end()])
            at = found.end()
            continue
        is_style = STYLES.fullmatch(found["name"]) is not None
        mark = "" if is_style else BRANCH if BRANCHES.fullmatch(found["name"]) else CODE
        pieces += [text[at : found.start()], mark, "\n" * text.count("\n", found.start(), end)]
        at = end
        if is_style and (hook := STYLED.match(text, at)):
            pieces.append(hook["text"])
            at = hook.end()
    return "".join([*pieces, text[at:]])


def _macro_ends(text: str) -> dict[int, int]:
    """The place behind the bracket that closes a macro, by that of its first; those that none closes are not there."""
    starts = {found.start() for found in HARLOWE.finditer(text)}
    ends, opened, quote = dict[int, int](), list[int](), ""
    for at, char in enumerate(text if starts else ""):
        if quote:
            quote = "" if char == quote or text.startswith("\n\n", at) else quote
        elif opened and char in "\"'" and not (char == "'" and text[at - 1].isalpha()):
            quote = char
        elif char == "(" and (opened or at in starts):
            opened.append(at)
        elif char == ")" and opened:
            ends[opened.pop()] = at + 1
    return ends


def _variables(lines: list[str], *, is_sure: bool) -> int:
    """How many lines there are of Chapbook's variables, up to a line of two hyphens."""
    end = next((at for at, line in enumerate(lines) if line.strip() == "--"), 0)
    are_variables = is_sure or all(VARIABLES.fullmatch(line) for line in lines[:end] if line.strip())
    return end + 1 if end and are_variables else 0


def _without(text: str, begins: str, ends: str, mark: str) -> str:
    """The text with as many line ends, without what stands between the two; what has no end stays."""
    pieces, at = list[str](), 0
    while (start := text.find(begins, at)) >= 0 and (end := text.find(ends, start + len(begins))) >= 0:
        pieces += [text[at:start], mark, "\n" * text.count("\n", start, end)]
        at = end + len(ends)
    return "".join([*pieces, text[at:]])


def _breaks(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _plain(line: str) -> str:
    """The line without tags and marks of style."""
    return MARKS.sub("", TAG.sub(lambda found: " " if found[0].lower().startswith("<br") else "", line)).strip(" \t\\")


def is_code_alone(line: str) -> bool:
    """Whether there is nothing in the line but marks of code and the brackets of hooks."""
    return bool(line) and not line.strip(f"{CODE}{BRANCH}[]{{}}<>=|\\ \t")
