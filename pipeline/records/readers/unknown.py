"""What a file that no reader knows looks like, with the least that would have it read."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.records.raw_file import open_raw

ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".xz", ".bz2")
OFFICE = (".doc", ".odt", ".rtf", ".pdf", ".pages", ".wps", ".ods", ".numbers", ".ppt", ".pptx")
ADVICE = dict.fromkeys(OFFICE, "save its text as .txt, or its table as .csv") | dict.fromkeys(
    ARCHIVES, "unpack it, and name the folder"
)
BESIDE_A_PAGE = "is what a browser saved beside a page: its pictures and scripts"
EXAMPLE = "`Name: line` or 名：话, a line each"
WEB_PAGE = re.compile(r"<!doctype html|<html\b|<(?:body|head|div|table|details)\b[^<>]{0,200}>", re.IGNORECASE)
LABELS = (
    r"name|age|born|birthday|gender|sex|role|occupation|species|height|likes|dislikes|category|"
    r"姓名|年龄|年齡|性别|性別|生日|职业|職業|种族|種族|身高|喜欢|喜歡|讨厌|討厭|分类"
)
LABELLED = re.compile(rf"^[ \t>*#•·■◆●-]*(?:{LABELS})[*】]*[ \t　]*[:：|丨｜][^\n]*\S", re.IGNORECASE | re.MULTILINE)
QUOTED = re.compile(r"[“「\"][^“”「」\"\n]{2,200}[”」\"]")
SOME = 3  # quotations
LEAST_ROWS = 2  # besides the last
LOOKS = (
    (WEB_PAGE, 1, "is a web page: name it .html, or save its text as .txt"),
    (LABELLED, 2, "seems to be a profile: begin it with the name, as in `# Mira Vale`, or name the file so"),
    (
        QUOTED,
        SOME,
        "seems to be prose in which hardly anybody is named beside what is said: write `Name: line`, or, where it is "
        "about the character, give its parts headings, as in `# Mira Vale` and `## Habits`",
    ),
)
LIST = "seems to be a list of quotations: say whose, as in `# Mira Vale` and below it `## Quotes`, or name the file so"
WHOLE = re.compile(
    r"(?:[-*•>]|\d{1,3}[.)、])?\s*(?:[^\s“”「」\":：]{1,20}[:：])?\s*[“「\"][^“”「」\"]{2,200}[”」\"].{0,40}"
)
TEXTS = ("", ".txt", ".md", ".markdown", ".html", ".htm")  # of others nobody can tell by their looks


def why_unknown(path: Path) -> str:
    """Why no reader knows a file, in a few words."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return BESIDE_A_PAGE
    if path.stat().st_size == 0:
        return "is empty"
    if advice := ADVICE.get(suffix):
        return f"is {suffix}: {advice}"
    head = head_of(path) if suffix in TEXTS else ""
    if _has_columns(head):
        return (
            "seems to be a table with tabs: name it .tsv, and head its columns `speaker` and `text`, or 角色 and 台词"
        )
    lines = [line.strip() for line in head.splitlines() if line.strip() and not line.startswith("#")]
    if sum(WHOLE.fullmatch(line) is not None for line in lines) > max(SOME - 1, len(lines) / 2):
        return LIST
    return next((why for look, some, why in LOOKS if len(look.findall(head)) >= some), "no known form")


def _has_columns(head: str) -> bool:
    """Whether every line but a last one that may be cut off has the same number of tabs."""
    tabs = [line.count("\t") for line in head.splitlines()[:-1] if line.strip()]
    return len(tabs) >= LEAST_ROWS and min(tabs) > 0 and min(tabs) == max(tabs)


def head_of(path: Path) -> str:
    """The beginning of a file's text; nothing of one that is no text."""
    try:
        file = open_raw(path)
    except UnderstudyError:
        return ""
    return file.beginning if file.encoding else ""
