"""Recall does not flatter: chance is chance, what is learnt is found, and the figures are the same every time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.conversations.persona import make_persona
from pipeline.evaluation.probes.probe import Probe, probes_from_records, with_distractors
from pipeline.evaluation.scoring import score_probes
from pipeline.evaluation.summary import RecallKey, summarise
from pipeline.models.load import load_base_model, load_tokenizer
from pipeline.models.trained import load_trained
from pipeline.records.record import read_records
from tests.runs import MODULE, TORCHRUN, succeeded, train

PEOPLE = ["Ansel", "Brita", "Corvin", "Della", "Edric", "Fenna", "Gerrit", "Hilda", "Ivo", "Jorun", "Kasper", "Liv"]
TOWNS = ["Vexmoor", "Drallby", "Osterlin", "Quenth", "Marrowick", "Tolvane", "Hesperdale", "Brunnock", "Yarrowfen",
         "Calderin", "Norwisk", "Pellaby"]  # fmt: skip


@pytest.mark.model
def test_a_base_model_is_at_chance_on_facts_that_nobody_could_know() -> None:
    probes = [
        Probe(
            person, "place", f"Where was {person} born?", (f"Which town is {person} from?",), f"In {town}.", (town,), ()
        )
        for person, town in zip(PEOPLE * 2, TOWNS + TOWNS[::-1], strict=True)
    ]
    probes = [replace(probe, fact_id=str(number)) for number, probe in enumerate(probes)]
    scores = score_probes(
        load_base_model("embedded").eval(),
        load_tokenizer("embedded"),
        with_distractors(probes, 3),
        make_persona("Ada", "en", {}),
    )
    ranked = summarise(scores)[RecallKey("unseen", "at_1")]
    assert ranked.low <= 1 / 4 <= ranked.high
    assert summarise(scores)[RecallKey("unseen", "exact")].value == 0


@pytest.fixture
def trained_folder(tiny_recipe: Path, tmp_path: Path) -> Path:
    """A character that knows its three facts by heart."""
    train(tiny_recipe, "--num_train_epochs", "30", "--chat_share", "1", "--recall_items", "0", "--wordings", "copies")
    return tmp_path / "out"


def test_learnt_facts_are_found_and_shuffled_answers_are_not(trained_folder: Path, tmp_path: Path) -> None:
    trained = load_trained(trained_folder)
    probes = probes_from_records(
        read_records(tmp_path / "records" / "records.jsonl"), make_persona("Mira", "en", {}), ()
    )
    answers = [probe.answer for probe in probes]
    shuffled = [replace(probe, answer=other) for probe, other in zip(probes, answers[1:] + answers[:1], strict=True)]

    def first(asked: list[Probe]) -> float:
        scores = score_probes(trained.model, trained.tokenizer, with_distractors(asked, 2), trained.persona)
        return summarise(scores)[RecallKey("seen", "at_1")].value

    assert first(probes) == 1.0
    assert first(shuffled) == 0.0  # the right answer is among the distractors, and wins


@pytest.mark.launch
def test_a_second_time_and_two_processes_give_the_same_figures(
    trained_folder: Path, tiny_recipe: Path, tmp_path: Path
) -> None:
    def recall(launcher: list[str], name: str) -> dict[str, Any]:
        home = {"UNDERSTUDY_HOME": str(tmp_path / f"home-{name}")}  # without what an earlier run kept
        printed = succeeded(
            *launcher, "pipeline.recall", "--config", str(tiny_recipe), "--adapter", str(trained_folder),
            "--json", str(tmp_path / f"{name}.json"), environment=home,
        )  # fmt: skip
        assert printed.count("report: ") == 1  # by one process, however many there are
        found: dict[str, Any] = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        return found

    once = recall(MODULE, "once")
    assert recall(MODULE, "again") == once
    assert recall(TORCHRUN, "two") == once
    assert once["recall"]["trained"]["seen_exact"]["value"] == 1.0
    assert "What Mira recalls" in (trained_folder / "report.html").read_text(encoding="utf-8")


def test_a_sweep_runs_what_is_missing_two_at_a_time_and_compares(tiny_recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    command = [*MODULE, "pipeline.sweep", "--config", str(tiny_recipe), "--out", str(out), "--quick", "--jobs", "2"]
    command += ["--recall_items", "0", "--max_steps", "2", "--seed", "1", "2"]
    said = succeeded(*command)
    assert "2 runs, 2 at once" in said
    assert "word for word, asked in new words\n  recall_items=0,max_steps=2,seed=1  " in said
    assert "2 runs, 3 facts" in (out / "comparison.html").read_text(encoding="utf-8")
    assert len(json.loads((out / "comparison.json").read_text(encoding="utf-8"))["rows"]) == 2
    reports = [run.parent / "recall.json" for run in sorted(out.glob("*/run.json"))]
    assert [json.loads(report.read_text(encoding="utf-8"))["extent"] for report in reports] == ["quick", "quick"]

    written = reports[1].stat().st_mtime_ns
    reports[0].unlink()
    assert succeeded(*command).count("trained and measured") == 2
    assert reports[0].is_file()
    assert reports[1].stat().st_mtime_ns == written
