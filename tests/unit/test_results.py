"""The figures of the report are those of the questions, and nothing flatters."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversations.persona import make_persona
from pipeline.evaluation.exam import Exam, drop_revealing, make_exam
from pipeline.evaluation.measure import Measurement, load_measurement, save_measurement
from pipeline.evaluation.metrics.voice_report import VoiceReferences
from pipeline.evaluation.probes.probe import Probe, sample_probes, with_distractors
from pipeline.evaluation.report.tables import format_results, format_samples
from pipeline.evaluation.results import Headline, RecallResults, compare_measurements
from pipeline.evaluation.scoring import ProbeScore, QuestionScore, Ranks
from pipeline.evaluation.summary import RecallKey, by_exposure, newly_known, summarise
from pipeline.records.record import Record

UNSEEN_EXACT, UNSEEN_FIRST = RecallKey("unseen", "exact"), RecallKey("unseen", "at_1")
MIRA = make_persona("Mira", "en", {})
PROBES = with_distractors(
    [
        Probe(f"f{n}", "taste", f"Do you like {n}?", (f"Is {n} to your taste?", f"{n}, yes?"), f"I like number {n}.",
              (f"number {n}",), (), record_ids=(f"r{n}",))
        for n in range(10, 34)
    ],
    3,
)  # fmt: skip


def scored(probe: Probe, exact: bool, rank: int) -> ProbeScore:
    def question(asked: Any, text: str) -> QuestionScore:
        return QuestionScore(asked, text, exact, -2.0 if exact else -20.0, 4, rank == 1, Ranks(rank, rank, rank))

    questions = [question("seen", probe.seen), *(question("unseen", text) for text in probe.unseen)]
    return ProbeScore(probe, (*questions, question("amid", probe.unseen[0])))


def measured(*, exact: bool, rank: int, guessed: int = 0, general: float = 1.0) -> Measurement:
    return Measurement(
        scores=[scored(probe, exact, rank) for probe in PROBES],
        guessed=[probe.fact_id for probe in PROBES[:guessed]],
        greedy=[probe.answer if exact else "I would not know." for probe in PROBES],
        sampled=[probe.answer if exact else probe.distractors[0] for probe in PROBES],
        control=[True] * 8,
        general_bits=[general + n / 100 for n in range(6)],
        line_bits=[],
        first_for_other_persona=[False] * len(PROBES),
        voice=["Mind your ears, traveller."] * 24,
    )


EXAM = Exam(PROBES, MIRA, [], [])
REFERENCES = VoiceReferences(
    trained=["The bells are out of tune."], lines=["The bells are out of tune."], others=[], names=["Mira"]
)


def found(before: Measurement, after: Measurement) -> RecallResults:
    return compare_measurements(
        before, after, EXAM, exposures={f"r{n}": 3 if n < 20 else 9 for n in range(10, 34)}, references=REFERENCES
    )


def test_a_model_that_learnt_everything_is_told_from_one_that_knows_nothing() -> None:
    report = found(measured(exact=False, rank=4), measured(exact=True, rank=1))
    assert report.headline == Headline(facts=24, asked_as_trained=24, seen=24, unseen=24, base_seen=0, base_unseen=0)
    assert report.recall.trained[UNSEEN_EXACT].value == 1
    assert report.recall.base[UNSEEN_FIRST].value == 0
    assert report.gains[UNSEEN_EXACT].value == 1
    assert report.gains[UNSEEN_EXACT].low > 0.7
    assert report.newly_known is not None
    assert report.newly_known.value == 1
    assert report.answers.trained.alias_hit.value == 1
    assert report.answers.base.alias_hit.value == 0
    assert report.answers.base.sampled_contradiction.value == 1
    assert [group.exact.value for group in report.by_exposure] == [1, 1]
    assert "24" in format_results(report) or "1.00" in format_results(report)
    assert "(fact:  I like number" in format_samples(report.samples)


def test_the_gap_is_what_is_known_as_trained_and_not_in_new_words() -> None:
    by_heart = measured(exact=True, rank=1)
    paraphrased_probes = [
        replace(question, exact=False) for question in by_heart.scores[0].questions if question.asked != "seen"
    ]
    for number, score in enumerate(by_heart.scores[:6]):
        by_heart.scores[number] = replace(score, questions=(score.questions[0], *paraphrased_probes))  # type: ignore[index]
    report = found(measured(exact=False, rank=4), by_heart)
    assert report.gaps.trained["exact"].value == 0.25
    assert report.gaps.trained["exact"].low > 0
    assert report.gaps.base["exact"].value == report.gaps.trained["at_1"].value == 0
    assert "the gap: word for word, trained - new" in format_results(report)


def test_facts_guessed_without_a_question_count_for_no_ranking_but_for_what_is_said() -> None:
    report = found(measured(exact=False, rank=4, guessed=5), measured(exact=True, rank=1))
    assert len(report.guessed) == 5
    assert report.recall.trained[UNSEEN_FIRST].facts == 19
    assert report.recall.trained[UNSEEN_EXACT].facts == 24
    assert "without 5 facts guessed without a question" in format_results(report)


def test_what_is_surely_worse_is_flagged_and_what_may_be_chance_is_not() -> None:
    worse = found(measured(exact=False, rank=4), measured(exact=True, rank=1, general=1.5))
    same = found(measured(exact=False, rank=4), measured(exact=True, rank=1))
    assert {row.name: row.worse for row in worse.drift} == {
        "control": False,
        "general_bits": True,
        "elsewhere": False,
    }
    assert not any(row.worse for row in same.drift)


def test_newly_known_counts_only_what_the_base_got_wrong() -> None:
    before = [scored(probe, False, 1 if n % 2 else 3) for n, probe in enumerate(PROBES)]
    after = [scored(probe, True, 1 if n % 4 else 2) for n, probe in enumerate(PROBES)]
    known = newly_known(before, after, ())
    assert known is not None
    assert known.facts == 12
    assert newly_known(after[1:2], after[1:2], ()) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=2, max_size=12))
def test_every_figure_lies_inside_its_interval(outcomes: list[tuple[bool, int]]) -> None:
    scores = [scored(probe, *outcome) for probe, outcome in zip(PROBES, outcomes, strict=False)]
    for key, figure in summarise(scores).items():
        assert figure.low <= figure.value + 1e-9, key
        assert figure.value <= figure.high + 1e-9, key


@given(st.lists(st.integers(0, 5), min_size=3, max_size=24))
def test_facts_are_grouped_by_exposures_each_once(counts: list[int]) -> None:
    scores = [scored(probe, True, 1) for probe in PROBES[: len(counts)]]
    groups = by_exposure(scores, {f"r{n + 10}": count for n, count in enumerate(counts)})
    assert sum(group.facts for group in groups) == len(counts)
    assert all(one.most < other.least for one, other in itertools.pairwise(groups))


def test_a_question_that_holds_its_answer_is_left_out() -> None:
    probe = Probe("f", "name", "Who are you?", ("Is your name Mira?", "What are you called?"), "Mira.", ("Mira",), ())
    assert drop_revealing(probe) == replace(probe, unseen=("What are you called?",))
    assert drop_revealing(replace(probe, unseen=("Is it Mira?",))) is None
    assert drop_revealing(replace(probe, seen="Are you Mira?")) is None


def run(**arguments: Any) -> dict[str, Any]:
    return {"arguments": {"recall_items": 4, "speaker_names": "prefix"} | arguments, "held_out": ["l1"]}


LINES = [Record(f"l{n}", "dialogue", f"Scene {n}", f"Line {n}.", (), "Mira", f"a.json#{n}") for n in range(3)]


def test_facts_that_steered_a_run_are_no_part_of_its_exam() -> None:
    exam, left_out = make_exam(PROBES, LINES, MIRA, run(), distractors=3)
    assert (len(exam.probes), left_out) == (24, {})
    exam, left_out = make_exam(PROBES, LINES, MIRA, run(early_stopping=2), distractors=3)
    assert left_out == {"facts that steered the run": 4}
    assert not {probe.fact_id for probe in exam.probes} & {probe.fact_id for probe in sample_probes(PROBES, 4)}


def test_facts_that_no_test_question_asks_for_are_counted() -> None:
    rows = [(PROBES[0].seen, PROBES[0].answer), ("What do you fear?", "Moths."), ("Do you fear a thing?", "Moths.")]
    records = [Record(f"q{n}", "setting_qa", *row, (), "Mira", f"a.json#{n}") for n, row in enumerate(rows)]
    _, left_out = make_exam(PROBES, [*LINES, *records], MIRA, run(), distractors=3)
    assert left_out["facts that are taught and that no test question asks for"] == 1


def test_held_out_lines_are_asked_for_as_chat_would() -> None:
    exam, _ = make_exam(PROBES, LINES, MIRA, run(), distractors=3)
    ((prompt, text),) = exam.lines
    assert text == "Line 1."
    assert prompt[0]["content"] == MIRA.system("chat")
    assert len(exam.voice_prompts) == 3


def test_a_measurement_survives_its_file(tmp_path: Path) -> None:
    made = measured(exact=True, rank=2, guessed=1)
    save_measurement(made, tmp_path / "cache" / "a.json")
    assert load_measurement(tmp_path / "cache" / "a.json", PROBES) == made
    (tmp_path / "cache" / "a.json").write_text("{}", encoding="utf-8")
    assert load_measurement(tmp_path / "cache" / "a.json", PROBES) is None


def test_a_question_that_a_record_nearly_asks_is_no_test() -> None:
    probe = PROBES[0]
    planted = [*LINES, Record("p", "setting_qa", f"{probe.unseen[0]}!", probe.answer, (), "Mira", "a#0")]
    exam, left_out = make_exam(PROBES, planted, MIRA, run(), distractors=3)
    assert left_out["questions that are nearly ones of the training"] >= 1
    asked = {text for one in exam.probes if one.fact_id == probe.fact_id for text in one.unseen}
    assert probe.unseen[0] not in asked
    framed = replace(probe, made_by="frame")
    exam, left_out = make_exam([framed, *PROBES[1:]], planted, MIRA, run(), distractors=3)
    assert left_out == {}
