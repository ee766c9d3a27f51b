"""How soon a fact is known: whole runs, by turns in a process each, asked on the way. No torch here."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO, TypedDict

from pipeline.benchmark.measure import BASELINE, TREE, VARIANT_NAMES, Worker, start_worker

VARIANTS = (BASELINE, "trl_packing", TREE)
LEGS = 12  # parts of a run, after each of which it is asked
KNOWN = 0.9  # the share of the facts that have to be known as trained


class Point(TypedDict):
    """What a run knew after so many seconds of its own work; the asking does not count."""

    seconds: float
    seen: float
    unseen: float


def measure_runs(spec: Mapping[str, Any], log_file: TextIO, log: Callable[[str], None]) -> dict[str, Any]:
    """The curve of each variant, from the start of its process to its end."""
    workers: list[Worker] = []
    curves: dict[str, list[Point]] = {}
    steps: dict[str, int] = {}
    try:
        for variant in VARIANTS:
            log(f"preparing: {VARIANT_NAMES[variant]}")
            began = time.perf_counter()
            worker = start_worker(variant, {**spec, "whole_run": True}, log_file)
            workers.append(worker)
            steps[variant] = int(worker.ready["steps"])
            curves[variant] = [_asked(worker, time.perf_counter() - began)]
        for leg in range(1, LEGS + 1):
            for worker in workers:
                curve, in_all = curves[worker.variant], steps[worker.variant]
                count = _until(leg, in_all) - _until(leg - 1, in_all)
                taken = sum(worker.request("step")["seconds"] for _ in range(count))
                curve.append(_asked(worker, curve[-1]["seconds"] + taken))
            known = ", ".join(f"{name} {curve[-1]['seen']:.0%}" for name, curve in curves.items())
            log(f"part {leg} of {LEGS}, facts known as trained: {known}")
        for worker in workers:
            worker.quit()
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
    return summarise_runs(curves, steps)


def summarise_runs(curves: Mapping[str, Sequence[Point]], steps: Mapping[str, int]) -> dict[str, Any]:
    """When each variant knew `KNOWN` of the facts as trained (None: never), and what it knew in new words by then.

    `unseen_by_then` is of the moment when ours knew them.
    """
    soonest = {name: _reached(curve) for name, curve in curves.items()}
    ours = soonest[TREE]
    variants = {
        name: {
            "steps": steps[name],
            "seconds_to_known": soonest[name],
            "times_ours": theirs / ours if ours and (theirs := soonest[name]) else None,
            "unseen_by_then": None if ours is None else _at(curve, ours),
            "best_unseen": max(point["unseen"] for point in curve),
            "seconds": curve[-1]["seconds"],
            "curve": list(curve),
        }
        for name, curve in curves.items()
    }
    return {"known": KNOWN, "variants": variants}


def _until(leg: int, steps: int) -> int:
    """The step at which a leg ends."""
    return round(leg * steps / LEGS)


def _asked(worker: Worker, seconds: float) -> Point:
    shares = worker.request("recall")
    return Point(seconds=seconds, seen=shares["seen"], unseen=shares["unseen"])


def _reached(curve: Sequence[Point]) -> float | None:
    """The second at which the share known as trained passes `KNOWN`, on a straight line between two askings."""
    for before, after in itertools.pairwise(curve):
        if after["seen"] >= KNOWN:
            part = (KNOWN - before["seen"]) / (after["seen"] - before["seen"])
            return before["seconds"] + part * (after["seconds"] - before["seconds"])
    return None


def _at(curve: Sequence[Point], seconds: float) -> float:
    """The share known in new words at that second, as last asked before."""
    return max((point["unseen"] for point in curve if point["seconds"] <= seconds), default=0.0)
