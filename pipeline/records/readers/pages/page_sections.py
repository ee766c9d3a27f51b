"""The sections of a page, a wiki's source or a profile: headings, lines, and whom they say that they are about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipeline.records.names import spelling
from pipeline.records.readers.pages import wiki
from pipeline.records.readers.pages.copied import is_copied, marked_lines
from pipeline.records.readers.pages.profile import SEPARATES, as_label, entry, is_name, other_label
from pipeline.records.readers.pages.quoted import OF_A_LIST, is_of_lines, of_lines
from pipeline.records.traditional_chinese import to_simplified

HEADING = re.compile(
    r"(?!#[\w-]+/|#[a-z][\w-]*\s*$|#\w\S*(?:\s+#\w\S*)+\s*$)"  # #npc #secret/orm are tags
    r"(?P<hash>#{1,6})\s*(?P<title>.+?)\s*#*|"
    r"(?P<equals>={2,6})\s*(?P<wiki>[^=]+?)\s*=+|"
    r"【(?P<bracket>[^【】]+)】"
)
# Of a sheet of a game's people: ■米拉（CV：安）.
OF_A_CAST = re.compile(
    r"[■□◆◇●○★☆▪▶►◎※♦✦]\s*(?P<name>[^\s()（）:：]{1,20})\s*[(（](?:cv|va|声优|配音)\s*[:：][^()（）]{1,30}[)）]",
    re.IGNORECASE,
)
# Before a name, what the person is: 女主：沈阿棠, 【男主·裴照】, Character: Mira Vale, 一、陆沉舟.
ROLE = re.compile(
    r"(?:(?:我的?)?(?:原创)?(?:角色|人物)|(?:男|女)?(?:主角?|主人公|配角?|[一二三四]号)|反派|oc|npc|"
    r"(?:main )?character|protagonist|antagonist|hero(?:ine)?|love interest)\s*[0-9一二三四]?\s*[:：·・|｜—–-]+\s*",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?:[一二三四五六七八九十]{1,3}|[0-9０-９]{1,2})\s*[、.．)）]\s*")
IN_BRACKETS = re.compile(r"[(（][^()（）]*[)）]$")
NO_TITLE = re.compile(r"[。！？!?…，,;；:：=|]")
PROSE = re.compile(r"[。！？!?…，,；;]")  # in no name above labels
LONGEST_NAME, LONGEST_TITLE = 24, 60
# What a character's own profile has for headings: never somebody else.
OWN_TITLE = re.compile(
    r".*(?:信息|资料|设定|性格|外貌|外观|经历|背景|故事|生平|关系|能力|技能|喜好|习惯|简介|介绍|档案|其他|其它|补充|备注|语录|台词|"
    r"语音|特征|特点|爱好|兴趣|个性|轶事|相关|名言|口头禅)|.*\b(?:info(?:rmation)?|personality|appearance|background|history|biography|"
    r"profile|relationships?|abilities|skills|likes|dislikes|quotes?|trivia|notes|story|basics?|overview|description)\b.*",
    re.IGNORECASE,
)
RULE = re.compile(r"[\s—–=*_~·•\u2500-\u257f-]{3,}")
FENCE = re.compile(r"-{3}\s*")
CODE_FENCE = re.compile(r"\s*(?:```|~~~)")
LIST = re.compile(r"\[(.*)\]")  # in a note's front matter: [one, "another"]
ITEM = re.compile(r"[ \t]*[-*+•]\s+")
# What Markdown and wikis put around their words; a table's row becomes `Age: 41`, or what its cells hold.
MARKUP = (
    (re.compile(r"<!--.{0,400}?-->|<[^<>]{1,80}>|\[\d{1,3}\]|\{\{[^{}]*\}\}|%%.{0,400}?%%|~~[^~]{0,400}~~"), ""),
    (wiki.FILE_LINK, ""),
    (re.compile(r"!\[\[[^\[\]]*\]\]|!\[[^\[\]]*\]\([^()]*\)"), ""),
    (re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]|\[([^\[\]]*)\]\([^()]*\)"), r"\1\2"),
    (re.compile(r"(\*{1,3}|_{2,3}|'{2,3}|`)(?=\S)(.{1,300}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"^\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?$"), ""),
    (re.compile(r"^\|?([^|]{1,80})\|([^|]+)\|?$"), lambda row: f"{row[1].strip()}: {row[2].strip()}"),
    (re.compile(r"^\s*(?:[-+*•·>]|\d{1,3}[.)、])\s+"), ""),
)


@dataclass(slots=True)
class Section:
    """A heading, how deep it is, and the lines below it with their numbers; `person`: whom it says that it is about.

    `named_by` is the label that says so, empty where its heading does; `is_bare`: its heading has no mark;
    `only_quoted`: it has no heading, and the file is called a list of what is said.
    """

    title: str = ""
    depth: int = 0
    lines: list[tuple[int, str]] = field(default_factory=list)
    person: str = ""
    named_by: str = ""
    is_bare: bool = False
    only_quoted: bool = False


def plain(line: str) -> str:
    """The line without its markup."""
    line = line.strip()
    for pattern, text in MARKUP:
        line = pattern.sub(text, line)
    return line.strip()


def sections_of(lines: Sequence[tuple[int, str]], names: Collection[str]) -> list[Section]:
    """The page's sections, those without text left out unless they have a heading; `names` are the character's.

    Where a label says a second name (姓名：), or a heading is another person's, another section begins.
    """
    texts = [line for _, line in lines]
    if wiki.is_source("\n".join(texts)):
        texts = [one.lstrip(wiki.ENTRY) for one in wiki.plain_lines(texts, lambda title: bool(of_lines(title, names)))]
    elif is_copied(texts, names):
        texts = marked_lines(texts, names)
    front, texts = _front_matter(texts)
    bare = _bare_headings(texts, names)
    sections, fenced = [Section()], False
    for (number, _), text in zip(lines, texts, strict=True):
        fenced = fenced != bool(CODE_FENCE.match(text))
        heading = None if fenced else bare.get(number) or _heading(text.strip(), names)
        if heading:
            sections.append(heading)
        elif fenced:
            sections[-1].lines.append((number, text))
        else:
            _add(sections, number, text)
    made = [one for one in sections if one.title or any(line.strip() for _, line in one.lines)]
    return _with_front(made, front, names)


def _add(sections: list[Section], number: int, text: str) -> None:
    """The line to the last section, or to a new one that it begins."""
    last = sections[-1]
    found = entry(plain(text)) if SEPARATES.search(text.strip()) else None
    if found and is_name(found[0]) and found[1]:
        if last.named_by == found[0] and spelling(last.person) != spelling(found[1]):
            last = Section(depth=last.depth)
            sections.append(last)
        if not last.named_by:
            last.person, last.named_by = found[1], found[0]
    elif found and last.is_bare and is_of_lines(last.title):
        last = Section(depth=last.depth)
        sections.append(last)
    if found:
        indented = ITEM.match(text)
        text = (indented[0] if indented else "") + as_label(*found)
    elif other := other_label(text):
        text = as_label(*other)
    last.lines.append((number, "" if RULE.fullmatch(text) else text))


def _heading(line: str, names: Collection[str]) -> Section | None:
    """The section that the line begins, if it is a heading."""
    if cast := OF_A_CAST.fullmatch(to_simplified(line)):
        name = line[cast.start("name") : cast.end("name")]
        return Section(name, 1, person=name)
    found = HEADING.fullmatch(line)
    is_label = found and found["bracket"] and entry(line) and not OWN_TITLE.fullmatch(to_simplified(found["bracket"]))
    if not found or is_label:  # 【年龄】, and the value below it
        return None
    title = plain(found["title"] or found["wiki"] or found["bracket"]).strip(" :：")
    title = of_lines(title, names) or title
    depth = len(found["hash"] or found["equals"] or "#")
    person = _person(title)
    is_named = bool(ROLE.match(to_simplified(title))) or spelling(person) in names
    return Section(person if is_named else title, depth, person=person if is_named else "")


def _person(title: str) -> str:
    """The name in a heading, without a number, what the person is, and brackets behind it."""
    for pattern in (NUMBER, ROLE):
        found = pattern.match(to_simplified(title))
        title = title[found.end() :] if found else title
    return IN_BRACKETS.sub("", title).strip()


def _bare_headings(texts: Sequence[str], names: Collection[str]) -> dict[int, Section]:
    """By their lines' numbers, headings without a mark: the character's name, others' of that kind, and 经典台词：."""
    found: dict[int, Section] = {}
    candidates = [one for one in _candidates(texts) if not _heading(texts[one[0]].strip(), names)]
    own = {form for at, form, person in candidates if spelling(person) in names}
    labels = {at: {label for label, _ in _entries_below(texts, at, candidates)} for at, _, _ in candidates}
    known = set().union(*(labels[at] for at, _, person in candidates if spelling(person) in names))
    for at, form, person in candidates:
        is_own = spelling(person) in names
        is_others = form in own and not OWN_TITLE.fullmatch(to_simplified(person)) and bool(known & labels[at])
        if is_own or is_others:
            found[at + 1] = Section(person, 0, person=person, is_bare=True)
    for number, text in enumerate(texts, 1):
        if title := _title_of_lines(text, names):
            is_named = len(title) < len(text.strip(" :：*"))
            found.setdefault(number, Section(title, 1, person=max(names) if is_named else "", is_bare=True))
    return found


def _title_of_lines(text: str, names: Collection[str]) -> str:
    """What the line says that follows: 经典台词：, or the character's name and 语录; empty where it does not."""
    bare = text.strip(" *") if len(text) <= LONGEST_TITLE else ""
    title = (
        of_lines(bare, names) if 0 < len(OF_A_LIST.sub("", bare)) <= LONGEST_NAME and not bare.startswith("#") else ""
    )
    return title if bare.endswith((":", "：")) or len(title) < len(bare) else ""


def _candidates(texts: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """(place, form, name) of short lines above a profile's labels, after a blank line, a rule or nothing."""
    for at, text in enumerate(texts):
        if len(text.strip()) > LONGEST_TITLE or PROSE.search(text):
            continue
        bare = plain(text)
        person = _person(text.strip()) if text.strip() else ""
        if not person or len(person) > LONGEST_NAME or NO_TITLE.search(person) or entry(bare):
            continue
        form = "role" if ROLE.match(to_simplified(bare)) else "number" if NUMBER.match(text.strip()) else "bare"
        before = texts[at - 1] if at else ""
        below = next((one for one in texts[at + 1 :] if one.strip() and not RULE.fullmatch(one)), "")
        if (form != "bare" or not before.strip() or RULE.fullmatch(before)) and entry(plain(below)):
            yield at, form, person


def _entries_below(texts: Sequence[str], at: int, candidates: Sequence[tuple[int, str, str]]) -> list[tuple[str, str]]:
    """The labels and values up to the next candidate."""
    end = next((other for other, _, _ in candidates if other > at), len(texts))
    return [found for text in texts[at + 1 : end] if (found := entry(plain(text)))]


def _front_matter(texts: Sequence[str]) -> tuple[list[tuple[int, str]], list[str]]:
    """The labels of what stands between `---` at a note's top, and the texts without it."""
    end = next((at for at, text in enumerate(texts[1:], 1) if FENCE.fullmatch(text)), 0) if texts else 0
    if not end or not FENCE.fullmatch(texts[0]):
        return [], [*texts]
    found = [(at + 1, one) for at, text in enumerate(texts[1:end], 1) if (one := entry(text)) and one[1]]
    front = [(number, as_label(label, _bare_value(value))) for number, (label, value) in found]
    return front, [*[""] * (end + 1), *texts[end + 1 :]]


def _bare_value(value: str) -> str:
    """A value of YAML, a list's as well, without its marks."""
    things = found[1].split(",") if (found := LIST.fullmatch(value)) else [value]
    return ", ".join(thing.strip(" \"'") for thing in things)


def _with_front(sections: list[Section], front: list[tuple[int, str]], names: Collection[str]) -> list[Section]:
    """The sections with a note's front matter in the first one, or in the character's own where that is the first."""
    if not front:
        return sections
    if not sections or (sections[0].title and spelling(sections[0].title) not in names):
        return [Section(lines=front), *sections]
    return [replace(sections[0], lines=[*front, *sections[0].lines]), *sections[1:]]


def below(sections: Sequence[Section], number: int) -> list[Section]:
    """The section and those that belong to it: deeper ones, and such as a profile has, up to another person's."""
    first, own = sections[number], True
    found = [first]
    for one in sections[number + 1 :]:
        is_others = one.person and spelling(one.person) != spelling(first.person)
        if is_others or one.depth < first.depth:
            break
        own = _is_own(one) if one.depth == first.depth else own
        found += [one] if own else []
    return found


def _is_own(section: Section) -> bool:
    return not section.title or OWN_TITLE.fullmatch(to_simplified(section.title)) is not None
