"""The lines of several speakers in one turn of a conversation by role: `Bram: Wait.` above `Mira: I wait.`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from pipeline.records.names import TELLS, spelling
from pipeline.records.raw import CHARACTER, RawTurn

# A name before a colon where a line begins: capitalised words, or some Chinese characters.
LABEL = re.compile(
    r"^[ \t]*(?P<mark>\*{0,2})(?P<name>[^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*){0,3})"
    r"(?:(?P=mark)[ \t]*[:：]|[ \t]*[:：](?P=mark))[ \t]*",
    re.MULTILINE,
)
PRONOUNS = "我你您他她它咱这這那"
SEVERAL = 3  # texts that begin with the same label
SMALL = frozenset({"of", "the", "de", "van", "von", "la", "le", "du"})  # within a name
CHINESE_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
# What people write before a colon besides names.
NO_NAME = re.compile(
    r"(?:side |final )?notes?|n\.?b\.?|p\.?s\.?|remember|listen|look|warning|caution|tips?|hints?|rules?|steps?|"
    r"example|result|answer|question|summary|conclusion|in short|first|second|third|finally|also|today|"
    r"tomorrow|ingredients|instructions?|status|verdict|truth|spoilers?|ooc|lessons?|breakfast|lunch|dinner|menu|price|translation|edit|update|dear|re|subject|to|from|date|title|"
    r"注意|记住|記住|听着|聽著|听好|聽好|提示|例如|比如|总之|總之|结论|結論|首先|其次|最后|最後|原因|答案?|问题?|問題?|步骤.?|步驟.?|心情|状态|狀態|地点|地點|时间|時間|哈+",
    re.IGNORECASE,
)


def turns_within(turn: RawTurn, names: Collection[str]) -> Iterator[RawTurn]:
    """The character's turn as the turns of a scene, where its own name stands before a line of it; else as it is.

    Only there it is likely that what stands before the other lines are names, too, and no `Note:`. Where it stands
    before the first line alone, the others may be a recipe's: then it goes, and the rest stays.
    """
    labels = list(LABEL.finditer(turn.text)) if turn.speaker == CHARACTER and names else []
    spellings = frozenset(spelling(part) for name in names for part in (name, name.split()[0]))
    if not any(spelling(label["name"]) in spellings for label in labels):
        yield turn
        return
    if all(label.start() == 0 for label in labels if spelling(label["name"]) in spellings):
        yield replace(turn, text=turn.text[labels[0].end() :].strip())
        return
    cuts = [label for label in labels if spelling(label["name"]) in spellings or _is_name(label["name"])]
    starts, ends = [0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(turn.text)]
    speakers = [CHARACTER, *(CHARACTER if spelling(cut["name"]) in spellings else cut["name"] for cut in cuts)]
    for speaker, start, end in zip(speakers, starts, ends, strict=True):
        if said := turn.text[start:end].strip():
            yield replace(turn, speaker=speaker, text=said)


def repeated_labels(texts: Iterable[str]) -> set[str]:
    """The names with which several of the character's texts begin: they are lines of somebody else.

    A word that the texts use otherwise, too, in small letters, is no name.
    """
    said = list(texts)
    found = Counter(label["name"] for label in map(LABEL.match, said) if label and _is_name(label["name"]))
    often = {name for name, count in found.items() if count >= SEVERAL and len(name) > 1}
    return {name for name in often if not name.islower() and not _is_a_word(name, said)}


def _is_a_word(name: str, texts: Iterable[str]) -> bool:
    """Whether it stands in the texts in small letters, or, in Chinese, amid a sentence."""
    word = re.compile(
        rf"(?<!^)(?<!\n){re.escape(name)}(?![:：])" if not name.isascii() else rf"\b{re.escape(name.lower())}\b"
    )
    return any(word.search(text) for text in texts)


def _is_name(label: str) -> bool:
    """Whether it can be somebody's name, by its letters: each word begins with a capital, or it is Chinese."""
    if NO_NAME.fullmatch(label) or TELLS.fullmatch(label) or label[0] in PRONOUNS:  # 她笑道：
        return False
    words = [word for word in label.split() if word not in SMALL]
    return CHINESE_NAME.fullmatch(label) is not None or all(word[0].isupper() for word in words)
