"""The entries of a line of a character's attributes, in whatever dress: `Age: 27`, `【年龄】27`, a table's row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.augmentation.extraction_grammar import Grammar
from pipeline.records.readers.pages.profile import IN_UNITS

MARKS = "-*•·●◆■◇○※★☆>+#"
QUOTES = (('"', '"'), ("“", "”"), ("「", "」"), ("『", "』"), ("‘", "’"))
BETWEEN_THINGS = "；"
KEY = r"(?P<key>[^\W\d_][^:：=()（）\"“【】|]{0,24}?)"
ROW = re.compile(r"\|([^|]+)\|([^|]+)\|?")
HEADED = re.compile(r"【(?P<key>[^【】]{1,24})】\s*[:：]?\s*(?P<value>.+)")
KEYED = re.compile(rf"{KEY}(?P<unit>{IN_UNITS})?\s*[:：=]\s*(?P<value>.+)", re.IGNORECASE)
COLUMNS = re.compile(
    r"(?P<key>[^\W\d_][^\s:：=，,。…]{0,11})(?:\t+|[ \u3000]{2,}|(?<=\S\S)\u3000)(?P<value>[^\s:：=][^\t:：=]*)"
)
CALLED = re.compile(rf"{KEY}\s*[(（]\s*(?P<value>[\"“][^()（）]+[\"”])\s*[)）]")
QUOTED = re.compile(r"[\"“]([^\"“”]+)[\"”]")
BARE_NUMBER = re.compile(r"[0-9０-９]+(?:[.．][0-9０-９]+)?")
BETWEEN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
BETWEEN_QUOTED = " []{},，、+;；/"
CAPITALISED_AT_END = re.compile(r"\b[A-Z][a-z]*$")
EMOJI = re.compile("[\u2190-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]+$")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value, as they stand in a list; `is_quoted` as in `Likes("tea" + "toast")`."""

    text: str
    key: str
    value: str
    is_quoted: bool = False


def split_pattern(grammar: Grammar) -> re.Pattern[str]:
    """Where a line's next entry may begin: at semicolons, and before what is known for a key."""
    headed = rf"【(?:{grammar.known_keys})】"
    key = rf"[\[*]*(?:{grammar.known_keys})\**(?:{IN_UNITS})?\s*(?:[:：=]|[(（]\s*[\"“])|{headed}"
    called = r"(?<=[)）])\s*(?=[^\W\d_][^:：=()（）\"“\n]{0,24}[(（]\s*[\"“])"  # known or not
    return re.compile(rf"\s*[;；]\s*|[\s/／|｜,，、.。]+(?={key})|(?<=[^\s*])(?={headed})|{called}", re.IGNORECASE)


def entries_of(line: str, split_at: re.Pattern[str]) -> list[Entry]:
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


def bare_key(key: str) -> str:
    """A key without the marks around it: 姓　名 is 姓名."""
    return BETWEEN_CHINESE.sub("", key.strip(MARKS + " \t\u3000[]【】:："))


def with_colon(line: str) -> str:
    """A line in two columns, 别号 and its value after a tab or a wide space, as one with a colon."""
    found = COLUMNS.fullmatch(line.lstrip(MARKS + " "))
    return f"{found['key']}：{found['value']}" if found else line


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


def _and_also(entry: Entry, thing: str) -> Entry:
    return replace(
        entry, text=f"{entry.text}{BETWEEN_THINGS}{thing}", value=f"{entry.value}{BETWEEN_THINGS}{undressed(thing)}"
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
    value = BETWEEN_THINGS.join(quoted) if quoted else undressed(match["value"])
    unit = match.groupdict().get("unit") or ""
    return Entry(text, key, _in_unit(value, unit), bool(quoted)) if value else None


def _in_unit(value: str, unit: str) -> str:
    """A number with the unit that its key has: 身高(cm)：179 is 179cm."""
    bare = unit.casefold().strip(" ()（）/／").removeprefix("in ")
    if not bare or not BARE_NUMBER.fullmatch(value):
        return value
    return f"{value} {bare}" if unit.startswith(" ") else f"{value}{bare}"


def undressed(value: str) -> str:
    """A value without the marks around it."""
    things = QUOTED.findall(value)
    if things and not QUOTED.sub("", value).strip(BETWEEN_QUOTED):
        return BETWEEN_THINGS.join(things)
    bare = EMOJI.sub("", value.strip()).rstrip(" ]}*.。,，、;；")
    if bare.endswith((")", "）")) and not re.search("[(（]", bare):
        bare = bare[:-1]
    for opening, closing in QUOTES:
        if bare.startswith(opening) and bare.endswith(closing) and len(bare) > len(opening + closing):
            return bare[1:-1].strip()
    return bare
