"""The time and memory that preparing a run's rows takes: rendering, encoding and proving, planning, fetching."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Sequence
from typing import Any, TypedDict

import psutil
import pyarrow.compute as pc

from pipeline.capacity.memory import peak_memory
from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import render
from pipeline.mixture.plan import exposures_by_weight, plan_mixture
from pipeline.models.load import load_tokenizer
from pipeline.records.record import Record, content_id
from pipeline.tokens.collate import PrefixTreeCollator
from pipeline.tokens.row_set import encode_rows

BATCH, BATCHES = 8, 200
ROWS_A_RECORD = 2  # a line stands under its kind's instruction and under chat's
WORDS = "lamp rain harbour nobody asked bells stopped boats name father said fog keeps ledger wrote again twice"


class PreparingCost(TypedDict):
    """Seconds and bytes for so many rows. `records_bytes` is what the records held before any was encoded.

    `encoding` is rendering, encoding and proving; `planning` is the exposures of a run of three epochs, `order` one
    epoch's order, and `fetching` a row's way into a batch. `resident` and `peak` are what encoding added to the
    records, `table` the rows as Arrow.
    """

    rows: int
    tokens: int
    encoding: float
    planning: float
    order: float
    fetching: float
    records_bytes: int
    table: int
    resident: int
    peak: int


def invented_lines(count: int, seed: int) -> list[Record]:
    """Lines of 5 to 60 words drawn by the seed, in scenes of a dozen."""
    words, rng = WORDS.split(), random.Random(seed)  # noqa: S311 - these are no secrets
    texts = (" ".join(rng.choices(words, k=rng.randint(5, 60))) for _ in range(count))
    return [
        Record(
            content_id("Mira", "", text), "dialogue", f"Night {number // 12}", text, (), "Mira", f"invented#{number}"
        )
        for number, text in enumerate(texts)
    ]


def preparing_cost(rows: int, model: str) -> PreparingCost:
    """The same work on invented lines as a run does before its first step, in this process."""
    tokenizer, persona = load_tokenizer(model), make_persona("Mira", "en", {})
    encode_rows([render(invented_lines(1, 0)[0], persona, chat_share=0.5)], tokenizer,
                max_length=None, on_overlong="error")  # what is loaded on first use  # fmt: skip
    before = _resident()
    records = invented_lines(rows // ROWS_A_RECORD, seed=0)
    held, began = _resident(), time.perf_counter()
    groups = (render(record, persona, chat_share=0.5) for record in records)
    row_set = encode_rows(groups, tokenizer, max_length=None, on_overlong="error")
    encoded, peak, resident = time.perf_counter(), peak_memory(), _resident()
    began_planning = time.perf_counter()
    plan = plan_mixture(
        row_set.kinds, exposures_by_weight(row_set.kinds, {"dialogue": 1.0}), seed=0, rows_per_step=BATCH
    )
    plan.planned(3)
    planned = time.perf_counter()
    order = plan.rows(0, row_set.variants)
    drawn = time.perf_counter()
    fetched = _fetch(row_set.dataset, order.tolist())
    return PreparingCost(
        rows=len(row_set.dataset),
        tokens=pc.sum(pc.list_value_length(row_set.dataset.data.column("input_ids"))).as_py(),
        encoding=encoded - began,
        planning=planned - began_planning,
        order=drawn - planned,
        fetching=fetched,
        records_bytes=held - before,
        table=row_set.dataset.data.nbytes,
        resident=resident - held,
        peak=peak - held,
    )


def _fetch(dataset: Any, order: Sequence[int]) -> float:
    """Seconds a row from the table into a prefix tree."""
    collate, batches = PrefixTreeCollator(), min(BATCHES, len(order) // BATCH)
    began = time.perf_counter()
    for start in range(0, batches * BATCH, BATCH):
        collate(dataset.__getitems__(order[start : start + BATCH]))
    return (time.perf_counter() - began) / (batches * BATCH)


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
