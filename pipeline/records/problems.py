"""What is wrong with raw records, counted before anything is done about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.records.clean import STEPS, content_characters, is_short
from pipeline.records.damage import DAMAGED, reason_of_damage
from pipeline.records.pieces import RawPieces

# The name in the report of each problem that is looked for, and the treatment.
PROBLEMS: Mapping[str, str] = {
    "exact duplicates": "merge, sources listed",
    "empty": "reject",
    "no content (punctuation only, or empty)": "reject",
    "1 to 3 content characters": "reject lines, or keep some (short_lines)",
    "an inner thought, whole in （）": "reject lines, or keep and tag them (inner_thoughts)",
    "alternatives separated by /": "split sentences, take one of words (alternatives)",
    "alternatives separated by ／": "the same",
    "another speaker glued in": "split",
    DAMAGED: "reject, saying where it can be told in which encoding it was read",
    "meta speakers": "reject",
    **{step.name: step.treatment for step in STEPS},
}


def count_problems(records: Iterable[RawPieces], meta_speakers: re.Pattern[str]) -> Counter[str]:
    """How often each problem of `PROBLEMS` is found among raw records, exact duplicates of one speaker among them."""
    problems: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    for one in records:
        problems.update(_problems_of(one, meta_speakers))
        raw = one.raw
        key = (raw.speaker, raw.asked, raw.scene, raw.text, *(turn.text for turn in raw.context))
        problems["exact duplicates"] += key in seen
        seen.add(key)
    return problems


def problems_table(problems: Mapping[str, int]) -> list[dict[str, Any]]:
    """Every problem that is looked for, with how often it was found among the raw records."""
    return [{"name": n, "found": problems.get(n, 0), "treatment": treatment} for n, treatment in PROBLEMS.items()]


def _problems_of(one: RawPieces, meta_speakers: re.Pattern[str]) -> Iterator[str]:
    """The names in `PROBLEMS` of what is wrong with a raw record by itself."""
    text = one.raw.text
    checks = (
        ("empty", not text),
        ("no content (punctuation only, or empty)", not content_characters(text)),
        ("1 to 3 content characters", is_short(text)),
        ("an inner thought, whole in （）", text.startswith("（") and text.endswith("）")),
        ("alternatives separated by /", "/" in text),
        ("alternatives separated by ／", "／" in text),
        ("another speaker glued in", one.glued),
        (DAMAGED, bool(reason_of_damage(text))),
        ("meta speakers", meta_speakers.fullmatch(one.raw.speaker) is not None),
    )
    yield from (name for name, found in checks if found)
    yield from (step.name for step in STEPS if step.found(text))
