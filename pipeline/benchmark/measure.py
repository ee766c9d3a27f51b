"""The variants' steps, taken by turns in a process each, and the figures computed from them. No torch here."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import UnderstudyError

VARIANT_NAMES = {
    "trl": "trl, its defaults",
    "trl_whole_activations": "trl, no checkpointing",
    "trl_packing": "trl, packing=True (bfd)",
    "padded": "Understudy, padded",
    "prefix_tree": "Understudy, prefix tree",
}
BASELINE, TREE = "trl", "prefix_tree"
MAX_OTHER_LOAD = 0.04  # of all cores' time: a step during which other programs took more is measured again
MAX_ROUNDS_FACTOR = 2  # rounds at most for each one asked for


@dataclass(slots=True)
class Worker:
    """A variant's process, which takes a training step on request."""

    variant: str
    process: subprocess.Popen[str]
    ready: dict[str, Any] = field(default_factory=dict)  # its first answer
    steps: list[dict[str, float]] = field(default_factory=list)

    def request(self, command: str) -> dict[str, Any]:
        """The answer to a command."""
        assert self.process.stdin  # noqa: S101 - it is a pipe
        with contextlib.suppress(BrokenPipeError):  # `read` reports a dead process
            self.process.stdin.write(f"{command}\n")
            self.process.stdin.flush()
        return self.read()

    def read(self) -> dict[str, Any]:
        """The next answer.

        Raises:
            UnderstudyError: the process has died.
        """
        assert self.process.stdout  # noqa: S101 - it is a pipe
        line = self.process.stdout.readline()
        if not line:
            raise UnderstudyError(
                f"bench of {self.variant}", f"died with exit code {self.process.wait()}", fix="read the log named above"
            )
        return dict(json.loads(line))

    def quit(self) -> dict[str, Any]:
        """The process has ended; returns its last answer."""
        last = self.request("quit")
        self.process.wait()
        return last


def start_worker(variant: str, spec: Mapping[str, Any], log: TextIO) -> Worker:
    """A worker that has built its trainer and waits before its first step."""
    command = [sys.executable, "-m", "pipeline.benchmark.worker", json.dumps({**spec, "variant": variant})]
    process = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
    )
    worker = Worker(variant, process)
    try:
        worker.ready = worker.read()
    except BaseException:
        process.kill()
        raise
    return worker


def run_bench(spec: Mapping[str, Any], rounds: int, log_file: TextIO, log: Callable[[str], None]) -> dict[str, Any]:
    """All figures of a bench, in rounds in which every variant makes one optimizer step.

    Rounds are repeated until each variant has `rounds` steps during which no other program kept the cores busy, but not
    for more than twice as many.
    """
    workers: list[Worker] = []
    try:
        for variant, name in VARIANT_NAMES.items():
            log(f"loading: {name}")
            workers.append(start_worker(variant, spec, log_file))
        for worker in workers:
            worker.request("step")  # the first step warms up and is not counted
        for turn in range(rounds * MAX_ROUNDS_FACTOR):
            unfinished = [worker for worker in workers if len(_undisturbed(worker.steps)) < rounds]
            if not unfinished:
                break
            for worker in unfinished:
                rate = worker.request("gemm") if worker.variant == TREE else {}
                worker.steps.append(worker.request("step") | rate)
            seconds = ", ".join(f"{worker.variant} {worker.steps[-1]['seconds']:.2f}" for worker in unfinished)
            log(f"round {turn + 1}, seconds a step: {seconds}")
        peaks = {worker.variant: worker.quit() for worker in workers}
        log("gradients, scenes, planning")
        gradients = start_worker(TREE, spec, log_file)
        workers.append(gradients)
        difference = gradients.request("gradients")["gradient_difference"]
        gradients.quit()
        costs = start_worker("costs", spec, log_file)
        workers.append(costs)
        without_model = costs.request("costs")
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
    found = summarise({worker.variant: worker.steps for worker in workers if worker.steps}, peaks)
    tree_row = 1 / found["variants"][TREE]["samples_per_second"]
    for cost in without_model["planning"]:
        cost["share"] = (cost["planning"] + cost["collating"]) / tree_row
    return found | {"gradient_difference": difference, **without_model}


def summarise(
    steps: Mapping[str, Sequence[Mapping[str, float]]], peaks: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Rates and ratios of the variants: medians over their undisturbed steps, or over all, where none was undisturbed.

    The ceiling of a step: the products that the tree's tokens cannot do without (a forward and a backward through
    all layers, the LM head for the supervised alone), at the rate of products measured just before.
    """
    counted = {name: _undisturbed(own) or list(own) for name, own in steps.items()}
    rate = {name: statistics.median(step["rows"] / step["seconds"] for step in own) for name, own in counted.items()}
    variants = {
        name: {
            "samples_per_second": rate[name],
            "supervised_per_second": statistics.median(step["supervised"] / step["seconds"] for step in own),
            "times_baseline": rate[name] / rate[BASELINE],
            "rows_a_step": statistics.mean(step["rows"] for step in own),
            "tokens_a_row": sum(step["tokens"] for step in own) / sum(step["rows"] for step in own),
            "peak_bytes": peaks[name]["peak_bytes"],
            "of_baseline_memory": peaks[name]["peak_bytes"] / peaks[BASELINE]["peak_bytes"],
            "undisturbed": len(_undisturbed(steps[name])),
        }
        for name, own in counted.items()
    }
    shares = [
        step["passes"] * (step["layers"] * step["tokens"] + step["head"] * step["supervised"])
        / step["rate"] / step["seconds"]
        for step in counted[TREE]
    ]  # fmt: skip
    return {
        "variants": variants,
        "gemm_rate": statistics.median(step["rate"] for step in counted[TREE]),
        "share_of_ceiling": statistics.median(shares),
        "device": peaks[TREE]["device"],
        "steps": {name: list(own) for name, own in steps.items()},
    }


def _undisturbed(steps: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    return [step for step in steps if step["others"] < MAX_OTHER_LOAD]


def log_path(folder: Path) -> Path:
    """Where the workers' own output goes."""
    return folder / "bench.log"
