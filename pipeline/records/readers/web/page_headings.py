"""The headings of a web page that a part of it stands below: whether its lines are the character's, or others'."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from pipeline.records.names import spelling
from pipeline.records.readers.pages.quoted import PLACE, is_of_lines, of_lines
from pipeline.records.readers.web.page_content import subject_of

NOBODY = r"(?!)"
# Below such a heading others speak: Quotes about Mira, 他人评价.
OF_OTHERS = (
    r".*\babout (?:{names}|her|him|them)\b.*|.*(?:关于|關於)(?:{names}|她|他)的?(?:台词|臺詞|语音|語音|评价|評價)?|"
    r".*(?:他人|其他角色|别人|別人|旁人|(?<!自我)评价|(?<!自我)評價).*|"
    r".*\bothers\b.*|.*\bother (?:characters?|people|npcs?)\b.*"
)
SPEAKS = re.compile("quote|line|dialogue|voice|\\bsa(?:y|ys|id)\\b|语音|台词|語音|臺詞", re.IGNORECASE)
LINES = r"(?:quotes?|quotations?|lines|sayings|dialogues?|voice[- ]?(?:lines|overs?))"
# Somebody's own, of whom it says so: Bram's quotes, Lines by Bram, 韩渡的台词; below a heading for lines, From Bram.
OF_SOMEBODY = (
    re.compile(rf"(?P<who>.{{1,40}}?)(?:'s|’s|s['’])\s+(?:.{{0,20}}\s)?{LINES}", re.IGNORECASE),
    re.compile(rf"(?:.{{0,20}}\s)?{LINES}\s+(?:from|by|of)\s+(?P<who>.{{1,40}})", re.IGNORECASE),
    re.compile(r"(?P<who>[\u3400-\u9fff·]{2,8}?)(?:的(?:台词|臺詞|语音|語音|语录|語錄)|语录|語錄)"),
)
FROM_SOMEBODY = (
    re.compile(r"(?:[Ff]rom|(?:[Ss]aid )?[Bb]y)\s+(?P<who>[^\Wa-z\d].*)"),
    re.compile(r"(?:来自|來自)(?P<who>.+)"),
)
# What stands before 台词 and is nobody: 经典台词, 游戏中的台词.
NO_PERSON = re.compile(
    r".*[中里裡内內上版前后後时時期篇章]|(?:经典|經典|著名|有名|最后|最後|主要|其他|其它|全部|部分|相关|相關|角色|人物|个人|個人|常用)+"
)
# What readers wrote below an article.
OF_READERS = re.compile(
    r"(?:\d+|one|no) (?:thoughts?|comments?|responses?|repl(?:y|ies))(?: (?:on|to)\b.*)?|"
    r"(?:(?:user|reader|your|recent|all) )?(?:comments?|repl(?:y|ies))(?: section)?(?: ?\(\d+\))?|"
    r"(?:leave|post|add|write) a (?:reply|comment)\b.*|join the (?:discussion|conversation)|"
    r"(?:网友|網友|读者|讀者|热门|熱門|最新|全部|精彩|用户)?(?:评论|評論|留言|跟帖|回复|回覆)(?:区|區|列表)?"
    r"(?: ?[(（]?\d+条?[)）]?)?|"
    r"(?:发表|發表|我要)(?:评论|評論|留言|回复).*",
    re.IGNORECASE,
)
# Of those who made the character, and what leads elsewhere.
OF_MAKERS = re.compile(
    r"(?:voice )?(?:actors?|actress(?:es)?)|voice acting|about the (?:author|actor|actress|writer)s?|"
    r"(?:演员|演員|作者|编剧|編劇|导演|導演|声优|聲優|配音演员|配音演員|饰演者|飾演者)(?:介绍|介紹|简介|簡介|资料|資料|信息)?|"
    r"external links?|see also|related (?:posts?|articles?|pages)|you (?:may|might) also like.*|"
    r"other languages|(?:change|version|update) (?:history|log)|changelog|"
    r"其他语言|其他語言|更新(?:历史|歷史|日志|日誌|记录|記錄)|"
    r"外部链接|外部連結|参见|參見|"
    r"参考资料|參考資料|相关条目|相關條目|相关文章|相關文章|相关推荐|相關推薦|猜你喜欢|猜你喜歡",
    re.IGNORECASE,
)
LOWEST = 7  # level of a table's title
SHORTEST_WORD = 3  # letters of a name's word that stands for it
ABOUT_IT, OF_ANOTHER = "lines about the character", "below a heading for somebody else's lines"
BY_READERS, ELSEWHERE = "what readers wrote below the page", "below a heading for something else"


def short_names(names: Collection[str]) -> frozenset[str]:
    """The names, spelt as `spelling` does, and the short ones that a page has: mira of mira vale, 青禾 of 沈青禾."""
    words = {word for name in names if name.isascii() for word in name.split() if len(word) >= SHORTEST_WORD}
    given = {name[1:] for name in names if len(name) == SHORTEST_WORD and re.fullmatch("[\u3400-\u9fff]+", name)}
    return frozenset({*names} | words | given)


@dataclass(slots=True)
class Headings:
    """The headings that a part stands below: (level, title), and whether the whole page is the character's.

    `by_people`: below headings for lines, some stand below the character's name, or in a tab that is called so; then
    others are other people's. `tab` is the one that shows the part.
    """

    names: frozenset[str]
    page_is_own: bool
    page_part: str
    by_people: bool = False
    tab: str = ""
    above: list[tuple[int, str]] = field(default_factory=list)

    def enter(self, level: int, title: str) -> None:
        """The heading is the last one; those that are not above it any more are gone."""
        self.above = [one for one in self.above if one[0] < level] + [(level, title)]
        self.tab = ""

    def below(self, title: str) -> Headings:
        """The headings of what has a title of its own."""
        return replace(self, above=[*self.above, (LOWEST, title)])

    @property
    def is_own(self) -> bool:
        """Whether it is about the character."""
        return self.page_is_own or any(
            spelling(subject_of(title, self.names)[0]) in self.names for _, title in self.above
        )

    @property
    def lines_title(self) -> str:
        """What the headings call the lines that stand here; empty where they call none."""
        found = [said for _, title in self.above if (said := of_lines(title, self.names))]
        return found[0] if found else self.page_part if is_of_lines(self.page_part) else ""

    @property
    def title(self) -> str:
        """The heading right above."""
        return self.above[-1][1] if self.above else self.page_part

    @property
    def why_left_out(self) -> str:
        """Why nothing that stands here is the character's, or about it; empty where it may be."""
        titles = [title.strip() for _, title in self.above]
        if any(OF_READERS.fullmatch(one) for one in titles):
            return BY_READERS
        if any(OF_MAKERS.fullmatch(one) for one in titles):
            return ELSEWHERE
        return ABOUT_IT if self._is_of_others() else OF_ANOTHER if self._is_of_another() else ""

    def _is_of_others(self) -> bool:
        names = "|".join(map(re.escape, sorted(short_names(self.names), key=len, reverse=True))) or NOBODY
        others = re.compile(OF_OTHERS.replace("{names}", f"(?:{names})"), re.IGNORECASE)
        said = [title for _, title in self.above if others.fullmatch(spelling(title))]
        return bool(said) and (bool(self.lines_title) or any(map(SPEAKS.search, said)))

    def _is_of_another(self) -> bool:
        """Whether a heading says whose lines it has, and that is not the character."""
        below = self._below_lines()
        if self.tab and self.lines_title:
            below = [*below, self.tab]
        of_people = [one for one in below if self.by_people and not PLACE.match(one)]
        found = [*self._named(OF_SOMEBODY, [title for _, title in self.above]), *self._named(FROM_SOMEBODY, below)]
        return any(not self._is_the_character(who) for who in (*found, *of_people))

    def _below_lines(self) -> list[str]:
        """The titles of the headings below the one for lines."""
        first = next((at for at, (_, title) in enumerate(self.above) if of_lines(title, self.names)), None)
        first = -1 if first is None and is_of_lines(self.page_part) else first
        return [] if first is None else [title for _, title in self.above[first + 1 :]]

    def _named(self, patterns: Sequence[re.Pattern[str]], titles: Sequence[str]) -> list[str]:
        found = [match["who"] for one in titles for pattern in patterns if (match := pattern.fullmatch(one.strip()))]
        return [who for who in found if not (PLACE.match(who) or NO_PERSON.fullmatch(who) or who[0].islower())]

    def _is_the_character(self, who: str) -> bool:
        return spelling(who) in short_names(self.names)

    def splits_by_people(self) -> bool:
        """Whether the heading right above, or the tab, is the character's name, below a heading for lines."""
        below = [*self._below_lines()[-1:], *([self.tab] if self.lines_title else [])]
        return any(map(self._is_the_character, below))
