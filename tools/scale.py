"""What more rows and more GPUs cost: `--rows` measures it here, `--tables` and `--check` estimate it.

`--tables` prints the tables of docs/scale.md; `--check BENCH.json` holds the same arithmetic against measured steps.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pipeline.benchmark.measure import TREE, VARIANT_NAMES
from pipeline.capacity.memory import StepExecution, estimate
from pipeline.capacity.micro_batches import MicroBatch
from pipeline.capacity.shape import ModelShape
from pipeline.distributed.engines import DDP, SINGLE, ZERO2, ZERO3
from pipeline.errors import entry_point
from pipeline.models.locate import EMBEDDED, prepare_environment
from tools.preparing import PreparingCost, preparing_cost
from tools.step_model import Cluster, Gpu, Work, llama_shape, operations, step_time

# The makers' data sheets: dense bf16, memory, and NVLink's half of each direction; the RTX 4090 has PCIe 4.0 alone.
GPUS = {
    "h100": Gpu("H100 SXM", peak=989e12, memory=80e9, memory_bandwidth=3.35e12, intra_node_bandwidth=450e9),
    "a100": Gpu("A100 SXM", peak=312e12, memory=80e9, memory_bandwidth=2.0e12, intra_node_bandwidth=300e9),
    "4090": Gpu("RTX 4090", peak=165e12, memory=24e9, memory_bandwidth=1.0e12, intra_node_bandwidth=32e9),
}
NETWORK_RATE = 50e9  # bytes a second: one network card of 400 Gbit/s for each GPU
PEAK_SHARE = 0.3  # of a GPU's peak; Llama 3's makers reach .38 to .43 (arXiv:2407.21783, section 3.3.2)
LINK_SHARE = 0.7  # of a link's rate

# config.json of Qwen2.5-7B, -14B and -32B, and of Llama-3.1-70B
MODELS = {
    "7B": {"layers": 28, "hidden": 3584, "inner": 18944, "query": 3584, "key": 512, "vocabulary": 152064},
    "14B": {"layers": 48, "hidden": 5120, "inner": 13824, "query": 5120, "key": 1024, "vocabulary": 152064},
    "32B": {"layers": 64, "hidden": 5120, "inner": 27648, "query": 5120, "key": 1024, "vocabulary": 152064},
    "70B": {"layers": 80, "hidden": 8192, "inner": 28672, "query": 8192, "key": 1024, "vocabulary": 128256},
}
RANK, GPU_COUNTS = 16, (1, 8, 16, 64)
# A row, as `make bench` has it of a real character: tokens in a tree, tokens padded, supervised tokens.
IN_TREE, PADDED, SUPERVISED = 87, 189, 45
WORK_ROWS = 100 * 1_000 * 3  # characters, lines, epochs
TEN_MILLION = 10_000_000
ROWS_HEAD = "{:>10}{:>12}{:>10}{:>8}{:>10}{:>8}{:>11}{:>9}{:>9}{:>10}{:>9}"
HEAD = "{:<7}{:>5}  {:<12}{:>8}{:>9}{:>9}{:>10}{:>8}{:>8}"


def cluster_of(gpu: Gpu) -> Cluster:
    """Nodes of eight such GPUs, at the assumed shares of peak and of a link's rate."""
    return Cluster(gpu, share=PEAK_SHARE, gpus_per_node=8, inter_node_bandwidth=NETWORK_RATE, link_share=LINK_SHARE)


@entry_point
def main() -> None:
    """Read the command line and print what it asks for."""
    parser = argparse.ArgumentParser(
        prog="understudy-scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", type=int, nargs="+", metavar="N", help="prepare so many invented rows, and measure it"
    )
    parser.add_argument("--tables", action="store_true", help="7B to 70B on 1 to 64 GPUs, estimated")
    parser.add_argument("--gpu", choices=GPUS, default="h100", help="for --tables (default: h100)")
    parser.add_argument(
        "--batch", type=int, default=8, metavar="ROWS", help="a GPU and step, for --tables (default: 8)"
    )
    parser.add_argument("--check", type=Path, metavar="BENCH.json", help="what `bench` wrote, against the arithmetic")
    parser.add_argument("--model_name_or_path", default=EMBEDDED, help="for --rows and --check (default: embedded)")
    arguments = parser.parse_args()
    if not (arguments.rows or arguments.tables or arguments.check):
        parser.error("one of --rows, --tables and --check is needed")
    prepare_environment(arguments.model_name_or_path)
    if arguments.rows:
        print_lines(preparing_table(measured(arguments.rows, arguments.model_name_or_path)))
    if arguments.tables:
        print_lines(tables(GPUS[arguments.gpu], arguments.batch))
    if arguments.check:
        print_lines(check_table(json.loads(arguments.check.read_text("utf-8")), arguments.model_name_or_path))


def measured(sizes: Sequence[int], model: str) -> Iterator[Mapping[str, Any]]:
    """The cost of each size, each in a process of its own, so that no peak is another's."""
    for rows in sizes:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield dict(pool.submit(preparing_cost, rows, model).result())


def preparing_table(costs: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each size, and ten million rows on the straight line through the last two sizes."""
    yield ROWS_HEAD.format("rows", "tokens/row", "encoding", "rows/s", "planning", "order", "fetching",
                           "records", "table", "resident", "peak")  # fmt: skip
    last: Mapping[str, Any] = dict.fromkeys(PreparingCost.__annotations__, 0)
    for cost in costs:
        before, last = last, cost
        yield ROWS_HEAD.format(
            f"{cost['rows']:,}", f"{cost['tokens'] / cost['rows']:.1f}", f"{cost['encoding']:.1f} s",
            f"{cost['rows'] / cost['encoding']:.0f}", f"{cost['planning']:.2f} s", f"{cost['order']:.2f} s",
            f"{cost['fetching'] * 1e6:.0f} us/row",
            *(f"{cost[name] / 1e6:.0f} MB" for name in ("records_bytes", "table", "resident", "peak")),
        )  # fmt: skip

    def then(name: str) -> float:
        slope = (last[name] - before[name]) / (last["rows"] - before["rows"])
        return float(last[name] + slope * (TEN_MILLION - last["rows"]))

    yield (f"ten million, by a straight line: encoding {then('encoding') / 60:.0f} min, planning and one epoch's order"
           f" {then('planning') + then('order'):.0f} s, records {then('records_bytes') / 1e9:.1f} GB,"
           f" table {then('table') / 1e9:.1f} GB, peak {then('peak') / 1e9:.1f} GB; in each process")  # fmt: skip


def tables(gpu: Gpu, rows: int) -> Iterator[str]:
    """LoRA and full training of each model on each number of GPUs; on a GPU of 24 GB, LoRA of the small ones alone."""
    small = gpu.memory < 40e9
    names, counts = (["7B", "14B"], (1,)) if small else (list(MODELS), GPU_COUNTS)
    ways = {"LoRA": (RANK, False), "QLoRA": (RANK, True)} if small else {"LoRA": (RANK, False), "full": (0, False)}
    rate = f"{PEAK_SHARE:.0%} of {gpu.peak / 1e12:.0f} TFLOP/s"
    yield f"{gpu.name}, {rate}, {rows} rows a GPU and step, {WORK_ROWS:,} rows"
    for way, (rank, four_bits) in ways.items():
        yield ""
        yield HEAD.format(way, "GPUs", "engine", "GB each", "ms/step", "sending", "tokens/s", "hours", "padded")
        for name in names:
            shape = llama_shape(**MODELS[name], rank=rank, four_bits=four_bits)
            yield from (_line(name, shape, gpu, count, rows) for count in counts)


def _line(name: str, shape: ModelShape, gpu: Gpu, count: int, rows: int) -> str:
    engine, needed = cheapest_engine_that_fits(shape, gpu, count, rows)
    if engine is None:
        return HEAD.format(name, count, "does not fit", f"{needed / 1e9:.0f}", *[""] * 5).rstrip()
    tree, padded = (
        step_time(shape, work_of(rows, tokens), cluster_of(gpu), recompute=True, engine=engine, gpus=count)
        for tokens in (IN_TREE, PADDED)
    )
    steps = WORK_ROWS / count / rows
    return HEAD.format(
        name, count, engine, f"{needed / 1e9:.0f}", f"{tree.total * 1e3:.0f}", f"{tree.communication / tree.total:.0%}",
        f"{count * rows * IN_TREE / tree.total:,.0f}", f"{steps * tree.total / 3600:.2f}",
        f"{steps * padded.total / 3600:.2f}",
    )  # fmt: skip


def work_of(rows: int, tokens_a_row: int) -> Work:
    """A micro-batch of so many tokens a row, each of which sees at most a whole row."""
    tokens = rows * tokens_a_row
    return Work(tokens, scored=rows * SUPERVISED, pairs=tokens * PADDED)


def cheapest_engine_that_fits(shape: ModelShape, gpu: Gpu, count: int, rows: int) -> tuple[str | None, float]:
    """The engine that sends least of those that fit, or none; and the bytes that it, or the last, needs on each GPU."""
    targets, tokens, needed = rows * SUPERVISED, rows * IN_TREE, 0.0
    batch = MicroBatch(tokens, targets, targets, keys=rows * PADDED, mask=tokens * PADDED)
    for engine in (DDP, ZERO2, ZERO3) if count > 1 else (SINGLE,):
        execution = StepExecution(engine, count, on_gpu=True, tree=True, checkpointing=True)
        needed = estimate(shape, [batch], execution, libraries=0).total
        if needed <= gpu.memory:
            return engine, needed
    return None, needed


def check_table(found: Mapping[str, Any], model: str) -> Iterator[str]:
    """Each variant's step on a CPU: its operations at the rate of products that the run measured, and its seconds."""
    from pipeline.models.load import load_config

    values = load_config(model).to_dict()
    heads = values["num_attention_heads"]
    width = values.get("head_dim") or values["hidden_size"] // heads
    lora = found["steps"][TREE][0]["passes"] == 4
    shape = llama_shape(
        layers=values["num_hidden_layers"], hidden=values["hidden_size"], inner=values["intermediate_size"],
        query=heads * width, key=values["num_key_value_heads"] * width, vocabulary=values["vocab_size"],
        rank=int(found["recipe"]["lora_r"]) if lora else 0,
    )  # fmt: skip
    yield f"{'LoRA' if lora else 'full training':<26}{'estimated':>10}{'measured':>10}{'ratio':>8}"
    for variant, steps in found["steps"].items():
        recompute = variant in ("trl", "trl_packing")  # trl's default
        works = [Work(step["tokens"], step["scored"], step["pairs"]) for step in steps]
        estimated = (
            statistics.median(operations(shape, work, recompute=recompute) for work in works) / found["gemm_rate"]
        )
        seconds = statistics.median(step["seconds"] for step in steps)
        yield f"{VARIANT_NAMES[variant]:<26}{estimated:>8.2f} s{seconds:>8.2f} s{estimated / seconds:>8.2f}"


def print_lines(lines: Iterator[str]) -> None:
    """Write each line as it comes."""
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
