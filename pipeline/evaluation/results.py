"""What the untouched and the trained model's measurements say together: what `recall --json` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Literal, TypeVar

from pipeline.augmentation.boundaries import read_boundaries
from pipeline.evaluation.exam import Exam, Extent
from pipeline.evaluation.measure import Measurement
from pipeline.evaluation.metrics.conduct import ConductReplies, ConductRow, conduct_rows
from pipeline.evaluation.metrics.replies import alias_hit, contradiction
from pipeline.evaluation.metrics.statistics import Difference, Estimate, estimate, paired_difference
from pipeline.evaluation.metrics.voice_report import VoiceReferences, VoiceReport, compare_voices
from pipeline.evaluation.probes.probe import MadeBy, Probe
from pipeline.evaluation.scoring import ProbeScore, QuestionForm, QuestionScore
from pipeline.evaluation.summary import (
    ExposureGroup,
    Metric,
    Misses,
    RecallKey,
    by_exposure,
    count_misses,
    gains,
    generalisation_gaps,
    newly_known,
    summarise,
)

T = TypeVar("T")
DriftName = Literal["control", "general_bits", "line_bits", "elsewhere"]


@dataclass(frozen=True, slots=True)
class BeforeAfter(Generic[T]):
    """A figure of the base model and of the trained one."""

    base: T
    trained: T


@dataclass(frozen=True, slots=True)
class Headline:
    """Facts known word for word: as trained, and in new words (by more than half of the questions that ask so)."""

    facts: int
    asked_as_trained: int
    seen: int
    unseen: int
    base_seen: int
    base_unseen: int


@dataclass(frozen=True, slots=True)
class Answers:
    """What is right about the replies to each first question in new words, greedy and as chat samples them.

    None where the exam did not ask for the replies.
    """

    alias_hit: Estimate | None
    contradiction: Estimate | None
    sampled_alias_hit: Estimate | None
    sampled_contradiction: Estimate | None


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One thing that training may have spoilt; `worse` where the whole interval of the change is for the worse."""

    name: DriftName
    base: Estimate
    trained: Estimate
    change: Difference
    worse: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A question, the answer that it should have, and both models' replies."""

    question: str
    answer: str
    asked: QuestionForm
    base: str
    trained: str


@dataclass(frozen=True, slots=True)
class QuestionOutcome:
    """A question before and after: whether the answer is word for word, and ranks first (None: it was not ranked)."""

    question: str
    asked: QuestionForm
    base_exact: bool
    trained_exact: bool
    base_first: bool | None
    trained_first: bool | None
    trained_mean_log_prob: float


@dataclass(frozen=True, slots=True)
class Item:
    """One fact with both models' replies to its first question in new words, and the outcome of each question.

    `trained_says` is whether the trained model's reply says the fact, None where it was not asked to reply.
    """

    fact_id: str
    type: str
    answer: str
    guessed: bool
    base_reply: str | None
    trained_reply: str | None
    trained_says: bool | None
    questions: tuple[QuestionOutcome, ...]


@dataclass(frozen=True, slots=True)
class RecallResults:
    """Headline, every metric with its interval before and after, what was forgotten, voice, and every item.

    `misses` are the trained model's. `made_by` counts the questions in new words by where they come from.
    `guessed` are the facts whose answer the base model ranks first without a question.
    """

    extent: Extent
    headline: Headline
    recall: BeforeAfter[Mapping[RecallKey, Estimate]]
    gains: Mapping[RecallKey, Difference]
    gaps: BeforeAfter[Mapping[Metric, Difference]]
    newly_known: Estimate | None
    misses: Misses
    made_by: Mapping[MadeBy, int]
    guessed: tuple[str, ...]
    distractors: int
    answers: BeforeAfter[Answers]
    drift: tuple[DriftRow, ...]
    conduct: tuple[ConductRow, ...]
    voice: VoiceReport
    by_exposure: tuple[ExposureGroup, ...]
    samples: tuple[Sample, ...]
    items: tuple[Item, ...]

    def to_json(self) -> dict[str, Any]:
        """As `recall.json` has it."""
        return asdict(self) | {
            "recall": {"base": _named(self.recall.base), "trained": _named(self.recall.trained)},
            "gains": _named(self.gains),
            "voice": self.voice.to_json(),
        }


def compare_measurements(
    before: Measurement, after: Measurement, exam: Exam, *, exposures: Mapping[str, int], references: VoiceReferences
) -> RecallResults:
    """What the measurements of the base model and of the trained one say of the same exam.

    `exposures` are those of the run's ledger, by record id.
    """
    guessed = frozenset(before.guessed)
    replies = zip(before.scores, after.scores, before.greedy, after.greedy, strict=True)
    return RecallResults(
        extent=exam.extent,
        headline=_headline(before.scores, after.scores),
        recall=BeforeAfter(summarise(before.scores, guessed), summarise(after.scores, guessed)),
        gains=gains(before.scores, after.scores, guessed),
        gaps=BeforeAfter(generalisation_gaps(before.scores, guessed), generalisation_gaps(after.scores, guessed)),
        newly_known=newly_known(before.scores, after.scores, guessed),
        misses=count_misses(after.scores),
        made_by=_made_by(exam.probes),
        guessed=tuple(sorted(guessed)),
        distractors=min(len(probe.distractors) for probe in exam.probes),
        answers=BeforeAfter(_answers(before, exam.probes), _answers(after, exam.probes)),
        drift=_drift(before, after),
        conduct=_conduct(before, after, exam),
        voice=compare_voices(before.voice, after.voice, [text for _, text in exam.lines], references),
        by_exposure=tuple(by_exposure(after.scores, exposures)),
        samples=_samples(before, after, exam),
        items=tuple(_item(*pair, guessed=pair[0].probe.fact_id in guessed) for pair in replies),
    )


def _named(figures: Mapping[RecallKey, Any]) -> dict[str, Any]:
    return {key.name: asdict(figure) for key, figure in figures.items()}


def _headline(before: Sequence[ProbeScore], after: Sequence[ProbeScore]) -> Headline:
    return Headline(
        facts=len(after),
        asked_as_trained=sum(bool(score.questions_of("seen")) for score in after),
        seen=sum(_known(score.questions_of("seen")) for score in after),
        unseen=sum(_known(score.questions_of("unseen")) for score in after),
        base_seen=sum(_known(score.questions_of("seen")) for score in before),
        base_unseen=sum(_known(score.questions_of("unseen")) for score in before),
    )


def _known(questions: Sequence[QuestionScore]) -> bool:
    return 2 * sum(question.exact for question in questions) > len(questions)


def _answers(measured: Measurement, probes: Sequence[Probe]) -> Answers:
    aliases_of = {probe.answer: probe.aliases for probe in probes}

    def hits(probe: Probe, reply: str) -> bool:
        return alias_hit(reply, probe.aliases, probe.answer)

    def contradicts(probe: Probe, reply: str) -> bool:
        others = [alias for other in probe.distractors for alias in aliases_of.get(other) or (other,)]
        return contradiction(reply, probe.aliases, probe.answer, others)

    def share(judge: Callable[[Probe, str], bool], replies: Sequence[str | None]) -> Estimate | None:
        said = [reply for reply in replies if reply is not None]
        if len(said) < len(probes):
            return None
        return estimate([[judge(*pair)] for pair in zip(probes, said, strict=True)], share=True)

    return Answers(
        alias_hit=share(hits, measured.greedy),
        contradiction=share(contradicts, measured.greedy),
        sampled_alias_hit=share(hits, measured.sampled),
        sampled_contradiction=share(contradicts, measured.sampled),
    )


def _made_by(probes: Sequence[Probe]) -> dict[MadeBy, int]:
    counts: Counter[MadeBy] = Counter()
    for probe in probes:
        counts[probe.made_by] += len(probe.unseen)
    return dict(counts)


def _conduct(before: Measurement, after: Measurement, exam: Exam) -> tuple[ConductRow, ...]:
    if exam.extent == "quick":
        return ()
    persona = exam.persona
    said = [(one, [reply or "" for reply in one.greedy]) for one in (before, after)]
    return conduct_rows(
        *(ConductReplies(one.small_talk, one.unanswerable, one.identity, facts, one.premises) for one, facts in said),
        name=persona.name,
        language=persona.language,
        golds=[(probe.aliases, probe.answer) for probe in exam.probes],
        refusals=read_boundaries(persona.language).refusal_markers,
        put_right=[(one.aliases, one.answer) for one in exam.premises],
    )


def _drift(before: Measurement, after: Measurement) -> tuple[DriftRow, ...]:
    rows = (
        _drift_row("control", before.control, after.control, share=True, more_is_better=True),
        _drift_row("general_bits", before.general_bits, after.general_bits, share=False),
        _drift_row("line_bits", before.line_bits, after.line_bits, share=False),
        _drift_row("elsewhere", before.first_for_other_persona, after.first_for_other_persona, share=True),
    )
    return tuple(row for row in rows if row)


def _drift_row(
    name: DriftName, before: Sequence[float], after: Sequence[float], *, share: bool, more_is_better: bool = False
) -> DriftRow | None:
    """The row of these values, item by item; None with fewer than two."""
    if len(before) < 2:
        return None
    old, new = [[float(value)] for value in before], [[float(value)] for value in after]
    change = paired_difference(old, new)
    worse = change.high < 0 if more_is_better else change.low > 0
    return DriftRow(name, estimate(old, share=share), estimate(new, share=share), change, worse)


def _samples(before: Measurement, after: Measurement, exam: Exam) -> tuple[Sample, ...]:
    """Some questions with both models' replies."""
    shown = exam.samples
    return tuple(
        Sample(question=probe.unseen[0], answer=probe.answer, asked="unseen", base=old or "", trained=new or "")
        for probe, old, new in zip(exam.probes, before.greedy, after.greedy, strict=True)
        if probe.fact_id in shown
    )


def _item(
    before: ProbeScore, after: ProbeScore, old_reply: str | None, new_reply: str | None, *, guessed: bool
) -> Item:
    probe = after.probe
    questions = tuple(
        QuestionOutcome(
            question=new.question,
            asked=new.asked,
            base_exact=old.exact,
            trained_exact=new.exact,
            base_first=old.first,
            trained_first=new.first,
            trained_mean_log_prob=new.log_prob / max(new.tokens, 1),
        )
        for old, new in zip(before.questions, after.questions, strict=True)
    )
    says = None if new_reply is None else alias_hit(new_reply, probe.aliases, probe.answer)
    return Item(probe.fact_id, probe.type, probe.answer, guessed, old_reply, new_reply, says, questions)
