"""The exam of a run: its facts, its held-out lines, and the prompts that its voice is sampled with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipeline.augmentation.boundaries import Boundaries, read_boundaries
from pipeline.augmentation.facts import facts_of
from pipeline.augmentation.items import is_near_any
from pipeline.augmentation.limits import unknown_things
from pipeline.augmentation.premises import false_premises
from pipeline.augmentation.reverse import asked_of_strangers, read_reversal
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, render
from pipeline.evaluation.metrics.replies import alias_hit
from pipeline.evaluation.metrics.voice_report import VoiceReferences
from pipeline.evaluation.probes.probe import Probe, sample_probes, with_distractors
from pipeline.home import kept_file
from pipeline.models.identity import model_identity
from pipeline.records.files import REJECTS_FILE
from pipeline.records.record import Record
from pipeline.records.reject import ANOTHER_SPEAKER

VOICE_REPLIES = 24
SAMPLES = 5  # facts with the base model's reply beside the trained one's, even where it is not asked for all
# How much is asked: what is known and the two most telling prices, in a minute on two cores; or everything.
Extent = Literal["quick", "full"]


@dataclass(frozen=True, slots=True)
class WrongPremise:
    """Something wrong that is said of a fact, and the fact's aliases and answer, which put it right."""

    text: str
    aliases: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Exam:
    """All that a model is asked: the same for the base and for the trained one.

    `lines` are (prompt, line) of real lines that training did not see, as far as any were held out. `small_talk`,
    `unanswerable` and `identity` are messages that ask for no fact, for none that a record gives, and for who it is;
    `premises` say something wrong of a fact. A quick exam has none of these, and asks the base model for replies to its
    `samples` alone.
    """

    probes: Sequence[Probe]
    persona: Persona
    lines: Sequence[tuple[tuple[Message, ...], str]]
    voice_prompts: Sequence[tuple[Message, ...]]
    small_talk: Sequence[str] = ()
    unanswerable: Sequence[str] = ()
    identity: Sequence[str] = ()
    premises: Sequence[WrongPremise] = ()
    extent: Extent = "full"

    @property
    def samples(self) -> frozenset[str]:
        """The facts whose replies are shown, chosen by a hash of their ids: nobody picks the good ones."""
        return frozenset(probe.fact_id for probe in sample_probes(self.probes, SAMPLES))


def make_exam(
    probes: Sequence[Probe],
    records: Sequence[Record],
    persona: Persona,
    run: Mapping[str, Any],
    *,
    distractors: int,
    extent: Extent = "full",
) -> tuple[Exam, dict[str, int]]:
    """The exam of a run, and how many facts and questions were left out of it, by reason.

    Facts that the run itself was steered by (early stopping, the choice of the best model) are left out, since they
    would flatter it; so are questions that hold their own answer, and hand-written ones that stand nearly so among the
    records. `run` is what `run.json` holds.
    """
    arguments = run["arguments"]
    steered = bool(arguments.get("load_best_model_at_end") or arguments.get("early_stopping"))
    used = {probe.fact_id for probe in sample_probes(probes, arguments["recall_items"])} if steered else set()
    fresh = [drop_trained(probe, records) for probe in probes if probe.fact_id not in used]
    kept = [asking for probe in fresh if probe and (asking := drop_revealing(probe))]
    asked = with_distractors(kept, distractors)
    quick = Exam(probes=asked, persona=persona, lines=(), voice_prompts=(), extent="quick")
    exam = quick if extent == "quick" else _full_exam(quick, records, run)
    in_all = _questions(probe for probe in probes if probe.fact_id not in used)
    untrained = _questions(probe for probe in fresh if probe)
    left_out = {
        "facts that steered the run": len(used),
        "questions that are nearly ones of the training": in_all - untrained,
        "questions that hold their own answer": untrained - _questions(kept),
        "facts that are taught and that no test question asks for": len(
            {fact.answer for fact in facts_of(records)} - {probe.answer for probe in probes}
        ),
    }
    return exam, {reason: count for reason, count in left_out.items() if count}


def _full_exam(quick: Exam, records: Sequence[Record], run: Mapping[str, Any]) -> Exam:
    """The quick exam with held-out lines, prompts for its voice, and what asks for no fact."""
    persona, held_out = quick.persona, set(run.get("held_out", ()))
    lines = [record for record in records if record.record_id in held_out]
    spoken = lines + sorted(
        (record for record in records if record.kind == "dialogue" and record.record_id not in held_out),
        key=lambda record: record.record_id,
    )
    prompts = [_chat_prompt_of(record, persona, run["arguments"]["speaker_names"]) for record in spoken]
    distinct = {json.dumps(prompt, ensure_ascii=False): prompt for prompt in prompts}
    boundaries = read_boundaries(persona.language)
    return replace(
        quick,
        lines=[(prompt, record.text) for prompt, record in zip(prompts, lines, strict=False)],
        voice_prompts=list(distinct.values())[:VOICE_REPLIES],
        small_talk=boundaries.small_talk.test,
        unanswerable=[
            *(text for one in unknown_things(records, boundaries) for text in one.questions.test),
            *asked_of_strangers(records, boundaries.strangers.test, read_reversal(persona.language).test, 1),
        ],
        identity=boundaries.identity.test,
        premises=_wrong_premises(quick.probes, records, persona, boundaries),
        extent="full",
    )


def _wrong_premises(
    probes: Sequence[Probe], records: Sequence[Record], persona: Persona, boundaries: Boundaries
) -> list[WrongPremise]:
    """What is wrongly said of the facts that the exam asks for."""
    aliases = {probe.answer: probe.aliases for probe in probes}
    facts = [fact for fact in facts_of(records) if fact.answer in aliases]
    return [
        WrongPremise(said, aliases[one.fact.answer], one.fact.answer)
        for one in false_premises(facts, records, boundaries, persona.language)
        for said in one.test
    ]


def drop_trained(probe: Probe, records: Sequence[Record]) -> Probe | None:
    """The probe without questions that a record of its fact nearly asks; None if none is left.

    Only a person can have written such a question: what rules make is held out from training whole, and what stands in
    frames is known to be the trained question.
    """
    if probe.made_by != "hand":
        return probe
    trained = [one.prompt for one in records if one.kind == "setting_qa" and one.text == probe.answer]
    unseen, reverse = (
        tuple(text for text in texts if not is_near_any(text, trained)) for texts in (probe.unseen, probe.reverse)
    )
    return replace(probe, unseen=unseen, reverse=reverse) if unseen else None


def drop_revealing(probe: Probe) -> Probe | None:
    """The probe without the questions that hold its answer; None if none is left, or the trained one holds it."""
    unseen = tuple(question for question in probe.unseen if not alias_hit(question, probe.aliases, probe.answer))
    return replace(probe, unseen=unseen) if unseen and not alias_hit(probe.seen, probe.aliases, probe.answer) else None


def voice_references(
    records: Sequence[Record], run: Mapping[str, Any], records_folder: Path, persona: Persona
) -> VoiceReferences:
    """What the run was trained on, and the other speakers' lines, which its conversion rejected."""
    trained = [record for record in records if record.record_id not in run.get("held_out", ())]
    try:
        rejects = list(map(json.loads, (records_folder / REJECTS_FILE).read_text(encoding="utf-8").splitlines()))
    except OSError:
        rejects = []
    others = [reject for reject in rejects if reject["reason"] == ANOTHER_SPEAKER]
    return VoiceReferences(
        trained=[record.text for record in trained],
        lines=[record.text for record in trained if record.kind == "dialogue"],
        others=list(dict.fromkeys(reject["text"] for reject in others)),
        names=[persona.name, *dict.fromkeys(reject["speaker"] for reject in others)],
    )


def cache_file(model: str, options: Mapping[str, Any], template: str, exam: Exam) -> Path:
    """Where the base model's outcome on this exam is kept: by the content of all that decides it."""
    return kept_file("recall", [*model_identity(model, options, template), asdict(exam)])


def _questions(probes: Iterable[Probe]) -> int:
    return sum(len(probe.unseen) for probe in probes)


def _chat_prompt_of(record: Record, persona: Persona, speaker_names: str) -> tuple[Message, ...]:
    """The prompt of a line as chat has it."""
    return render(record, persona, chat_share=1, speaker_names=speaker_names)[0].prompt
