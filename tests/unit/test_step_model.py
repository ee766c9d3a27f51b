"""The model of a training step obeys what it is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.capacity.shape import ModelShape, model_shape
from pipeline.distributed.engines import DDP, SINGLE, ZERO2, ZERO3
from pipeline.errors import UnderstudyError
from tools.scale import GPUS, MODELS, cheapest_engine_that_fits, check_table, cluster_of, tables
from tools.step_model import Work, bytes_sent, llama_shape, operations, step_time

WORK = Work(tokens=700, scored=300, pairs=70_000)
CLUSTER = cluster_of(GPUS["h100"])
SHAPES = {(name, rank): llama_shape(**MODELS[name], rank=rank) for name in MODELS for rank in (0, 16)}
ANY_SHAPE = st.sampled_from(list(SHAPES.values()))
FULL, ADAPTED = (st.sampled_from([SHAPES[name, rank] for name in MODELS]) for rank in (0, 16))
COUNTS = st.integers(2, 512)


@pytest.mark.parametrize(("name", "billions"), [("7B", 7.6), ("14B", 14.8), ("32B", 32.8), ("70B", 70.6)])
def test_the_models_have_the_parameters_that_their_makers_say(name: str, billions: float) -> None:
    assert SHAPES[name, 0].parameters / 1e9 == pytest.approx(billions, rel=0.01)


@pytest.mark.parametrize("rank", [0, 4])
def test_a_shape_by_its_widths_is_the_shape_of_the_built_model_but_for_its_norms(rank: int) -> None:
    from peft import LoraConfig
    from transformers import LlamaConfig

    config = LlamaConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=2, vocab_size=500)  # fmt: skip
    lora = LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM") if rank else None
    built = model_shape(config, dtype=torch.bfloat16, peft_config=lora, four_bits=False)
    own = llama_shape(layers=3, hidden=64, inner=96, query=64, key=32, vocabulary=500, rank=rank)
    norms = 64 * (2 * 3 + 1)
    assert own == replace(built, parameters=built.parameters - norms, trained=built.trained - (0 if rank else norms))


def test_lora_of_layers_that_a_model_lacks_is_refused_with_the_names_of_those_it_has() -> None:
    from peft import LoraConfig
    from transformers import LlamaConfig

    config = LlamaConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4, vocab_size=9)
    lora = LoraConfig(target_modules=["[gate_proj"], task_type="CAUSAL_LM")
    with pytest.raises(UnderstudyError, match=r"lora keys: do not fit .*\[gate_proj.*down_proj, gate_proj, k_proj"):
        model_shape(config, dtype=torch.float32, peft_config=lora, four_bits=False)


@given(shape=ANY_SHAPE)
def test_one_gpu_sends_nothing(shape: ModelShape) -> None:
    assert bytes_sent(shape, engine=SINGLE, gpus=1) == 0


@given(shape=FULL, gpus=COUNTS)
def test_zero_3_sends_one_and_a_half_times_what_ddp_sends_in_full_training(shape: ModelShape, gpus: int) -> None:
    ddp, zero2, zero3 = (bytes_sent(shape, engine=engine, gpus=gpus) for engine in (DDP, ZERO2, ZERO3))
    assert zero2 == ddp
    assert zero3 == pytest.approx(1.5 * ddp)


@given(name=st.sampled_from(sorted(MODELS)), gpus=COUNTS)
def test_lora_sends_next_to_nothing_where_every_gpu_holds_the_weights(name: str, gpus: int) -> None:
    full, lora = (bytes_sent(SHAPES[name, rank], engine=DDP, gpus=gpus) for rank in (0, 16))
    assert lora < full / 50


@given(shape=ANY_SHAPE, engine=st.sampled_from([DDP, ZERO2, ZERO3]), gpus=st.integers(1, 512), more=st.integers(1, 64))
def test_more_gpus_do_more_in_all_as_long_as_no_slower_link_comes_in(
    shape: ModelShape, engine: str, gpus: int, more: int
) -> None:
    few, many = (
        count
        / step_time(shape, WORK, replace(CLUSTER, gpus_per_node=1024), recompute=True, engine=engine, gpus=count).total
        for count in (gpus, gpus + more)
    )
    assert few < many <= few * (gpus + more) / gpus * (1 if engine == DDP else 2)


@given(shape=ANY_SHAPE, engine=st.sampled_from([DDP, ZERO2, ZERO3]))
def test_a_second_node_makes_a_step_longer(shape: ModelShape, engine: str) -> None:
    inside, across = (
        step_time(shape, WORK, CLUSTER, recompute=True, engine=engine, gpus=gpus).communication for gpus in (8, 16)
    )
    assert across > inside


@given(shape=ANY_SHAPE, times=st.integers(2, 9))
def test_operations_are_in_proportion_to_what_is_computed(shape: ModelShape, times: int) -> None:
    more = Work(WORK.tokens * times, WORK.scored * times, WORK.pairs * times)
    one, many = (operations(shape, work, recompute=False) for work in (WORK, more))
    assert many == pytest.approx(times * one)


@given(name=st.sampled_from(sorted(MODELS)))
def test_lora_takes_four_passes_full_training_six_and_recomputing_two_more(name: str) -> None:
    tokens = Work(1000, 0, 0)
    for rank, passes in ((0, 6), (16, 4)):
        shape = SHAPES[name, rank]
        for recompute, more in ((False, 0), (True, 2)):
            found = operations(shape, tokens, recompute=recompute)
            assert found == pytest.approx((passes + more) * shape.linear * 1000, rel=0.02)


def test_a_faster_gpu_shortens_the_products_alone() -> None:
    faster = replace(CLUSTER, gpu=replace(CLUSTER.gpu, peak=2 * CLUSTER.gpu.peak))
    slow, fast = (
        step_time(SHAPES["7B", 0], WORK, cluster, recompute=True, engine=ZERO3, gpus=16)
        for cluster in (CLUSTER, faster)
    )
    assert fast.products == pytest.approx(slow.products / 2)
    assert (fast.optimizer, fast.communication) == (slow.optimizer, slow.communication)


@given(shape=ANY_SHAPE, count=st.sampled_from([1, 2, 4, 8, 16, 32]), rows=st.sampled_from([1, 8, 64]))
def test_what_fits_on_some_gpus_fits_on_twice_as_many(shape: ModelShape, count: int, rows: int) -> None:
    fits, _ = cheapest_engine_that_fits(shape, GPUS["h100"], count, rows)
    fits_on_more, _ = cheapest_engine_that_fits(shape, GPUS["h100"], 2 * count, rows)
    assert fits is None or fits_on_more is not None


def test_the_tables_say_what_does_not_fit() -> None:
    table = list(tables(GPUS["h100"], 8))
    assert sum(line.startswith(("7B", "14B", "32B", "70B")) for line in table) == 2 * 4 * 4
    assert any(line.split()[:5] == ["70B", "1", "does", "not", "fit"] for line in table)
    assert any(line.split()[:4] == ["7B", "1", "one", "process"] for line in table)


def test_a_step_at_the_rate_of_its_products_is_estimated_as_it_was_measured(tiny_model_folder: Path) -> None:
    work = {"tokens": 700, "scored": 300, "pairs": 70_000, "passes": 4}
    shape = llama_shape(
        layers=2, hidden=32, inner=64, query=32, key=16, vocabulary=vocabulary(tiny_model_folder), rank=8
    )
    seconds = operations(shape, WORK, recompute=False) / 1e9
    found = {
        "steps": {"prefix_tree": [work | {"seconds": seconds}], "padded": [work | {"seconds": 2 * seconds}]},
        "recipe": {"lora_r": 8},
        "gemm_rate": 1e9,
    }
    _, tree, padded = check_table(found, str(tiny_model_folder))
    assert (tree.split()[-1], padded.split()[-1]) == ("1.00", "0.50")


def vocabulary(folder: Path) -> int:
    return int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"])
