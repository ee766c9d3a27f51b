"""What preparing rows costs is measured on as many rows as were asked for, and printed for each size."""

from __future__ import annotations

from pathlib import Path

from tools.preparing import invented_lines, preparing_cost
from tools.scale import preparing_table

COST = {
    "rows": 1_000, "tokens": 90_000, "encoding": 6.0, "planning": 0.001, "order": 0.002, "fetching": 1e-5,
    "records_bytes": 10**6, "table": 10**6, "resident": 10**6, "peak": 2 * 10**6,
}  # fmt: skip


def test_invented_lines_are_the_same_for_a_seed_and_differ_among_themselves() -> None:
    lines = invented_lines(50, seed=3)
    assert lines == invented_lines(50, seed=3) != invented_lines(50, seed=4)
    assert len({line.record_id for line in lines}) == 50


def test_the_cost_is_of_so_many_rows_and_their_table_has_eight_bytes_a_token(tiny_model_folder: Path) -> None:
    cost = preparing_cost(64, str(tiny_model_folder))
    assert cost["rows"] == 64
    assert 8 * cost["tokens"] <= cost["table"] < 8 * cost["tokens"] + 64 * 20
    assert min(cost["encoding"], cost["planning"], cost["order"], cost["fetching"]) > 0


def test_ten_million_rows_lie_on_the_line_through_the_last_two_sizes() -> None:
    *_, ten = preparing_table(iter([COST, COST | {"rows": 10_000, "encoding": 60.0, "table": 2 * 10**7}]))
    assert "encoding 1000 min" in ten
    assert "table 21.1 GB" in ten


def test_one_size_alone_is_in_proportion() -> None:
    *_, ten = preparing_table(iter([COST]))
    assert "encoding 1000 min" in ten
    assert "table 10.0 GB" in ten
