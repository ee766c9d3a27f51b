"""The bench's figures follow from what was measured."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pipeline.benchmark.gpu_plan import GPU_PLAN
from pipeline.benchmark.measure import TREE, VARIANT_NAMES, summarise
from pipeline.benchmark.recall_report import draw_runs, format_runs
from pipeline.benchmark.report import draw_bench, format_bench
from pipeline.benchmark.time_to_recall import Point, summarise_runs
from pipeline.benchmark.worker import batch_counts
from pipeline.tokens.collate import PaddedCollator, PrefixTreeCollator
from pipeline.training.arguments import parse_run


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


def curve(*points: tuple[float, float, float]) -> list[Point]:
    return [Point(seconds=seconds, seen=seen, unseen=unseen) for seconds, seen, unseen in points]


def runs() -> dict[str, Any]:
    curves = {
        "trl": curve((20, 0, 0), (220, 0.4, 0.1), (420, 0.8, 0.2), (620, 1.0, 0.3)),
        "trl_packing": curve((20, 0, 0), (320, 0.5, 0.2), (520, 0.6, 0.2)),
        TREE: curve((10, 0, 0), (60, 0.8, 0.3), (110, 1.0, 0.5), (160, 1.0, 0.6)),
    }
    return summarise_runs(curves, {"trl": 60, "trl_packing": 50, TREE: 40})


def test_the_time_to_recall_lies_between_two_askings() -> None:
    found = runs()["variants"]
    assert found[TREE]["seconds_to_known"] == pytest.approx(85)
    assert found["trl"]["seconds_to_known"] == pytest.approx(520)
    assert found["trl"]["times_ours"] == pytest.approx(520 / 85)
    assert found["trl_packing"]["seconds_to_known"] is found["trl_packing"]["times_ours"] is None
    assert [found[name]["unseen_by_then"] for name in ("trl", "trl_packing", TREE)] == [0.0, 0.0, 0.3]
    assert found[TREE]["best_unseen"] == 0.6


def test_the_time_to_recall_is_shown_as_a_table_and_a_picture() -> None:
    found = runs() | {"note": "from <raw> files"}
    table = format_runs(found).splitlines()
    assert "90% as trained after" in table[0]
    assert [line.split("  ")[-1].strip() for line in table[1:4]] == ["10 min 20 s", "8 min 40 s", "2 min 40 s"]
    assert "never" in table[2]
    drawn = ET.fromstring(draw_runs(found))  # noqa: S314
    lines = [element for element in drawn.iter() if element.tag.endswith("polyline")]
    assert len(lines) == 6  # three runs, as trained and in new words
    assert all(len(line.get("points", "").split()) >= 3 for line in lines)
    assert "from <raw> files" in [element.text for element in drawn.iter()]


def test_the_plan_for_a_gpu_names_recipes_keys_and_modules_that_exist() -> None:
    commands = " ".join(line for line in GPU_PLAN.splitlines() if not line.startswith("#")).replace("\\ ", "")
    for module in re.findall(r"-m ((?:pipeline|tools)\.\w+)", commands):
        assert importlib.util.find_spec(module)
    assert {f"accelerate_configs/{name}.yaml" for name in ("ddp", "zero2", "zero3", "fsdp2")} <= {
        str(path) for path in Path("accelerate_configs").iterdir()
    }
    trainings = re.findall(r"-m pipeline\.train\s+--config (\S+) ((?:\s*--\w+ \S+)+)", commands)
    assert len(trainings) == 3
    for recipe, words in trainings:
        on_a_cpu = words.replace("--bf16 true", "--bf16 false").split()
        assert parse_run(Path(recipe), [*on_a_cpu, "--use_cpu", "true"]).training.max_steps == 20
