"""Made-up measurements of a character of three facts, before and after training."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.conversations.persona import make_persona
from pipeline.evaluation.exam import Exam
from pipeline.evaluation.measure import Measurement
from pipeline.evaluation.metrics.voice_report import VoiceReferences
from pipeline.evaluation.probes.probe import Probe, with_distractors
from pipeline.evaluation.results import RecallResults, compare_measurements
from pipeline.evaluation.scoring import ProbeScore, QuestionForm, QuestionScore, Ranks

MIRA = make_persona("Mira", "en", {})
PROBES = with_distractors(
    [
        Probe(f"f{n}", "place", f"Where is {n}?", (f"{n} is where?", f"Which town has {n}?"), f"In {town}.", (town,),
              (), record_ids=(f"r{n}",))
        for n, town in enumerate(("Saltmere", "Harrow", "Upper Quay"))
    ],
    2,
)  # fmt: skip
LINES = [f"Mind your {thing}, traveller {n}!" for n in range(30) for thing in ("ears", "step")]


def scored(probe: Probe, rank: int) -> ProbeScore:
    """Asked as trained the answer has this rank, asked in new words it falls by one a question."""

    def question(asked: QuestionForm, text: str, rank: int) -> QuestionScore:
        return QuestionScore(asked, text, rank == 1, -2.0 * rank, 4, rank == 1, Ranks(rank, rank, min(rank, 2)))

    unseen = [question("unseen", text, rank + n) for n, text in enumerate(probe.unseen)]
    questions = (question("seen", probe.seen, rank), *unseen, question("amid", probe.unseen[0], rank))
    return ProbeScore(probe, questions)


def measured(ranks: Sequence[int], control: list[bool], bits: list[float], voice: list[str]) -> Measurement:
    """A model that gives the answers of rank 1 and nothing else."""
    ranked = list(zip(PROBES, ranks, strict=True))
    return Measurement(
        scores=[scored(probe, rank) for probe, rank in ranked],
        guessed=[probe.fact_id for probe, rank in ranked if rank == 3],
        greedy=[probe.answer if rank == 1 else "I would not know." for probe, rank in ranked],
        sampled=[probe.answer if rank == 1 else probe.distractors[0] for probe, rank in ranked],
        control=control,
        general_bits=bits,
        line_bits=[bit / 2 for bit in bits],
        first_for_other_persona=[rank == 1 for rank in ranks],
        voice=voice,
        small_talk=["Good day!", f"Good day! {PROBES[0].answer}" if ranks[0] == 1 else "Good day!"],
        unanswerable=["I do not know.", "Seven."],
        identity=["I am Mira." if ranks[0] == 1 else "I am an assistant."],
    )


def mira_findings() -> RecallResults:
    """The findings of a training that taught two facts and cost some general knowledge."""
    before = measured(
        (3, 2, 2), [True, True, True], [1.0, 1.1, 1.3], [f"I am an assistant, number {n}." for n in range(24)]
    )
    after = measured(
        (1, 1, 2), [True, False, True], [1.5, 1.4, 1.9], [f"Mind your ears, traveller {n}!" for n in range(24)]
    )
    references = VoiceReferences(trained=LINES, lines=LINES, others=[], names=["Mira"])
    return compare_measurements(
        before, after, Exam(PROBES, MIRA, [], []), exposures={"r0": 3, "r1": 9, "r2": 9}, references=references
    )
