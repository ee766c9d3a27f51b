"""Runs are compared on the facts that they share, fact by fact, and swept over every combination."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.evaluation.comparison import SAYS_IT, MeasuredRun, compare_runs, parse_report, read_report
from pipeline.evaluation.report.pages import write_comparison
from pipeline.evaluation.report.tables import format_comparison
from pipeline.evaluation.summary import RecallKey
from pipeline.multirun.sweep import combinations, run_name, same_weights


def report(exact: list[bool], *, quick: bool = False, guessed: int = 0, **arguments: Any) -> MeasuredRun:
    forms = ("seen", "unseen") if quick else ("seen", "unseen", "amid")
    questions = [[{"asked": asked, "trained_exact": hit, "trained_first": True} for asked in forms] for hit in exact]
    items = [
        {"fact_id": f"fact-{number}", "questions": asked, "trained_says": exact[number], "guessed": number == guessed}
        for number, asked in enumerate(questions)
    ]
    drift = [{"name": "control", "base": {"value": 0.5}, "trained": {"value": sum(exact) / 20}, "worse": False}]
    return parse_report({"items": items, "drift": drift}, arguments)


HALF, ALL = [True, False] * 10, [True] * 20


def test_a_run_is_compared_with_the_first_on_the_same_facts() -> None:
    compared = compare_runs({"a": report(HALF, settings_weight=1), "b": report(ALL, settings_weight=5)})
    assert compared.facts == 20
    assert compared.tried == ("settings_weight",)
    first, second = compared.rows
    assert first.outcomes[0].change is None
    change = second.outcomes[0].change
    assert change is not None
    assert change.value == pytest.approx(0.5)
    assert 0 < change.low < change.high < 1
    printed = format_comparison(compared)
    assert "b  1.00" in printed
    assert "+0.50" in printed


def test_a_comparison_is_written_as_numbers_that_can_be_read_again() -> None:
    compared = compare_runs({"a": report(HALF, settings_weight=1), "b": report(ALL, settings_weight=5)})
    written = json.loads(json.dumps(compared.to_json()))
    first, second = written["rows"]
    assert written["facts"] == 20
    assert [row["tried"] for row in (first, second)] == [{"settings_weight": 1}, {"settings_weight": 5}]
    assert first["outcomes"]["unseen_exact"]["change"] is None
    assert second["outcomes"]["unseen_exact"]["change"]["value"] == pytest.approx(0.5)
    assert set(second["outcomes"]) >= {"seen_exact", "unseen_exact", "says_it"}


def test_only_facts_that_both_were_asked_for_count() -> None:
    compared = compare_runs({"a": report(HALF), "b": report(ALL[:4])})
    assert compared.facts == 4
    assert compared.rows[0].outcomes[0].value.count == 4


@pytest.mark.parametrize("quick", [(True, False), (False, True), (True, True)])
def test_a_quick_exam_is_compared_with_a_full_one_in_what_both_measured(quick: tuple[bool, bool]) -> None:
    compared = compare_runs({"a": report(HALF, quick=quick[0]), "b": report(ALL, quick=quick[1])})
    assert {key.form for key in compared.metrics if key != SAYS_IT} == {"seen", "unseen"}
    assert all(len(run.outcomes) == len(compared.metrics) for run in compared.rows)


def test_a_fact_whose_answer_wins_without_a_question_is_not_ranked() -> None:
    compared = compare_runs({"a": report(HALF), "b": report(ALL)})
    facts = {key: outcome.value.facts for key, outcome in zip(compared.metrics, compared.rows[0].outcomes, strict=True)}
    assert facts.pop(RecallKey("unseen", "at_1")) == 19
    assert set(facts.values()) == {20}
    of_two_bases = compare_runs({"a": report(HALF), "b": report(ALL, guessed=3)})
    place = of_two_bases.metrics.index(RecallKey("unseen", "at_1"))
    assert {row.outcomes[place].value.facts for row in of_two_bases.rows} == {18}


def test_runs_that_differ_in_their_seed_alone_are_one_row(tmp_path: Path) -> None:
    other_half = [not hit for hit in HALF]
    compared = compare_runs(
        {
            "a": report(HALF, wordings="copies", seed=1),
            "b": report(other_half, wordings="copies", seed=2),
            "c": report(ALL, wordings="families", seed=1),
            "d": report(HALF, wordings="families", seed=2),
        }
    )
    assert compared.tried == ("wordings",)
    copies, families = compared.rows
    assert copies.seeds == families.seeds == (1, 2)
    outcome = families.outcomes[compared.metrics.index(SAYS_IT)]
    assert outcome.each == (1.0, 0.5)
    assert outcome.value.value == pytest.approx(0.75)
    assert outcome.value.facts == 20
    assert outcome.change is not None
    assert outcome.change.value == pytest.approx(0.25)
    assert families.prices["control"].value == pytest.approx(0.75)
    assert "wordings=families  0.75" in format_comparison(compared)
    write_comparison(compared, tmp_path / "page.html")
    assert "2 recipes, 20 facts" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_runs_that_differ_in_nothing_but_their_seed_stay_apart() -> None:
    compared = compare_runs({"a": report(HALF, seed=1), "b": report(ALL, seed=2)})
    assert [row.name for row in compared.rows] == ["a", "b"]
    assert compared.tried == ("seed",)


def test_a_run_compared_with_itself_differs_by_nothing(tmp_path: Path) -> None:
    compared = compare_runs({"a": report(HALF), "b": report(HALF)})
    change = compared.rows[1].outcomes[1].change
    assert change is not None
    assert change.value == 0
    write_comparison(compared, tmp_path / "page.html")
    assert "2 runs, 20 facts" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="fewer than two runs"):
        compare_runs({"a": report(HALF)})
    with pytest.raises(UnderstudyError, match="no fact in common"):
        compare_runs({"a": report(HALF), "b": report([])})
    with pytest.raises(UnderstudyError, match=r"holds no recall\.json of a finished run"):
        read_report(tmp_path)
    (tmp_path / "recall.json").write_text(json.dumps({"items": [], "drift": []}), encoding="utf-8")
    (tmp_path / "run.json").write_text(json.dumps({"model": "m", "arguments": {"dtype": "float32"}}), encoding="utf-8")
    assert read_report(tmp_path).arguments == {"dtype": "float32"}


def test_a_sweep_tries_every_combination_each_in_a_folder_of_its_own() -> None:
    words = ["--settings_weight", "1", "5", "--learning_rate=1e-3", "5e-4", "--max_steps", "10"]
    tried = combinations(words)
    assert len(tried) == 4
    assert tried[1] == {"settings_weight": "1", "learning_rate": "5e-4", "max_steps": "10"}
    assert run_name(tried[0]) == "settings_weight=1,learning_rate=1e-3,max_steps=10"
    assert len({run_name(values) for values in tried}) == 4


def test_runs_with_the_same_weights_are_named(tmp_path: Path) -> None:
    for name, weights in (("a=20", b"one"), ("a=40", b"one"), ("a=60", b"two"), ("a=80", None)):
        (tmp_path / name).mkdir()
        if weights:
            (tmp_path / name / "adapter_model.safetensors").write_bytes(weights)
    assert same_weights(tmp_path, ["a=20", "a=40", "a=60", "a=80"]) == [["a=20", "a=40"]]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["5"],
        ["--settings_weight", "5"],
        ["--settings_weight", "1", "5", "--bare"],
        ["--learning_rate", "1e-3", "5e-4", "0.001"],
    ],
)
def test_a_sweep_of_nothing_is_refused(words: list[str]) -> None:
    with pytest.raises(UnderstudyError):
        combinations(words)
