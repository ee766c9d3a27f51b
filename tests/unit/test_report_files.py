"""`recall.json`, `bleed.json` and the terminal's table keep their shape and their figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.conversations.persona import make_persona
from pipeline.evaluation.bleed import BleedCell, BleedColumn, BleedRow, CrossSample, make_column, summarise_bleed
from pipeline.evaluation.comparison import SAYS_IT, compare_runs, merge_reports, read_report
from pipeline.evaluation.metrics.voice_report import VoiceReferences, compare_voices
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.report.run_report import RunReport, report_of_run
from pipeline.evaluation.report.tables import format_results, format_samples
from pipeline.mixture.ledger import make_ledger
from pipeline.terminal import display_width
from tests.measurements import MIRA, mira_findings

GOLDEN = Path(__file__).parent / "golden"  # written when findings were still plain dictionaries
RUN = {
    "model": "embedded", "recipe": "r.yaml", "arguments": {"dtype": "float32"}, "versions": {"torch": "2"},
    "commit": None, "seconds": 3.0, "world_size": 1, "device": "cpu", "steps": 2, "rows": 5, "data": {"records": 2},
    "ledger": make_ledger(
        ["dialogue", "setting_qa"], [2.0, 3.0], np.array([1, 4]), np.array([1, 4]), owners=["Mira", "Mira"]
    ),
}  # fmt: skip


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def as_read(content: dict[str, Any]) -> Any:
    return json.loads(json.dumps(content))


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    logs = [{"step": 1, "loss": 2.0}, {"step": 1, "recall_unseen_exact": 0.5}]
    (tmp_path / "logs.jsonl").write_text("".join(json.dumps(log) + "\n" for log in logs), encoding="utf-8")
    (tmp_path / "run.json").write_text(json.dumps(RUN), encoding="utf-8")
    return tmp_path


@pytest.fixture
def report(run_folder: Path) -> RunReport:
    return report_of_run(mira_findings(), {"facts that steered the run": 2}, run_folder, MIRA)


def test_the_report_of_a_run_keeps_its_shape(report: RunReport) -> None:
    assert as_read(report.to_json()) == golden("recall.json")


def test_the_terminal_shows_the_table_that_it_always_has(report: RunReport) -> None:
    shown = f"{format_results(report.findings)}\n{format_samples(report.findings.samples)}\n"
    assert shown == (GOLDEN / "recall.txt").read_text(encoding="utf-8")


def test_the_table_of_a_chinese_character_is_chinese_and_its_columns_stand_below_one_another(report: RunReport) -> None:
    shown = format_results(report.findings, "zh")
    assert "逐字答对，换一种问法" in shown
    assert not any(title in shown for title in ("word for word", "before", "worse", "questions"))
    assert len({display_width(row) for row in shown.splitlines() if row.endswith("]")}) == 1


def test_the_merged_report_of_several_characters_keeps_its_shape(report: RunReport) -> None:
    merged = merge_reports({"Mira": report.findings, "Bram": report.findings})
    assert as_read(merged.to_json()) == golden("merged.json")


@pytest.mark.parametrize("name", ["recall.json", "merged.json"])
def test_a_report_is_compared_in_prices_too_and_one_that_was_written_before_in_what_it_has(
    name: str, run_folder: Path
) -> None:
    report = golden(name)
    (run_folder / "recall.json").write_text(json.dumps(report), encoding="utf-8")
    run = read_report(run_folder)
    assert [price for price, one in run.prices.items() if one.worse] == ["general_bits", "line_bits"]
    for item in report["items"]:
        del item["trained_says"]
    for row in report["drift"]:
        del row["trained"]
    (run_folder / "recall.json").write_text(json.dumps(report), encoding="utf-8")
    before = read_report(run_folder)
    compared = compare_runs({"a": run, "b": before})
    assert compared.facts == len(report["items"])
    assert SAYS_IT not in compared.metrics
    assert not compared.prices


def test_without_replies_the_voice_is_only_counted() -> None:
    voice = compare_voices([], ["Aye."], [], VoiceReferences([], [], [], []))
    assert voice.to_json() == {"base": {"replies": 0}, "trained": {"replies": 1}}


def column(name: str) -> BleedColumn:
    probes = [Probe(f"{name}{n}", "p", "", (f"{n}?",), f"{name} {n}.", (), ()) for n in range(4)]
    return make_column(make_persona(name, "en", {}), probes, 4, distractors=2)


def cell(*hits: bool) -> BleedCell:
    return BleedCell(list(hits), list(hits))


def test_the_matrix_keeps_its_shape() -> None:
    everything, nothing = cell(True, True, True, True), cell(False, False, False, False)
    rows = {
        "Mira": BleedRow([everything, nothing], CrossSample("Bram", "Where?", "There.", "Nowhere")),
        "Bram": BleedRow([everything, cell(True, True, False, True)]),
    }
    base = BleedRow([nothing, cell(False, False, True, False)])
    bleed = summarise_bleed(rows, base, [column("Mira"), column("Bram")], model="m", shared=True)
    assert as_read(bleed.to_json()) == golden("bleed.json")


def test_the_matrix_leaves_out_what_nobody_was_asked() -> None:
    base = BleedRow([cell(False, False, False, False)])
    bleed = summarise_bleed(
        {"Liv": BleedRow([cell(True, False, False, False)])}, base, [column("Mira")], model="m", shared=False
    )
    assert bleed.to_json()["summary"]["exact"].keys() == {"others", "base"}
