"""A wiki's page as text copied out of a browser: headings without a mark, its menus, contents, notes and footer.

Every line keeps its place. Headings get Markdown's mark; what is the site's own, and no text of the page, is marked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from pipeline.records.names import spelling
from pipeline.records.readers.pages.quoted import LONGEST, is_of_lines
from pipeline.records.traditional_chinese import to_simplified

SITES_OWN = "\3"  # before a line of the site's, not of the page
EDIT = re.compile(
    r"[\[【［](?:编辑|編輯|edit)(?:\s?[|｜]\s?(?:编辑源代码|編輯原始碼|edit source))?[\]】］]$|(?<=\w)\[\]$",
    re.IGNORECASE,
)  # Fandom's link is a picture: Quotes[]
OF_A_BOX = re.compile(r"基[本础](?:资料|信息|介绍)|(?:basic|general|biographical) information", re.IGNORECASE)
TITLE = re.compile(
    rf"{OF_A_BOX.pattern}|简介|概述|(?:人物|角色|官方)(?:简介|介绍|设定|资料|信息|经历|背景|故事|关系|形象|性格)|设定|"
    r"(?:人物|角色)?(?:经历|生平)|背景(?:故事)?|性格(?:特点)?|外貌(?:特征)?|外观|能力|(?:人际|人物)?关系|轶事|趣闻|杂项|你知道吗|目录|"
    r"overview|introduction|appearance|personality|biography|history|background|synopsis|relationships?|abilities|"
    r"powers and abilities|trivia|etymology|contents",
    re.IGNORECASE,
)
NO_TEXT = re.compile(
    r"注释.{0,8}|脚注|参考(?:资料|文献)?|外部[链连]接|导航|相关条目|画廊|图集|目录|"
    r"references|footnotes|notes and references|external links|see also|navigation|gallery|contents",
    re.IGNORECASE,
)
CONTENTS = re.compile(r"目录|contents(?:\s*\[?(?:hide|show)\]?)?", re.IGNORECASE)
LISTED = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}[\t .、]+\S.{0,60}")
OF_A_SITE = re.compile(
    r"跳[到转].{0,4}(?:导航|搜索).{0,8}|(?:折叠|展开|收起|显示|隐藏)(?:[/／](?:折叠|展开|收起|显示|隐藏))?|查看(?:历史|源代码)|编辑|讨论|"
    r".{0,8}(?:百科|维基)(?:，|欢迎|祝).*|欢迎正在阅读.*|.{0,20}最后(?:编辑|修订|修改|更新)于.*|.{0,20}(?:隐私政策|免责声明).*|"
    r"分类\s*[:：].*|\S.{0,60}\.(?:png|jpe?g|gif|webp|svg)|illust(?:ration)?\s?by\b.{0,40}|"
    r"(?:jump|skip) to (?:navigation|search|content|main).{0,20}|from .{1,40} wiki(?:a|pedia)?\b.{0,40}|"
    r"categor(?:y|ies)(?:\s*:.*)?|(?:this page was )?last (?:edited|modified)\b.*|.{0,60}\bprivacy policy\b.*|"
    r"(?:community )?content is available under.*|retrieved from .*|advertisement|sign in(?: to edit)?|"
    r"(?:view|edit) (?:source|history)|talk(?: \(\d+\))?",
    re.IGNORECASE,
)
SURE = re.compile(r"跳[到转].{0,4}(?:导航|搜索).{0,8}|jump to (?:navigation|search).{0,20}", re.IGNORECASE)
LEAST_TITLES = 2  # lines that are usual headings, of a page that does not begin with the name
MARKED = re.compile(r"#{1,6}\s|={2,6}[^=]")


def is_copied(texts: Sequence[str], names: Collection[str]) -> bool:
    """Whether a text is such a page: it surely is a wiki's, or has usual headings alone on lines, each once."""
    if _is_wikis(texts):
        return True
    lines = [to_simplified(line.strip()) for line in texts if line.strip()]
    titles = [line for line in lines if _is_title(line)]
    begins = bool(lines) and spelling(texts[_first(texts)]) in names
    is_once = len({*titles}) == len(titles) >= (1 if begins else LEAST_TITLES)  # of several people each has them
    return is_once and not any(MARKED.match(line) for line in lines)


def _is_wikis(texts: Sequence[str]) -> bool:
    """Whether it has a wiki's links to edit it, or its menu."""
    short = [line for line in map(str.strip, texts) if len(line) <= LONGEST]
    return any(EDIT.search(line) or SURE.fullmatch(to_simplified(line)) for line in short)


def marked_lines(texts: Sequence[str], names: Collection[str]) -> list[str]:
    """The lines of such a page, its headings with Markdown's mark, and SITES_OWN before what is none of its text."""
    made: list[str] = []
    listing = in_notes = False
    first = _first(texts) if _is_wikis(texts) else -1
    has_links = sum(EDIT.search(text.strip()[-LONGEST:]) is not None for text in texts) > 1  # at every heading
    for at, text in enumerate(texts):
        bare = text.strip()
        title = EDIT.sub("", bare).strip() if len(bare) <= LONGEST else bare
        plain = to_simplified(title)
        if at == first and spelling(bare) in names:
            made.append(f"# {bare}")
        elif title != bare or _is_heading(plain, has_links=has_links):
            listing = CONTENTS.fullmatch(plain) is not None
            in_notes = listing or NO_TEXT.fullmatch(plain.strip("#= ")) is not None
            made.append(_heading(title) if not in_notes else f"{SITES_OWN}{title}")
        else:
            is_sites = (in_notes and not listing) or (listing and LISTED.fullmatch(bare)) or OF_A_SITE.fullmatch(plain)
            made.append(f"{SITES_OWN}{bare}" if bare and is_sites else text)
    return made


def _heading(title: str) -> str:
    return title if MARKED.match(title) else f"## {title}"


def _is_heading(plain: str, *, has_links: bool) -> bool:
    """Whether a line without a link to edit it is a heading; where headings have these, hardly one is."""
    if has_links:
        return bool(MARKED.match(plain) or OF_A_BOX.fullmatch(plain) or CONTENTS.fullmatch(plain))
    return bool(_is_title(plain) or MARKED.match(plain) or NO_TEXT.fullmatch(plain) or CONTENTS.fullmatch(plain))


def _is_title(plain: str) -> bool:
    return TITLE.fullmatch(plain) is not None or (
        len(plain) > 1 and is_of_lines(plain) and not plain.endswith((":", "："))
    )


def _first(texts: Sequence[str]) -> int:
    return next((at for at, text in enumerate(texts) if text.strip()), 0)
