"""Lists of a character's attributes as people write them, and what they state: `Age: 27`, `【年龄】27`, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.augmentation.attribute_entries import (
    BETWEEN_THINGS,
    MARKS,
    Entry,
    bare_key,
    entries_of,
    split_pattern,
    with_colon,
)
from pipeline.augmentation.attribute_values import PARENTHESIS, value_of
from pipeline.augmentation.extraction_grammar import Grammar, Statement
from pipeline.records.readers.pages.profile import OF_ANOTHER_NAME

LONGEST_LINE = 300  # characters of a list's line
NUMBERED = re.compile(r"^\d{1,2}[.、)）]\s*")
RULED_OFF = re.compile(
    r"[\s|:=_*~—–\[\]{}()\u2500-\u257f-]*"
)  # between a table's head and its rows, and between parts of a card
COLONS, COMMAS = (":", "："), (",", "，", "、")
SPACES = re.compile(r"\s{2,}")
CALLOUT = re.compile(r"^[>\s]*\[![\w-]+\][-+]?\s*")  # the head of a note's box
# [Pell: age= 19, hair= red], [Pell's persona: shy= yes]; one that is not closed ends with its line.
HEADED_LIST = re.compile(
    r"^[^\S\n]*\[[^\S\n]*(?P<name>[^\[\]:：;；=,，(（\n]{1,40}?)(?:(?<=['’]s) \w+)?[^\S\n]*[:：;；]\s*"
    r"(?P<list>[^:：=;；,，()\[\]\n]{1,24}=[^\[\]]*(?:\]|\Z))",
    re.MULTILINE,
)
NOTE = re.compile(r"\W*[(（][^()（）]+[)）]\W*")  # a line of its own: （以下为二稿）


def attribute_facts(passage: str, name: str, title: str, grammar: Grammar) -> Iterator[Statement]:
    """The facts of the first list of attributes, if it is the character's."""
    below_name = _below_own_name(passage, name, grammar)
    entries = list(_entries(below_name, name, grammar))
    titled = title.strip()
    is_named = titled.casefold() in _folded(name, grammar)
    named = [
        entry
        for entry in entries
        if grammar.names.fullmatch(entry.key) and not (is_named and OF_ANOTHER_NAME.fullmatch(entry.key))
    ]
    its_own = below_name != passage or named or is_named or grammar.own_titles.fullmatch(titled) is not None
    if not its_own or not all(_is_name_of(entry.value, name, grammar) for entry in named):
        return
    for entry in entries:
        yield from _facts_of(entry, name, grammar)


def _below_own_name(passage: str, name: str, grammar: Grammar) -> str:
    """The passage with lists in brackets without the name at their head, and without those below another's name.

    So `[Pell: age= 19, hair= red]` begins with an attribute.
    """

    def bare(found: re.Match[str]) -> str:
        head = re.sub(r"['’]s$", "", found["name"].strip())
        is_own = head.casefold() in _folded(name, grammar)
        if is_own or grammar.own_titles.fullmatch(head) or grammar.names.fullmatch(head):
            return f"[{found['list']}" if is_own else found[0]
        return ""

    return HEADED_LIST.sub(bare, passage)


def _facts_of(entry: Entry, name: str, grammar: Grammar) -> Iterator[Statement]:
    """What the first rule that knows the key makes of the value."""
    for rule in grammar.attributes:
        key = rule.pattern.fullmatch(entry.key)
        value = value_of(entry, rule, name, grammar) if key else ""
        if key and value:
            yield Statement(rule, value, (key.groupdict().get("a") or "").casefold(), entry.text)
            return


def _is_name_of(value: str, name: str, grammar: Grammar) -> bool:
    """Whether a list's `Name:` is the character, in a longer form too: `苏晚晴（Su Wanqing）`, `Mira Anne Vell`."""
    forms = {value, PARENTHESIS.sub("", value), *PARENTHESIS.findall(value)}
    if {form.strip().casefold() for form in forms} & _folded(name, grammar):
        return True
    first, *_, last = name.casefold().split() * 2
    words = PARENTHESIS.sub("", value).casefold().split()
    return first != last and words[:1] == [first] and words[-1:] == [last]


def _folded(name: str, grammar: Grammar) -> set[str]:
    return {one.casefold() for one in grammar.names_of(name)}


def _entries(passage: str, name: str, grammar: Grammar) -> Iterator[Entry]:
    """The entries of the passage's first list.

    It ends where it says again what it has said: of somebody else. Behind a line that interrupted it, all that stands
    together with such an entry is somebody else's.
    """
    known = re.compile(grammar.known_keys, re.IGNORECASE)
    values: dict[str, str] = {}
    for number, block in enumerate(_blocks(passage, name, known, grammar)):
        own: list[Entry] = []
        for entry in block:
            if values.setdefault(entry.key, entry.value) != entry.value and known.fullmatch(entry.key):
                break
            own.append(entry)
        if number == 0 or len(own) == len(block):
            yield from own
        if len(own) < len(block):
            return


def _blocks(passage: str, name: str, known: re.Pattern[str], grammar: Grammar) -> Iterator[list[Entry]]:
    """The list's entries, those of lines that follow each other together; it ends where the text goes on otherwise.

    Headings of the character's own and keys without a value are passed over, and lines that tell more of others.
    """
    split_at = split_pattern(grammar)
    block: list[Entry] = []
    below_a_title = has_begun = False
    for line in _lines(passage, known):
        found = entries_of(line, split_at)
        has_begun = has_begun or bool(found)
        titled = grammar.own_titles.fullmatch(line.strip(" []【】#*:：-|")) is not None
        below_a_title = titled or (below_a_title and not found and line.startswith(tuple(MARKS)))
        of_others = grammar.persons.search(found[0].key if found else line) is not None
        is_part = found or below_a_title or (known.fullmatch(bare_key(line)) and not of_others)
        if (has_begun and not is_part) or (of_others and line.endswith(COLONS)):  # 父亲：, and below it his age
            if not _is_beside(line, name, grammar):
                break
            yield block
            block = []
        block += [] if of_others and len(found) > 1 else found  # 师父：顾清，年龄：60岁
    yield block


def _is_beside(line: str, name: str, grammar: Grammar) -> bool:
    """Whether a list may go on behind the line: a note in brackets, or a sentence about the character alone."""
    if grammar.persons.search(line):
        return False
    subject = re.compile(f"{grammar.own_name(name).pattern}|(?i:{grammar.own_pronoun().pattern})")
    return NOTE.fullmatch(line) is not None or subject.match(line.lstrip(MARKS + " ")) is not None


def _lines(passage: str, known: re.Pattern[str]) -> Iterator[str]:
    """The lines that may be a list's, each key with what is listed under it, or with the line below it."""
    listed: list[str] = []
    for line in (_plain(line, known) for line in passage.splitlines()):
        is_bare = bool(line) and not re.search("[:：=【]", line)
        is_item = line.startswith(tuple(MARKS))
        if listed and is_bare and listed[0].endswith(COLONS) and (is_item or _awaits_a_value(listed, known)):
            listed.append(line.lstrip(MARKS + " "))
            continue
        if listed and is_bare and not is_item and _goes_on(listed[0]):
            listed[0] += f" {line}" if listed[0].endswith(",") else line
            continue
        yield from _with_things(listed)
        listed = [line] if line.endswith(COLONS) or _goes_on(line) else []
        if not listed and not RULED_OFF.fullmatch(line) and len(line) <= LONGEST_LINE:
            yield line
    yield from _with_things(listed)


def _plain(line: str, known: re.Pattern[str]) -> str:
    """A line without its number, a box's mark and wide spaces; one in two columns has a colon instead.

    So has one with a dash behind a known key: `Birthday - the second of May`.
    """
    text = NUMBERED.sub("", SPACES.sub(" ", CALLOUT.sub("", with_colon(line.strip()))))
    key, dash, value = text.partition(" - ") if " - " in text else text.partition(" – ")
    return f"{key}: {value}" if dash and known.fullmatch(bare_key(key)) else text


def _awaits_a_value(listed: list[str], known: re.Pattern[str]) -> bool:
    return len(listed) == 1 and known.fullmatch(bare_key(listed[0])) is not None


def _goes_on(line: str) -> bool:
    """Whether it has a value whose next thing stands in the next line."""
    return line.endswith(COMMAS) and len(line) <= LONGEST_LINE and re.search("[:：=]", line) is not None


def _with_things(listed: list[str]) -> Iterator[str]:
    if listed:
        yield listed[0] + BETWEEN_THINGS.join(listed[1:])
