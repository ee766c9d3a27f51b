"""The bench's figures follow from what was measured."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pipeline.benchmark.measure import TREE, VARIANT_NAMES, summarise
from pipeline.benchmark.report import draw_bench, format_bench
from pipeline.benchmark.worker import batch_counts
from pipeline.tokens.collate import PaddedCollator, PrefixTreeCollator


def step(seconds: float, others: float = 0.0) -> dict[str, float]:
    measured = {"seconds": seconds, "others": others, "rows": 8, "tokens": 700, "supervised": 300}
    return measured | {"rate": 1e9, "layers": 1e5, "head": 1e5, "passes": 4}


def bench() -> dict[str, Any]:
    steps = {name: [step(16.0), step(16.0), step(99.0, others=0.4)] for name in VARIANT_NAMES}
    steps[TREE] = [step(2.0), step(2.0), step(60.0, others=0.5)]
    peaks = {name: {"peak_bytes": 4e9, "device": "cpu"} for name in VARIANT_NAMES}
    peaks[TREE]["peak_bytes"] = 2e9
    return summarise(steps, peaks)


def test_disturbed_steps_do_not_count() -> None:
    tree = bench()["variants"][TREE]
    assert tree["samples_per_second"] == pytest.approx(4.0)
    assert tree["times_baseline"] == pytest.approx(8.0)
    assert tree["of_baseline_memory"] == pytest.approx(0.5)
    assert tree["undisturbed"] == 2


def test_the_ceiling_is_what_the_products_of_the_trees_tokens_cannot_do_without() -> None:
    assert bench()["share_of_ceiling"] == pytest.approx(4 * (1e5 * 700 + 1e5 * 300) / 1e9 / 2.0)


def test_the_table_and_the_picture_say_the_figures() -> None:
    scenes = [
        {"turns": 5, "tokens_apart": 50, "tokens_tree": 20},
        {"turns": 40, "tokens_apart": 900, "tokens_tree": 160},
    ]
    planning = [{"rows": 1000, "planning": 1e-5, "collating": 1e-5, "share": 0.001}]
    dealing = [
        {"processes": 8, "slowest_in_order": 91.2, "slowest_dealt": 64.0, "largest_in_order": 1900,
         "largest_dealt": 900},
    ]  # fmt: skip
    found = bench() | {
        "gradient_difference": 1e-6, "scenes": scenes, "planning": planning, "dealing": dealing, "title": "Mira <1>",
        "note": "cpu",
    }  # fmt: skip
    table = format_bench(found)
    assert "8.00 times the samples/s" in table
    assert table.splitlines()[-4].split() == ["8", "91.2", "64.0", "1,900", "900"]
    texts = [element.text for element in ET.fromstring(draw_bench(found)).iter() if element.tag.endswith("text")]  # noqa: S314
    assert {"Mira <1>: samples a second", "4.00  (8.0 x)", "900", "160"} <= set(texts)


def test_a_batch_is_counted_as_what_a_cpu_computes_of_it() -> None:
    rows = [
        {"input_ids": [1, 2, 3, 4], "labels": [-100, -100, 3, 4], "kind": 0, "record": 0},
        {"input_ids": [1, 2, 5], "labels": [-100, -100, 5], "kind": 0, "record": 1},
    ]
    shared = {"rows": 2, "supervised": 3}
    # the tree 1 2 3, which predicts 3, 5 and 4: 1 + 2 + 3 pairs; padded 2 x 4, with targets in two columns
    assert batch_counts(PrefixTreeCollator()(rows)) == shared | {"tokens": 3, "scored": 3, "pairs": 6}
    ours = PaddedCollator(0)(rows)
    assert batch_counts(ours) == shared | {"tokens": 8, "scored": 4, "pairs": 32}
    trl = {name: ours[name] for name in ("input_ids", "labels", "attention_mask")}
    assert batch_counts(trl) == shared | {"tokens": 8, "scored": 8, "pairs": 32}
