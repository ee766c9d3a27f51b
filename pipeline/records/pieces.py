"""Lines of raw files split into pieces: other speakers' lines glued into them, and a player's options."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from pipeline.records.clean import CleaningRules
from pipeline.records.raw import RawRecord
from pipeline.records.text_patterns import AFTER_SENTENCE, BEFORE_NAME, SLASH


@dataclass(frozen=True, slots=True)
class RawPieces:
    """A raw record and the pieces it was split into; `glued` is whether lines of other speakers were among them."""

    raw: RawRecord
    pieces: tuple[RawRecord, ...]
    glued: bool


def pieces_of(raw: RawRecord, names: Collection[str], rules: CleaningRules) -> RawPieces:
    """The raw record split: lines of the speakers `names` glued into it, and a player's options, one by one."""
    lines = split_glued(raw.speaker, raw.text, names)
    uncut = [(raw.speaker, raw.text)]
    if raw.asked or raw.unusable or raw.kind not in (None, "dialogue"):
        return RawPieces(raw, (raw,), lines != uncut)
    parts = [(speaker, option) for speaker, line in lines for option in split_alternatives(line, rules)]
    if parts == uncut:
        return RawPieces(raw, (raw,), lines != uncut)
    return RawPieces(raw, tuple(replace(raw, speaker=speaker, text=text) for speaker, text in parts), lines != uncut)


def split_alternatives(text: str, rules: CleaningRules) -> list[str]:
    """Full sentences separated by a slash, a player's options, one by one; any other text is its own only piece."""
    if "/" not in text and "／" not in text:
        return [text]
    if not AFTER_SENTENCE.search(_outside_quotes(text)):
        return [text]
    quoted = _outside_quotes(text)
    starts = [0, *(match.end() for match in SLASH.finditer(quoted))]
    ends = [*(match.start() for match in SLASH.finditer(quoted)), len(text)]
    parts = [text[start:end].strip() for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]
    if rules.alternatives == "split" or len(parts) < 2:
        return parts or [text]
    return [parts[rules.alternatives == "second"]]


def split_glued(speaker: str, text: str, names: Collection[str]) -> list[tuple[str, str]]:
    """(speaker, text) parts of a line into which the lines of other known speakers were glued, as "Name: ..."."""
    if ":" not in text and "：" not in text:
        return [(speaker, text)]
    cuts = [match for match in BEFORE_NAME.finditer(text) if match["name"].strip() in names]
    if not cuts:
        return [(speaker, text)]
    speakers = [speaker, *(cut["name"].strip() for cut in cuts)]
    starts = [0, *(cut.end() for cut in cuts)]
    ends = [*(cut.start() for cut in cuts), len(text)]
    parts = [
        (who, text[start:end].strip().rstrip("/／&＆").strip())
        for who, start, end in zip(speakers, starts, ends, strict=True)
    ]
    return [(who, part) for who, part in parts if part] or [(speaker, text)]


def _outside_quotes(text: str) -> str:
    """The text with what is quoted in 「」 and the slashes of tags and notes blanked out: they separate nothing."""
    unquoted = re.sub(r"「[^「」]*」", lambda match: "「" + "_" * (len(match[0]) - 2) + "」", text)
    return re.sub(r"/{2,}|</|/>", lambda match: "_" * len(match[0]), unquoted)
