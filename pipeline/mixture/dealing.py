"""Each optimizer step's rows dealt to its micro-batches, so that these are about equally long."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints


def deal_rows(rows: Ints, lengths: Ints, *, rows_per_step: int, rows_per_batch: int) -> Ints:
    """The same rows in another order: those of each step dealt out so that its micro-batches are about equally long.

    `rows` `[n]` are row numbers, step after step; `lengths[row]` are a row's tokens. Processes compute a step's
    micro-batches side by side and wait for the slowest, and memory must do for the largest. Which rows a step sees is
    the plan's, and stays. Longest first, each to the micro-batch with the fewest tokens that has room (R. L. Graham,
    "Bounds on Multiprocessing Timing Anomalies", 1969).
    """
    if rows_per_step == rows_per_batch:
        return rows
    dealt = rows.copy()
    for start in range(0, len(rows) - rows_per_step + 1, rows_per_step):
        step = rows[start : start + rows_per_step]
        batches: list[list[int]] = [[] for _ in range(rows_per_step // rows_per_batch)]
        lightest = [(0, number) for number in range(len(batches))]
        tokens = lengths[step].tolist()
        for place in sorted(range(rows_per_step), key=lambda place: -tokens[place]):
            total, number = heapq.heappop(lightest)
            batches[number].append(int(step[place]))
            if len(batches[number]) < rows_per_batch:
                heapq.heappush(lightest, (total + tokens[place], number))
        dealt[start : start + rows_per_step] = [row for batch in batches for row in batch]
    return dealt
