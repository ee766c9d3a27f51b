"""The project's own characters are what their READMEs promise, and their probes test what training does not show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.evaluation.probes.probe import Probe, read_probes, sample_probes, with_distractors
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion
from tests.conftest import ROOT

WREN = ("wren", "Wren Halloway", 45, 6, 300)
AHENG = ("aheng", "阿蘅", 30, 4, 150)
BOTH = pytest.mark.parametrize(
    ("folder", "name", "questions", "passages", "lines"), [WREN, AHENG], ids=["wren", "aheng"]
)


def records(folder: str, name: str) -> Conversion:
    return convert([ROOT / "data" / folder / "raw"], name, ConversionOptions())


def probes(folder: str) -> list[Probe]:
    return read_probes(ROOT / "data" / folder / "probes.jsonl")


@BOTH
def test_the_files_hold_what_they_promise(folder: str, name: str, questions: int, passages: int, lines: int) -> None:
    conversion = records(folder, name)
    kinds = account_of(conversion)["kinds"]
    assert kinds["setting_qa"] >= questions
    assert kinds["background"] >= passages
    assert kinds["dialogue"] >= lines
    assert conversion.duplicates >= 2
    assert account_of(conversion)["rejected"]["no content"] >= 2
    scenes = [record for record in conversion.records if record.context]
    assert len(scenes) >= (60 if folder == "wren" else 25)


@BOTH
def test_every_fact_is_probed_in_words_that_training_never_shows(
    folder: str, name: str, questions: int, passages: int, lines: int
) -> None:
    asked = {record.prompt: record.text for record in records(folder, name).records if record.kind == "setting_qa"}
    found = probes(folder)
    assert {probe.answer for probe in found} == set(asked.values())
    for probe in found:
        assert asked[probe.seen] == probe.answer
        assert len(probe.unseen) >= 2
        assert not set(probe.unseen) & set(asked)
        assert probe.aliases
        for alias in probe.aliases:
            assert alias.casefold() in probe.answer.casefold()
            assert not any(alias.casefold() in question.casefold() for question in (probe.seen, *probe.unseen))
    unseen = [question for probe in found for question in probe.unseen]
    assert len(unseen) == len(set(unseen))


@BOTH
def test_distractors_are_other_true_answers_and_never_the_answer(
    folder: str, name: str, questions: int, passages: int, lines: int
) -> None:
    answers = {probe.answer for probe in probes(folder)}
    for probe in with_distractors(probes(folder), 7):
        assert len(set(probe.distractors)) == 7
        assert set(probe.distractors) <= answers - {probe.answer}


def test_the_choice_of_probes_and_distractors_does_not_depend_on_the_files_order() -> None:
    found = probes("wren")
    assert sample_probes(found[::-1], 16) == sample_probes(found, 16)
    again = {probe.fact_id: probe for probe in with_distractors(found[::-1], 3)}
    assert all(again[probe.fact_id] == probe for probe in with_distractors(found, 3))


def test_the_licence_is_stated() -> None:
    for folder in ("wren", "aheng"):
        assert "CC BY 4.0" in (ROOT / "data" / folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "is broken JSON"),
        ("[]", "is no JSON object"),
        ('{"fact_id": "a", "question_seen": "b"}', "has no 'answer'"),
        ('{"fact_id": "a", "question_seen": "b", "answer": "c"}', "has no 'questions_unseen'"),
        ('{"fact_id": "a", "question_seen": "b", "answer": "c", "questions_unseen": "d"}', "is no list of texts"),
    ],
)
def test_a_broken_probe_is_named_with_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    good = json.dumps({"fact_id": "a", "question_seen": "b", "answer": "c", "questions_unseen": ["d"]})
    (tmp_path / "probes.jsonl").write_text(f"{good}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(Exception, match=rf"probes\.jsonl:3: .*{complaint}"):
        read_probes(tmp_path / "probes.jsonl")
