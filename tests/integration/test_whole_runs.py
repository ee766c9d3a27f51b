"""Whole runs beside each other, as `bench --time_to_recall` takes them: real processes, on the tests' tiny model."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.runs import MODULE, succeeded

pytestmark = pytest.mark.launch


def test_trls_runs_and_ours_are_asked_on_their_way_and_taken_to_their_ends(tiny_recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "bench"
    said = succeeded(
        *MODULE, "pipeline.bench", "--time_to_recall", "--config", str(tiny_recipe), "--dtype", "float32",
        "--out", str(out),
    )  # fmt: skip
    assert "in new words then" in said
    found = json.loads((out / "recall_bench.json").read_text(encoding="utf-8"))
    assert list(found["variants"]) == ["trl", "trl_packing", "prefix_tree"]
    for one in found["variants"].values():
        assert one["steps"] > 0
        assert len(one["curve"]) == 13
        seconds = [point["seconds"] for point in one["curve"]]
        assert all(later >= earlier for earlier, later in itertools.pairwise(seconds))
        assert all(0 <= point[form] <= 1 for point in one["curve"] for form in ("seen", "unseen"))
    assert found["variants"]["trl"]["steps"] % 3 == 0  # trl's three epochs
    ET.parse(out / "recall_bench.svg")  # noqa: S314


def test_several_characters_have_no_time_to_recall(tmp_path: Path) -> None:
    from pipeline.benchmark.session import bench_recall
    from pipeline.errors import UnderstudyError

    with pytest.raises(UnderstudyError, match="has several characters"):
        bench_recall(Path("recipes/cast_demo.yaml"), [], folder=tmp_path)
