"""The report page: whole, self-contained, and true to its numbers."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation import labels
from pipeline.evaluation.metrics.conduct import ConductRow
from pipeline.evaluation.metrics.statistics import Difference, Estimate
from pipeline.evaluation.metrics.voice import StyleDistance, VoiceScore
from pipeline.evaluation.metrics.voice_report import VoiceFigures, VoiceReport
from pipeline.evaluation.report.charts import PLOT_HEIGHT, loss_chart, polyline, spread, ticks
from pipeline.evaluation.report.pages import percent, render_report, write_report
from pipeline.evaluation.report.run_report import RunHistory, RunReport
from pipeline.evaluation.report.words import read_words
from pipeline.evaluation.results import (
    Answers,
    BeforeAfter,
    DriftRow,
    Headline,
    Item,
    QuestionOutcome,
    RecallResults,
    Sample,
)
from pipeline.evaluation.scoring import QuestionForm
from pipeline.evaluation.summary import ExposureGroup, Misses, RecallKey
from pipeline.mixture.ledger import KindExposures
from tests.conftest import ROOT

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """The tags of a page, their attributes and its text; a tag closed out of turn is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at line {self.getpos()[0]} closes another tag"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def words(self) -> str:
        return " ".join(self.text.split())


def share(value: float, low: float, high: float, count: int) -> Estimate:
    return Estimate(value, low, high, count, 48)


def question(text: str, asked: QuestionForm, *, exact: bool) -> QuestionOutcome:
    return QuestionOutcome(text, asked, False, exact, False, True, -1.0)


def recall(seen_exact: Estimate, seen_first: Estimate, unseen_exact: Estimate, unseen_first: Estimate) -> Any:
    return {
        RecallKey("seen", "exact"): seen_exact,
        RecallKey("seen", "at_1"): seen_first,
        RecallKey("unseen", "exact"): unseen_exact,
        RecallKey("unseen", "at_1"): unseen_first,
    }


def made_findings() -> RecallResults:
    half = share(0.5, 0.4, 0.6, 48)
    answers = Answers(half, half, half, half)
    score = VoiceScore(0.8, 0.6, 1.0, replies=24, enough=True)
    voice = VoiceFigures(24, score, StyleDistance(0.1, 0.2), copy_rate=0.05, distinct_2=0.9)
    bits = [Estimate(1.1, 1.0, 1.2, 6, 6), Estimate(1.35, 1.2, 1.5, 6, 6)]
    return RecallResults(
        extent="full",
        headline=Headline(facts=48, asked_as_trained=48, seen=47, unseen=28, base_seen=0, base_unseen=1),
        recall=BeforeAfter(
            base=recall(
                share(0.0, 0.0, 0.07, 48),
                share(0.11, 0.04, 0.23, 48),
                share(0.01, 0.0, 0.06, 103),
                share(0.13, 0.08, 0.21, 103),
            ),
            trained=recall(
                share(0.98, 0.89, 0.996, 48),
                share(1.0, 0.92, 1.0, 48),
                share(0.58, 0.49, 0.67, 103),
                share(0.93, 0.87, 0.97, 103),
            ),
        ),
        gains={},
        gaps=BeforeAfter({}, {}),
        newly_known=None,
        misses=Misses(questions=43, at_one_token=36, first=32, second=9, later=2),
        made_by={"hand": 100, "frame": 3},
        guessed=("wren-007", "wren-009"),
        distractors=7,
        answers=BeforeAfter(answers, answers),
        drift=(DriftRow("general_bits", *bits, change=Difference(0.25, 0.2, 0.3), worse=True),),
        conduct=(ConductRow("blurts", share(0.0, 0.0, 0.09, 40), share(0.13, 0.05, 0.26, 40)),),
        voice=VoiceReport(voice, voice, against="other speakers"),
        by_exposure=(
            ExposureGroup(3, 3, 20, share(0.4, 0.2, 0.6, 40)),
            ExposureGroup(5, 6, 28, share(0.7, 0.5, 0.8, 63)),
        ),
        samples=(Sample("How old are you?", "Fifty-three.", "unseen", base="I have no age.", trained="Fifty-three."),),
        items=(
            Item(
                fact_id="wren-001",
                type="identity",
                answer="Fifty-three.",
                guessed=False,
                base_reply="I have no age.",
                trained_reply="Fifty-three.",
                trained_says=True,
                questions=(
                    question("Your age?", "seen", exact=True),
                    question("How old are you?", "unseen", exact=True),
                    question("How many birthdays?", "unseen", exact=False),
                ),
            ),
        ),
    )


@pytest.fixture
def report() -> RunReport:
    history = RunHistory(
        model="embedded",
        recipe="recipes/demo.yaml",
        curve=[
            {"step": 10, "epoch": 0.5, "loss": 3.1, "loss_setting_qa": 2.0, "learning_rate": 0.001},
            {"step": 20, "epoch": 1.0, "loss": 1.2, "loss_dialogue": 1.5, "learning_rate": 0.001},
        ],
        recall_curve=[
            {"step": 0, "seen_exact": 0.0, "unseen_exact": 0.0, "seen_at_1": 0.1, "unseen_at_1": 0.12},
            {"step": 20, "seen_exact": 0.9, "unseen_exact": 0.5, "seen_at_1": 1.0, "unseen_at_1": 0.8},
        ],
        ledger=[
            KindExposures(
                kind="setting_qa",
                records=240,
                planned=720,
                realised=719,
                per_record_min=2,
                per_record_mean=3.0,
                per_record_max=3,
                share_of_records=0.6,
                share_of_loss_tokens=0.4,
            )
        ],
        run={
            "versions": {"torch": "2.13.0"},
            "commit": None,
            "seconds": 312.5,
            "world_size": 1,
            "device": "cpu",
            "steps": 20,
            "rows": 1680,
            "data": {"records": 605, "fingerprint": "4be81f"},
        },
    )
    left_out = {"questions that hold their own answer": 3}
    return RunReport("Wren Halloway", "en", made_findings(), left_out, history)


def with_findings(report: RunReport, **changes: Any) -> RunReport:
    return replace(report, findings=replace(report.findings, **changes))


def with_history(report: RunReport, **changes: Any) -> RunReport:
    return replace(report, history=replace(report.history, **changes))


def test_every_tag_of_the_page_is_closed_in_turn(report: RunReport) -> None:
    assert Page(render_report(report)).open == []


def test_the_page_needs_nothing_but_itself(report: RunReport) -> None:
    html = render_report(report)
    tags = Page(html).tags
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img", "iframe", "object", "embed"}]
    assert not [attributes for _, attributes in tags if {"src", "href", "srcset", "xlink:href"} & set(attributes)]
    assert "http://" not in html
    assert "https://" not in html
    assert "@import" not in html


def test_the_headline_says_what_is_known_now_and_before(report: RunReport) -> None:
    assert (
        "Knows 47 of 48 facts word for word when asked as in training, "
        "and 28 of 48 in most of the new wordings. Before training: 0 and 1."
    ) in Page(render_report(report)).words()
    headline = replace(report.findings.headline, asked_as_trained=0)
    words = Page(render_report(with_findings(report, headline=headline))).words()
    assert "Knows 28 of 48 facts word for word in most of their new wordings. Before training: 1." in words


def test_markup_in_a_sample_is_text_on_the_page(report: RunReport) -> None:
    sample = replace(report.findings.samples[0], answer="<b>bold</b>", trained="<script>alert(1)</script>")
    html = render_report(with_findings(report, samples=(sample,)))
    assert "<b>bold" not in html
    assert "<script" not in html
    assert "<b>bold</b>" in Page(html).text


def test_a_chinese_characters_report_says_nothing_in_english(report: RunReport) -> None:
    spoken = replace(report.findings.samples[0], question="你叫什么？", answer="阿蘅。", base="嗯。", trained="阿蘅。")
    items = [replace(item, type="身世", answer="阿蘅。") for item in report.findings.items]
    chinese = replace(with_findings(report, samples=(spoken,), items=items), language="zh", character="阿蘅")
    words = Page(render_report(chinese)).words()
    texts = [re.sub(r"{\w+}", "", text).strip() for text in read_words("zh")]
    assert [text for text in texts if len(text) > 5 and text in words] == []
    assert all(text in words for text in ("换一种问法", "排在第一", "训练前后的召回", "每一条设定"))


def test_every_text_of_the_report_has_its_chinese_with_the_same_places() -> None:
    words = read_words("zh")
    speakers = ("report/report.html.jinja", "report/pages.py", "report/tables.py", "session.py")
    code = "".join((ROOT / "pipeline/evaluation" / name).read_text(encoding="utf-8") for name in speakers)
    said = {*re.findall(r"""\bsay\(["']([^"']*)["']""", code), *label_texts()}
    assert said - set(words) == set()
    for english, chinese in words.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", chinese)), english


def label_texts() -> Iterator[str]:
    """What the labels of a report's figures say."""
    tables = (labels.RECALL, labels.GAPS, labels.DRIFT, labels.CONDUCT, labels.VOICE)
    alone = (labels.WORD_FOR_WORD, labels.RANKED_FIRST, labels.OWN_WORDS, *(label for _, label in labels.ANSWERS))
    for label in (*alone, *(one for table in tables for one in table.values())):
        yield from (text for text in (label.short, label.title, label.brief, label.explanation) if text)
    for names in (labels.FORMS, labels.MADE_BY, labels.KINDS, labels.WATCHED_LOSSES):
        yield from names.values()
    yield from (labels.QUICK, labels.MISSES, labels.ALL_RECORDS)


def test_markup_in_the_language_cannot_leave_its_attribute(report: RunReport) -> None:
    assert "<script" not in render_report(replace(report, language='"><script>'))


@pytest.mark.parametrize("figure", ["98% 89–99%", "100% 92–100%", "58% 49–67%", "93% 87–97%", "0% 0–7%", "11% 4–23%"])
def test_every_metric_is_written_out_with_its_interval(report: RunReport, figure: str) -> None:
    assert figure in Page(render_report(report)).words()


def test_every_metric_is_explained(report: RunReport) -> None:
    words = Page(render_report(report)).words()
    assert "likelier than each of 7 other true answers" in words
    assert "would give exactly the fact’s answer and stop there" in words
    assert "Blind guessing would manage 1 in 8. Left out: 2 facts whose answer wins without a question." in words
    assert "Left out: 3 questions that hold their own answer." in words


def test_what_got_worse_is_said(report: RunReport) -> None:
    words = Page(render_report(report)).words()
    assert "bits a character; less is better" in words
    assert all(figure in words for figure in ("1.10", "1.35", "+0.25 (+0.20 to +0.30)"))
    assert "no worse" not in words
    as_before = replace(report.findings.drift[0], worse=False)
    assert "no worse" in Page(render_report(with_findings(report, drift=(as_before,)))).words()


def test_a_voice_that_cannot_be_measured_says_why(report: RunReport) -> None:
    assert "0.80 (0.60–1.00)" in Page(render_report(report)).words()
    figures = replace(report.findings.voice.base, score=None)
    voice = VoiceReport(figures, figures, against="other speakers", reason="Its lines are too few.")
    assert "Its lines are too few." in Page(render_report(with_findings(report, voice=voice))).words()


@pytest.mark.parametrize(
    ("key", "heading"),
    [
        ("samples", "The same questions, before and after"),
        ("curve", "Loss over training"),
        ("recall_curve", "Recall over training"),
        ("ledger", "What training was made of"),
        ("items", "Every fact"),
        ("drift", "What else training changed"),
        ("by_exposure", "Is what is seen more recalled more?"),
    ],
)
def test_a_section_with_nothing_to_show_is_left_out(report: RunReport, key: str, heading: str) -> None:
    assert heading in render_report(report)
    change = with_history if key in {"curve", "recall_curve", "ledger"} else with_findings
    page = Page(render_report(change(report, **{key: []})))
    assert heading not in page.text
    assert page.open == []


def test_chinese_survives_rendering_and_writing(report: RunReport, tmp_path: Path) -> None:
    sample = replace(report.findings.samples[0], question="除了“阿蘅”，你的全名是什么？")
    report = replace(with_findings(report, samples=(sample,)), character="乌蘅", language="zh")
    write_report(report, tmp_path / "runs" / "report.html")
    html = (tmp_path / "runs" / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh">' in html
    assert "乌蘅记得什么" in Page(html).words()
    assert "除了“阿蘅”，你的全名是什么？" in html


def test_writing_leaves_only_the_page(report: RunReport, tmp_path: Path) -> None:
    write_report(report, tmp_path / "report.html")
    write_report(report, tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_rendering_leaves_the_report_as_it_was(report: RunReport) -> None:
    before = copy.deepcopy(report)
    render_report(report)
    assert report == before


def test_a_type_sums_the_questions_of_its_facts(report: RunReport) -> None:
    assert "identity 1 1 of 1 1 of 2".replace(" ", "") in Page(render_report(report)).words().replace(" ", "")


def test_an_unrealised_plan_shows_a_dash(report: RunReport) -> None:
    (row,) = report.history.ledger
    cells = Page(render_report(with_history(report, ledger=[{**row, "realised": None}]))).text
    assert "720" in cells
    assert "719" not in cells


def test_losses_missing_or_infinite_are_left_off_the_plot() -> None:
    chart = loss_chart([{"step": 1, "loss": float("inf")}, {"step": 2, "loss": 1.0}, {"step": 3, "loss_dialogue": 2.0}])
    assert chart is not None
    assert [(line.label, line.last) for line in chart.lines] == [("all records", "1.00"), ("dialogue", "2.00")]
    assert loss_chart([{"step": 1, "loss": float("nan")}]) is None


def test_a_line_starts_top_left_and_ends_bottom_right_when_loss_falls_to_zero() -> None:
    assert polyline([(0, 4.0), (50, 1.0), (100, 0.0)], 100, 4.0) == f"0,0 500,{0.75 * PLOT_HEIGHT:g} 1000,{PLOT_HEIGHT}"


def test_a_percentage_rounds_to_none_or_all_only_when_it_is() -> None:
    assert [percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)] == ["0%", "1%", "50%", "99%", "100%"]


@given(st.floats(min_value=1e-6, max_value=1e7))
def test_ticks_reach_the_top_in_few_equal_steps(top: float) -> None:
    values = ticks(top)
    assert values[0] == 0
    assert values[-1] >= top * (1 - 1e-6)
    assert 2 <= len(values) <= 6
    steps = [after - before for before, after in itertools.pairwise(values)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)


@given(st.lists(st.floats(min_value=0, max_value=220), min_size=1, max_size=6))
def test_labels_keep_their_order_and_distance(wanted: list[float]) -> None:
    placed = spread(wanted, gap=17, height=220)
    in_order = [placed[index] for index in sorted(range(len(wanted)), key=lambda index: wanted[index])]
    assert all(after - before >= 17 - 1e-6 for before, after in itertools.pairwise(in_order))
    assert min(placed) >= 0
    assert max(placed) <= 220
