"""Lines that lost the turns before them, found again in a transcript that has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.records.assembly import clean_context
from pipeline.records.clean import CleaningRules, clean
from pipeline.records.near import jaccard, shingles
from pipeline.records.raw import CHARACTER, RawRecord
from pipeline.records.record import Record, Turn, content_id

MIN_SCORE = 0.8


@dataclass(frozen=True, slots=True)
class Joined:
    """The records, and how many lines were found, found with several different contexts, or not found."""

    records: tuple[Record, ...]
    found: int
    ambiguous: int
    missing: int
    samples: tuple[tuple[str, str, float], ...]  # line, the turn found before it, score


def join(
    records: Sequence[Record],
    transcript: Iterable[RawRecord],
    character: str,
    rules: CleaningRules,
    meta_speakers: re.Pattern[str],
) -> Joined:
    """Each line without context takes the context of the turn of the transcript with the same text, or nearly the same.

    The score is the Jaccard similarity of character 5-grams, 0.8 at least; the tag `joined 0.93` has it. Where
    several turns match equally well and their contexts differ, nothing is taken: a guess is no context.
    """
    turns = _turns_by_text(transcript, character, rules, meta_speakers)
    without_context = [i for i, record in enumerate(records) if record.kind == "dialogue" and not record.context]
    matches = _best_matches([records[i].text for i in without_context], list(turns))
    joined = list(records)
    found = ambiguous = 0
    samples: list[tuple[str, str, float]] = []
    for index in without_context:
        text, score = matches.get(records[index].text, ("", 0.0))
        contexts = turns.get(text, set())
        if len(contexts) > 1:
            ambiguous += 1
        elif contexts:
            found += 1
            context = next(iter(contexts))
            joined[index] = _with_context(records[index], context, score)
            samples.append((records[index].text, f"{context[-1].speaker}: {context[-1].text}", score))
    return Joined(tuple(joined), found, ambiguous, len(without_context) - found - ambiguous, tuple(samples[:10]))


def _turns_by_text(
    transcript: Iterable[RawRecord], character: str, rules: CleaningRules, meta_speakers: re.Pattern[str]
) -> dict[str, set[tuple[Turn, ...]]]:
    """The character's turns that have turns before them, each text with the different contexts that it has."""
    turns: dict[str, set[tuple[Turn, ...]]] = {}
    for raw in transcript:
        if raw.speaker in (character, CHARACTER) and raw.context and not raw.unusable:
            context = clean_context(raw.context, character, rules, meta_speakers)
            if not context:
                continue
            cleaned = clean(raw.text, rules, character)
            for text in {cleaned, cleaned.partition("\n")[0]}:  # a turn of several lines may be single lines elsewhere
                turns.setdefault(text, set()).add(context)
    return turns


def _best_matches(lines: Sequence[str], texts: Sequence[str]) -> Mapping[str, tuple[str, float]]:
    """For each line the most similar text of 0.8 or more, with its score. Exact: candidates share a rare 5-gram."""
    sets = [shingles(text) for text in texts]
    holders: dict[str, list[int]] = {}
    for index, tokens in enumerate(sets):
        for token in tokens:
            holders.setdefault(token, []).append(index)
    best: dict[str, tuple[str, float]] = {}
    for line in lines:
        tokens = shingles(line)
        rare = sorted(tokens, key=lambda token: len(holders.get(token, ())))[: len(tokens) // 5 + 1]
        for index in sorted({index for token in rare for index in holders.get(token, ())}):
            score = jaccard(tokens, sets[index])
            if score >= max(MIN_SCORE, best.get(line, ("", 0.0))[1] + 1e-12):
                best[line] = (texts[index], score)
    return best


def _with_context(record: Record, context: tuple[Turn, ...], score: float) -> Record:
    return replace(
        record,
        record_id=content_id(record.speaker, record.prompt, record.text, context),
        context=context,
        tags=(*record.tags, f"joined {score:.2f}"),
    )
