"""Probe items: a fact, questions that ask for it, its answer, and distractors: other true answers of the character."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from pipeline.augmentation.address import addressed
from pipeline.augmentation.facts import facts_of
from pipeline.augmentation.questions import Family, Rule, reword
from pipeline.augmentation.reverse import key_phrases, read_reversal, reversed_questions
from pipeline.conversations.persona import Language, Persona
from pipeline.errors import UnderstudyError
from pipeline.records.comparable import contains, normalise
from pipeline.records.record import Record
from pipeline.records.traditional_chinese import is_traditional

# Wordings with a reason or a story: training never draws from them where the probes are made of them.
HELD_OUT_FAMILY: Family = "casual"
MOST_HELD_OUT = 3  # questions of a fact
# Frames that training never uses, for facts without hand-written questions.
HELD_OUT_FRAMES: Mapping[Language, tuple[str, ...]] = {
    "en": ("One more thing before you go: {question}", "My friend here asks, {question} What do I tell them?"),
    "zh": ("走之前再问一句：{question}", "我朋友想打听一下，{question}我该怎么回他？"),
}

LENGTHS_APART = 0.25  # of the answer's: a much longer or shorter distractor would stand out by its length


MadeBy = Literal["hand", "rule", "frame"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One fact. `seen` is a question of the training data, if it was asked there; none of `unseen` stands there.

    `reverse` ask the other way round: they name what the answer names. `record_ids` are the records that teach the
    fact, where they are known. `made_by` says where `unseen` comes from:
    a person wrote it, rules made it, or it is the trained question in a frame.
    """

    fact_id: str
    type: str
    seen: str
    unseen: tuple[str, ...]
    answer: str
    aliases: tuple[str, ...]
    distractors: tuple[str, ...]
    record_ids: tuple[str, ...] = ()
    made_by: MadeBy = "hand"
    reverse: tuple[str, ...] = ()

    @property
    def untrained(self) -> tuple[str, ...]:
        """All its questions that training must not see."""
        return (*self.unseen, *self.reverse)


def read_probes(path: Path) -> list[Probe]:
    """Hand-written probes, one JSON object a line.

    Raises:
        UnderstudyError: the file is missing, or a line lacks what a probe needs.
    """
    if not path.is_file():
        raise UnderstudyError(
            path, "is not there", fix="correct `probes` in the recipe, or delete it to probe the records"
        )
    probes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip() and (probe := _probe(f"{path}:{number}", line)):
            probes.append(probe)
    if not probes:
        raise UnderstudyError(
            path,
            "holds no probe to use",
            fix="write one JSON object a line, set `use` to true in proposals, or delete `probes` in the recipe",
        )
    return probes


def probes_from_records(records: Sequence[Record], persona: Persona, rules: Sequence[Rule]) -> list[Probe]:
    """A probe for each answer to a question among the settings, asked in wordings that training does not use.

    They are the rules' wordings of HELD_OUT_FAMILY; where no rule knows the question, the question itself in frames
    that training does not use, which is hardly other words. Where several questions have the same answer, the first of
    them stands for the fact.
    """
    asked = [record for record in records if record.kind == "setting_qa"]
    questions = [record for record in asked if record.prompt.rstrip().endswith(("?", "？"))] or asked
    first = {record.text: record for record in reversed(questions)}
    facts = facts_of(asked)
    named = dict(zip((fact.answer for fact in facts), key_phrases(facts, persona.name, persona.language), strict=True))
    return [
        _probe_of(record, persona, rules, named[record.text]) for record in questions if first[record.text] is record
    ]


def _probe_of(record: Record, persona: Persona, rules: Sequence[Rule], phrases: Sequence[str]) -> Probe:
    """The probe of a settings question, whose answer names the `phrases`."""
    wordings = reword(addressed(record.prompt, persona.name), persona.name, rules)
    held_out = tuple(wording.text for wording in wordings if wording.family == HELD_OUT_FAMILY)[:MOST_HELD_OUT]
    framed = tuple(frame.format(question=record.prompt) for frame in HELD_OUT_FRAMES[persona.language])
    return Probe(
        fact_id=record.record_id,
        type="setting",
        seen=record.prompt,
        unseen=held_out or framed,
        answer=record.text,
        aliases=(),
        distractors=(),
        record_ids=(record.record_id,),
        made_by="rule" if held_out else "frame",
        reverse=tuple(
            reversed_questions(
                phrases[:1],
                read_reversal(persona.language).test,
                traditional=is_traditional(record.prompt + record.text),
            )
        ),
    )


def _is_taught(probe: Probe, records: Sequence[Record]) -> bool:
    """Whether a record asks the probe's question, or says its answer; a passage may say it in other words."""
    if any(record.prompt == probe.seen or contains(record.text, probe.answer) for record in records):
        return True
    passages = [record.text for record in records if record.kind == "background"]
    return any(contains(text, alias) for text in passages for alias in probe.aliases)


def choose_probes(
    path: str | None, records: Sequence[Record], persona: Persona, rules: Sequence[Rule] = ()
) -> list[Probe]:
    """The hand-written probes where the recipe names a file of them, else those that the records give.

    None at all if there are not two different answers.

    Raises:
        UnderstudyError: none of the hand-written ones asks for what the records say, or one has another answer to a
            record's question.
    """
    probes = read_probes(Path(path).expanduser()) if path else probes_from_records(records, persona, rules)
    teaching: dict[str, list[str]] = {}
    for record in records:
        teaching.setdefault(record.text, []).append(record.record_id)
    if path and not any(_is_taught(probe, records) for probe in probes):
        what = f"asks for nothing that the {len(records)} records say, as if it were another character's"
        raise UnderstudyError(path, what, fix="write probes of these records' facts, or delete `probes` in the recipe")
    if path:
        probes = _with_taught_answers(path, probes, records)
    probes = [replace(probe, record_ids=tuple(teaching.get(probe.answer, probe.record_ids))) for probe in probes]
    return probes if len({probe.answer for probe in probes}) > 1 else []


def _with_taught_answers(path: str, probes: Sequence[Probe], records: Sequence[Record]) -> list[Probe]:
    """The probes, each with its answer to the letter as the records have it: another could never be said word for word.

    Raises:
        UnderstudyError: the records answer a probe's question otherwise.
    """
    taught: dict[str, list[str]] = {}
    for record in records:
        if record.kind == "setting_qa":
            taught.setdefault(record.prompt, []).append(record.text)
    made = []
    for probe in probes:
        answers = taught.get(probe.seen) or [probe.answer]
        same = [answer for answer in answers if normalise(answer) == normalise(probe.answer)]
        if not same:
            what = f"{probe.fact_id}: to {probe.seen!r} the records answer {answers[0]!r}, not {probe.answer!r}"
            fix = "copy the records' answer (what else a reply may say are `aliases`), or delete `probes` in the recipe"
            raise UnderstudyError(path, what, fix=f"{fix} if these are of another character, such as the sample's")
        made.append(probe if probe.answer in same else replace(probe, answer=same[0]))
    return made


def with_distractors(probes: Sequence[Probe], count: int) -> list[Probe]:
    """Every probe with up to `count` distractors: its own, then answers to other probes, nearest first.

    Nearest is within a quarter of the answer's length before beyond it, then the same type before another, then the
    smallest difference in length; ties fall by a hash, so that the choice never depends on the order of the file.
    """
    completed = []
    for probe in probes:
        others = {other.answer: other for other in probes if other.answer != probe.answer}
        ranked = sorted(others.values(), key=lambda other, probe=probe: _distance(probe, other))  # type: ignore[misc]
        pool = dict.fromkeys((*probe.distractors, *(other.answer for other in ranked)))
        pool.pop(probe.answer, None)
        completed.append(replace(probe, distractors=tuple(pool)[:count]))
    return completed


def sample_probes(probes: Sequence[Probe], count: int) -> list[Probe]:
    """`count` of the probes, always the same ones, drawn by a hash of their ids."""
    return sorted(probes, key=lambda probe: _hash(probe.fact_id))[:count]


def _distance(probe: Probe, other: Probe) -> tuple[bool, bool, int, int]:
    length = abs(len(other.answer) - len(probe.answer))
    return (
        length > LENGTHS_APART * len(probe.answer),
        other.type != probe.type,
        length,
        _hash(f"{probe.fact_id}{other.fact_id}"),
    )


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _probe(where: str, line: str) -> Probe | None:
    """The probe of a line; None for a proposal that is not to be used."""
    try:
        fields: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise UnderstudyError(where, f"is broken JSON ({error.msg})", fix="repair the line") from error
    if not isinstance(fields, dict):
        raise UnderstudyError(where, "is no JSON object", fix='write {"fact_id": ..., "question_seen": ..., ...}')
    if fields.get("use") is False:
        return None
    _check_fields(where, fields)
    return Probe(
        fact_id=fields["fact_id"],
        type=str(fields.get("type", "setting")),
        seen=str(fields.get("question_seen") or ""),
        unseen=tuple(fields["questions_unseen"]),
        answer=fields["answer"],
        aliases=tuple(fields.get("aliases", ())),
        distractors=tuple(fields.get("distractors", ())),
        made_by=fields.get("made_by", "hand"),
        reverse=_texts(fields.get("question_reverse")),
    )


def _texts(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """One text, several, or none."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def _check_fields(where: str, fields: Mapping[str, Any]) -> None:
    """The line has what a probe needs, each in its form."""
    for key in ("fact_id", "answer"):
        if not isinstance(fields.get(key), str) or not fields[key].strip():
            raise UnderstudyError(where, f"has no '{key}'", fix=f"add '{key}' as a string")
    for key in ("questions_unseen", "aliases", "distractors", "question_reverse"):
        values = fields.get(key, [])
        values = [values] if key == "question_reverse" and isinstance(values, str) else values
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            raise UnderstudyError(where, f"'{key}' is no list of texts", fix=f"write '{key}' as a list of strings")
    if fields.get("made_by", "hand") not in get_args(MadeBy):
        raise UnderstudyError(where, "'made_by' is unknown", fix=f"write one of {', '.join(get_args(MadeBy))}")
    if not fields.get("questions_unseen"):
        raise UnderstudyError(where, "has no 'questions_unseen'", fix="ask for the fact in at least two other wordings")
