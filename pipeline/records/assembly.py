"""One character's raw records to its records: cleaned, classified, and each kept, merged or rejected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.records.classify import Classification, Doubt, TitlePatterns, classify, doubt
from pipeline.records.clean import (
    STEPS,
    CleaningRules,
    clean,
    content_characters,
    has_placeholder,
    is_short,
    is_thought,
)
from pipeline.records.control_tokens import reason_of_template
from pipeline.records.damage import reason_of_damage
from pipeline.records.private_data import mask_private
from pipeline.records.raw import CHARACTER, RawRecord
from pipeline.records.record import Kind, Record, Turn, content_id
from pipeline.records.reject import Reject, reason_of_speaker

SAMPLES = 5  # before and after, of each step
SHORT_LINE, THOUGHT, NO_CONTENT = "1 to 3 characters", "an inner thought", "no content"
UNRESOLVED, REVIEWED = "an unresolved placeholder", "left out by review"
Decision = Kind | Literal["reject"]  # what a review may decide


@dataclass(frozen=True, slots=True)
class AssemblyOptions:
    """The rules of cleaning, the patterns of titles and of meta speakers, and the decisions of a review."""

    patterns: TitlePatterns
    meta_speakers: re.Pattern[str]
    rules: CleaningRules
    decisions: Mapping[str, Decision]


@dataclass(frozen=True, slots=True)
class StepReport:
    """How many texts a step changed, and some of them before and after it."""

    name: str
    treatment: str
    changed: int
    samples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Assembled:
    """`read == len(records) + duplicates + len(rejects)`, where `read` counts pieces after splitting."""

    read: int
    records: tuple[Record, ...]
    duplicates: int
    rejects: tuple[Reject, ...]
    steps: tuple[StepReport, ...]
    doubts: tuple[tuple[Record, Doubt], ...]


class Assembly:
    """Takes a character's pieces one by one, and gives what became of them."""

    def __init__(self, character: str, options: AssemblyOptions) -> None:
        self._character, self._options = character, options
        self._read = self._duplicates = self._short = 0
        self._kept: dict[str, Record] = {}
        self._rejects: list[Reject] = []
        self._also: dict[str | int, list[str]] = {}  # by record id, or number of the reject
        self._seen: dict[tuple[object, ...], str | int] = {}
        self._changed: Counter[str] = Counter()
        self._samples: dict[str, list[tuple[str, str]]] = {}
        self._doubts: dict[str, Doubt] = {}

    def add(self, piece: RawRecord) -> None:
        """Keep the piece, merge it with an equal one, or reject it."""
        self._read += 1
        if piece.speaker == CHARACTER:
            piece = replace(piece, speaker=self._character)
        key = (piece.speaker, piece.asked, piece.scene, piece.text, piece.context, piece.kind, piece.unusable)
        if key in self._seen:
            self._merge(self._seen[key], piece.source)
            return
        reason, record = self._decide(piece)
        if record is None:
            self._seen[key] = len(self._rejects)
            self._rejects.append(Reject(piece.source, reason, piece.speaker, piece.text))
        elif record.record_id in self._kept:
            self._seen[key] = record.record_id
            self._merge(record.record_id, piece.source)
        else:
            self._seen[key] = record.record_id
            self._kept[record.record_id] = record

    def result(self) -> Assembled:
        """What became of everything added."""
        records = {
            name: replace(record, also=tuple(self._also[name])) if name in self._also else record
            for name, record in self._kept.items()
        }
        rejects = (
            replace(reject, also=tuple(self._also[number])) if number in self._also else reject
            for number, reject in enumerate(self._rejects)
        )
        steps = (
            StepReport(step.name, step.treatment, self._changed[step.name], tuple(self._samples.get(step.name, ())))
            for step in STEPS
        )
        return Assembled(
            read=self._read,
            records=tuple(records.values()),
            duplicates=self._duplicates,
            rejects=tuple(rejects),
            steps=tuple(step for step in steps if step.changed),
            doubts=tuple((records[name], found) for name, found in self._doubts.items()),
        )

    def _merge(self, with_: str | int, source: str) -> None:
        self._duplicates += 1
        self._also.setdefault(with_, []).append(source)

    def _decide(self, piece: RawRecord) -> tuple[str, Record | None]:
        """The reason to reject it, or the record."""
        if piece.unusable or piece.speaker != self._character:
            return reason_of_speaker(piece, self._options.meta_speakers), None
        text = self._cleaned(piece.text)
        classified = self._classify(piece)
        is_line = classified.kind == "dialogue" and not piece.asked
        tags = tuple(name for name, there in ((THOUGHT, is_thought(text)), (SHORT_LINE, is_short(text))) if there)
        damage = reason_of_damage(f"{piece.asked}\n{piece.text}")
        if reason := damage or self._reason_to_reject(text, tags if is_line else ()):
            return reason, None
        record = self._record(piece, text, classified, (classified.subkind, *(tags if is_line else ())))
        decision = self._options.decisions.get(record.record_id)
        if decision == "reject":
            return REVIEWED, None
        if decision:
            return "", replace(record, kind=decision, why="decided in the review")
        if found := doubt(record.kind, piece.asked, text, self._character):
            self._doubts.setdefault(record.record_id, found)
        return "", record

    def _classify(self, piece: RawRecord) -> Classification:
        if piece.kind is None:
            return classify(piece.filed_under or piece.asked, self._options.patterns)
        subkind = {"background": "passage", "setting_qa": "persona", "dialogue": "line"}[piece.kind]
        return Classification(piece.kind, piece.why, subkind)

    def _reason_to_reject(self, text: str, tags: tuple[str, ...]) -> str:
        if not content_characters(text):
            return NO_CONTENT
        if reason := reason_of_template(text):
            return reason
        if has_placeholder(text):
            return UNRESOLVED
        if THOUGHT in tags and not self._options.rules.inner_thoughts:
            return THOUGHT
        if SHORT_LINE in tags:
            self._short += 1
            return SHORT_LINE if self._short > self._options.rules.short_lines else ""
        return ""

    def _record(self, piece: RawRecord, text: str, classified: Classification, tags: tuple[str, ...]) -> Record:
        rules, meta_speakers, prompt = self._options.rules, self._options.meta_speakers, piece.asked or piece.scene
        if classified.kind == "dialogue" and piece.filed_under and piece.context:
            prompt = ""  # what it is a reply to stands before it, and its title only names the occasion
        before = piece.context if classified.kind == "dialogue" else ()
        context = clean_context(before, self._character, rules, meta_speakers)
        prompt = clean(prompt, rules, self._character)
        return Record(
            record_id=content_id(piece.speaker, prompt, text, context),
            kind=classified.kind,
            prompt=prompt,
            text=text,
            context=context,
            speaker=piece.speaker,
            source=piece.source,
            scene=piece.place,
            why=classified.why,
            tags=tags,
        )

    def _cleaned(self, text: str) -> str:
        for step in STEPS:
            after = step.apply(text, self._options.rules, self._character)
            if after != text:
                self._changed[step.name] += 1
                samples = self._samples.setdefault(step.name, [])
                if len(samples) < SAMPLES:
                    samples.append(self._shown(text, after))
            text = after
        return text

    def _shown(self, before: str, after: str) -> tuple[str, str]:
        """A step's sample, as a report may show it."""
        return (mask_private(before), mask_private(after)) if self._options.rules.mask_private else (before, after)


def clean_context(
    context: Sequence[Turn], character: str, rules: CleaningRules, meta_speakers: re.Pattern[str]
) -> tuple[Turn, ...]:
    """The turns before a line, cleaned, without empty ones, those of speakers who are nobody, and last ones of its own.

    So the last turn is always somebody else's, as a prompt's has to be. What a note separated is one turn.
    """
    turns: list[Turn] = []
    parted = False  # something was dropped after the last turn
    for turn in context:
        speaker, text = _speaker(turn.speaker, character, rules), clean(turn.text, rules, character)
        if not text or (speaker != character and meta_speakers.fullmatch(speaker)):
            parted = True
        elif parted and turns and turns[-1].speaker == speaker:
            turns[-1], parted = Turn(speaker, f"{turns[-1].text}\n{text}"), False
        else:
            turns.append(Turn(speaker, text))
            parted = False
    while turns and turns[-1].speaker == character:
        turns.pop()
    return tuple(turns)


def _speaker(name: str, character: str, rules: CleaningRules) -> str:
    """The name as a prompt may show it: somebody who is in no phone's contacts has a number for a name."""
    if name == CHARACTER:
        return character
    return mask_private(name) if rules.mask_private and name != character else name


def assemble(character: str, pieces: Iterable[RawRecord], options: AssemblyOptions) -> Assembled:
    """What becomes of a character's pieces."""
    assembly = Assembly(character, options)
    for piece in pieces:
        assembly.add(piece)
    return assembly.result()
