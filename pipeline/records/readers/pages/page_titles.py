"""What a page or its file is called after: the character's name, alone or with words for a page about somebody."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from pipeline.records.names import spelling
from pipeline.records.readers.pages.page_sections import Section, plain
from pipeline.records.traditional_chinese import to_simplified

# In a file's name beside the character's.
OF_A_PAGE = re.compile(
    r"(?:'?s|about|profile|bio|biography|wiki|wikia|fandom|background|character|info|facts?|lore|sheet|page|notes?|source|"
    r"final|copy|v?\d+|"
    r"的|人物|角色|设定集?|设定卡|简介|资料卡?|人设卡?|人设|背景|档案|介绍|小传|百科|萌百|萌娘百科|源码|词条|卡|oc|完整版?|终稿|"
    r"新|旧)+",
    re.IGNORECASE,
)
BESIDE_A_NAME = re.compile(r"[\s_.·・,，、+-]+|[(（\[【][^()（）\[\]【】]*[)）\]】]")


def shorten_title(sections: Sequence[Section], names: Collection[str], character: str) -> None:
    """A page's title, Mira Vale - notes, is the character's name; a first line that is one is none of the page."""
    first = next((one for one in sections if one.title or any(line.strip() for _, line in one.lines)), None)
    if first is None:
        return
    at = next((at for at, (_, line) in enumerate(first.lines) if line.strip()), None)
    title = first.title or (plain(first.lines[at][1]) if at is not None else "")
    says_more = re.search(r"(?<![v\d])\d", title.lower())  # Mira, 29
    if spelling(title) in names or says_more or not any(is_title_of(title, name) for name in names):
        return
    if not first.title and at is not None:
        del first.lines[at]
    first.title = character


def is_title_of(title: str, name: str) -> bool:
    """Whether a title is the name, or a longer one, with words for a page: Mira Vale - notes, MIRA - FACT SHEET."""
    longer = re.match(rf"(?i:{re.escape(name)})(?: [A-Z][\w'’-]+){{1,2}}(?=\W*(?:[-–—|:(]|$))", title)
    return names_file(title.replace(longer[0], name) if longer else title, name)


def names_file(stem: str, name: str) -> bool:
    """Whether the file's name is the character's, with words for a page about one: 人设卡-陆沉舟, mira-vale profile."""
    words = spelling(stem.replace("_", " ").replace("-", " "))
    before, found, after = words.partition(name)
    if not found or (name.isascii() and re.search(r"\w$", before)) or re.match(r"[a-z]", after):
        return False
    beside = BESIDE_A_NAME.sub("", before), BESIDE_A_NAME.sub("", after)
    return all(not one or OF_A_PAGE.fullmatch(to_simplified(one)) for one in beside)
