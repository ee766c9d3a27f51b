"""Lists of a character's attributes as people write them, and what they state: `Age: 27`, `【年龄】27`, tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.augmentation.extraction_grammar import Grammar, Rule, Statement

LONGEST_LINE = 300  # characters of a list's line
LONGEST_VALUE = 80
MARKS = "-*•·●◆■◇○※★☆>+#"
QUOTES = (('"', '"'), ("“", "”"), ("「", "」"), ("『", "』"), ("‘", "’"))
NUMBERED = re.compile(r"^\d{1,2}[.、)）]\s*")
RULED_OFF = re.compile(r"[\s|:=_*~—–\[\]{}()-]*")  # between a table's head and its rows, and between parts of a card
ROW = re.compile(r"\|([^|]+)\|([^|]+)\|?")
HEADED = re.compile(r"【(?P<key>[^【】]{1,24})】\s*[:：]?\s*(?P<value>.+)")
KEYED = re.compile(r"(?P<key>[^\W\d_][^:：=()（）\"“【】|]{0,24}?)\s*[:：=]\s*(?P<value>.+)")
CALLED = re.compile(r"(?P<key>[^\W\d_][^:：=()（）\"“【】|]{0,24}?)\s*[(（]\s*(?P<value>[\"“][^()（）]+[\"”])\s*[)）]")
QUOTED = re.compile(r"[\"“]([^\"“”]+)[\"”]")
PARENTHESIS = re.compile(r"\s*[(（]([^()（）]*)[)）]")
SENTENCE_WITHIN = re.compile(r"[.!?] |[。！？](?=.)")
KEY_WITHIN = re.compile(r"(?<!\d)[:：]|[:：](?!\d)")
BETWEEN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
SPACES = re.compile(r"\s{2,}")
QUOTE_MARKS = re.compile("[" + "".join(mark for pair in QUOTES for mark in pair) + "]")
BETWEEN_QUOTED = " []{},，、+;；/"
CAPITALISED_AT_END = re.compile(r"\b[A-Z][a-z]*$")
CONJUNCTION = re.compile(
    r"(?:and|or|but|nor|like|as|such|which|who|because|since|with|especially|particularly|mostly|except|when|if|"
    r"though|whenever)\b"
)
NUMBER_AMONG = re.compile(r"[,，、;；]\s*\d+\s*(?:$|[,，、;；])")  # owner, 46: no thing of a list
EMOJI = re.compile("[\u2190-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]+$")
BETWEEN_THINGS = "；"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value, as they stand in a list; `is_quoted` as in `Likes("tea" + "toast")`."""

    text: str
    key: str
    value: str
    is_quoted: bool = False


def attribute_facts(passage: str, name: str, title: str, grammar: Grammar) -> Iterator[Statement]:
    """The facts of the first list of attributes, if it is the character's."""
    entries = list(_entries(passage, grammar))
    whose = [_is_name_of(entry.value, name, grammar) for entry in entries if grammar.names.fullmatch(entry.key)]
    titled = title.strip()
    its_own = titled.casefold() in _folded(name, grammar) or grammar.own_titles.fullmatch(titled) is not None
    if not all(whose) or not (whose or its_own):
        return
    for entry in entries:
        yield from _facts_of(entry, grammar)


def _facts_of(entry: Entry, grammar: Grammar) -> Iterator[Statement]:
    """What the first rule that knows the key makes of the value."""
    for rule in grammar.attributes:
        key = rule.pattern.fullmatch(entry.key)
        value = _value(entry, rule, grammar) if key else ""
        if key and value:
            yield Statement(rule, value, (key.groupdict().get("a") or "").casefold(), entry.text)
            return


def _value(entry: Entry, rule: Rule, grammar: Grammar) -> str:
    """The value as the rule's answer says it; empty where it is none for the rule."""
    match = rule.value.fullmatch(entry.value)
    is_open = grammar.empty.fullmatch(entry.value) or grammar.unsettled.search(entry.value)
    if not match or is_open or rule.refused.search(entry.value) or len(entry.value) > LONGEST_VALUE:
        return ""
    if SENTENCE_WITHIN.search(entry.value) or KEY_WITHIN.search(entry.value):
        return ""
    if rule.unit:
        return unicodedata.normalize("NFKC", match["v"]) + rule.unit
    value: str = match.groupdict().get("v") or entry.value
    several = rule.is_list or entry.is_quoted or BETWEEN_THINGS in value
    if rule.is_list and (_is_clause(value, grammar) or NUMBER_AMONG.search(value)):
        return ""
    return _in_one_sentence(value, grammar) if several else value


def _is_clause(value: str, grammar: Grammar) -> bool:
    """Whether a list of things is a sentence, or has words that the character would not say of itself."""
    bare = QUOTE_MARKS.sub("", PARENTHESIS.sub("", value))
    return any(pattern.search(bare) for pattern in (grammar.refused, grammar.others))


def _in_one_sentence(value: str, grammar: Grammar) -> str:
    """Several things as a sentence has them: `a, b and c`, `甲、乙`; as they are where that is how they stand."""
    are_apart = BETWEEN_THINGS in value
    things = value.split(BETWEEN_THINGS) if are_apart else grammar.separators.split(value)
    *before, last = [one for one in things if one]
    between, at_last = grammar.joined
    is_a_sentence = " and " in last or any(CONJUNCTION.match(one) for one in things)
    if not before or (is_a_sentence and not are_apart):
        return value
    return between.join(before) + at_last + last


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


def _entries(passage: str, grammar: Grammar) -> Iterator[Entry]:
    """The entries of the passage's first list; headings of the character's own are passed over.

    It ends where the text goes on with something else, or says again what it has said: of somebody else.
    """
    split_at, known = _split_at(grammar), re.compile(grammar.known_keys, re.IGNORECASE)
    values: dict[str, str] = {}
    below_a_title = False
    for line in _lines(passage, known):
        found = _entries_of(line, split_at)
        titled = grammar.own_titles.fullmatch(line.strip(" []【】#*:：-|")) is not None
        below_a_title = titled or (below_a_title and not found and line.startswith(tuple(MARKS)))
        if values and not found and not below_a_title:
            return
        for entry in found[:1] if found and grammar.persons.search(found[0].key) else found:
            if values.setdefault(entry.key, entry.value) != entry.value and known.fullmatch(entry.key):
                return
            yield entry


def _lines(passage: str, known: re.Pattern[str]) -> Iterator[str]:
    """The lines that may be a list's, each key with what is listed under it, or with the line below it."""
    listed: list[str] = []
    for line in (NUMBERED.sub("", SPACES.sub(" ", line.strip())) for line in passage.splitlines()):
        is_bare = bool(line) and not re.search("[:：=【]", line)
        if listed and is_bare and (line.startswith(tuple(MARKS)) or _awaits_a_value(listed, known)):
            listed.append(line.lstrip(MARKS + " "))
            continue
        yield from _with_things(listed)
        listed = [line] if line.endswith((":", "：")) else []
        if not listed and not RULED_OFF.fullmatch(line) and len(line) <= LONGEST_LINE:
            yield line
    yield from _with_things(listed)


def _awaits_a_value(listed: list[str], known: re.Pattern[str]) -> bool:
    key = BETWEEN_CHINESE.sub("", listed[0].strip(MARKS + " *:："))
    return len(listed) == 1 and known.fullmatch(key) is not None


def _with_things(listed: list[str]) -> Iterator[str]:
    if listed:
        yield listed[0] + BETWEEN_THINGS.join(listed[1:])


def _split_at(grammar: Grammar) -> re.Pattern[str]:
    """Where a line's next entry may begin: at semicolons, and before what is known for a key."""
    headed = rf"【(?:{grammar.known_keys})】"
    key = rf"[\[*]*(?:{grammar.known_keys})\**\s*(?:[:：=]|[(（]\s*[\"“])|{headed}"
    return re.compile(rf"\s*[;；]\s*|[\s/／|｜,，、.。]+(?={key})|(?<=[^\s*])(?={headed})", re.IGNORECASE)


def _parts(line: str, split_at: re.Pattern[str]) -> Iterator[str]:
    """The line's parts, an entry each or a further thing of the one before; no key is split: `Daily interests: tea`."""
    start = 0
    for cut in split_at.finditer(line):
        before = line[start : cut.start()]
        is_within_a_key = not cut[0].strip() and CAPITALISED_AT_END.search(before)
        if (start or _entry(before)) and not is_within_a_key:
            yield before
            start = cut.end()
    yield line[start:]


def _entries_of(line: str, split_at: re.Pattern[str]) -> list[Entry]:
    """The line's entries; none if it is not a list's."""
    row = ROW.fullmatch(line)
    found: list[Entry] = []
    for part in [f"{row[1].strip()}：{row[2].strip()}"] if row else _parts(line, split_at):
        entry = _entry(part)
        if entry:
            found.append(entry)
        elif found and part.strip(MARKS + " []()"):
            found[-1] = _and_also(found[-1], part)
    return found


def _and_also(entry: Entry, thing: str) -> Entry:
    return replace(
        entry, text=f"{entry.text}{BETWEEN_THINGS}{thing}", value=f"{entry.value}{BETWEEN_THINGS}{_undressed(thing)}"
    )


def _entry(part: str) -> Entry | None:
    """The key and the value of an entry, in whatever dress."""
    text = part.strip()
    bare = text.replace("**", "").replace("`", "").lstrip(MARKS + " \t[({").strip()
    match = CALLED.fullmatch(bare.rstrip(" ]}"))
    quoted = QUOTED.findall(match["value"]) if match else []
    match = match or HEADED.fullmatch(bare) or KEYED.fullmatch(bare)
    if not match:
        return None
    key = BETWEEN_CHINESE.sub("", match["key"].strip(" \t*"))
    value = BETWEEN_THINGS.join(quoted) if quoted else _undressed(match["value"])
    return Entry(text, key, value, bool(quoted)) if value else None


def _undressed(value: str) -> str:
    """A value without the marks around it."""
    things = QUOTED.findall(value)
    if things and not QUOTED.sub("", value).strip(BETWEEN_QUOTED):
        return BETWEEN_THINGS.join(things)
    bare = EMOJI.sub("", value.strip()).rstrip(" ]}*.。,，")
    if bare.endswith((")", "）")) and not re.search("[(（]", bare):
        bare = bare[:-1]
    for opening, closing in QUOTES:
        if bare.startswith(opening) and bare.endswith(closing) and len(bare) > len(opening + closing):
            return bare[1:-1].strip()
    return bare
