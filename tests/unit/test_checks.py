"""Each complaint of a preflight, and the arithmetic of memory."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig
from safetensors.torch import save_file
from transformers import LlamaConfig, MistralConfig

from pipeline.capacity import checks, settings
from pipeline.capacity.findings import GIB, Finding
from pipeline.capacity.forecast import is_out_of_memory
from pipeline.capacity.launch import Launch, read_launch
from pipeline.capacity.memory import Memory, StepExecution, estimate
from pipeline.capacity.micro_batches import MicroBatch
from pipeline.capacity.settings import Room, Setting
from pipeline.capacity.shape import model_shape
from pipeline.distributed.engines import DDP, FSDP2, SINGLE, ZERO2, ZERO3
from pipeline.errors import UnderstudyError
from tests.conftest import ROOT

LLAMA = LlamaConfig(
    vocab_size=1000, hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2,
)  # fmt: skip
LORA = LoraConfig(r=4, target_modules="all-linear")
FULL = model_shape(LLAMA, dtype=torch.float32, peft_config=None, four_bits=False)
ADAPTED = model_shape(LLAMA, dtype=torch.bfloat16, peft_config=LORA, four_bits=False)
BATCH = MicroBatch(tokens=500, targets=100, scored=100, keys=900, mask=90_000)
GPUS = Launch(DDP, 8, 8, on_gpu=True)


def memory_of(shape: Any, engine: str, processes: int = 1, *, checkpointing: bool = False) -> Memory:
    return estimate(shape, [BATCH], StepExecution(engine, processes, True, True, checkpointing), libraries=0)


def told(findings: Any) -> str:
    return "\n".join(str(finding) for finding in findings)


def test_a_shape_counts_what_the_model_has() -> None:
    block = 64 * 64 * 2 + 64 * 32 * 2 + 3 * 64 * 128
    assert FULL.parameters == FULL.trained == 2 * 1000 * 64 + 3 * (block + 2 * 64) + 64
    assert FULL.linear == 3 * block
    assert (FULL.query, FULL.key, FULL.inner, FULL.bytes_each) == (64, 32, 128, 4)
    assert FULL.frozen_bytes == 0
    assert ADAPTED.parameters - ADAPTED.trained == FULL.parameters
    assert ADAPTED.trained_bytes == 4  # peft keeps an adapter in float32
    assert ADAPTED.frozen_bytes == 2 * FULL.parameters
    assert replace(ADAPTED, four_bits=True).frozen_bytes < 1.5 * FULL.parameters
    windowed = MistralConfig(hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4,
                             num_key_value_heads=2, vocab_size=100, sliding_window=8)  # fmt: skip
    reason = model_shape(windowed, dtype=torch.float32, peft_config=None, four_bits=False).prefix_tree_obstacle
    assert reason == "it attends to a window of 8 tokens"


@pytest.mark.parametrize(
    ("names", "complaint"), [(["q_projection"], "do not fit the model"), (["q_proj", "v_porj"], "no module: v_porj")]
)
def test_modules_that_the_model_lacks_are_named_beside_those_it_has(names: list[str], complaint: str) -> None:
    with pytest.raises(UnderstudyError, match=complaint) as refused:
        model_shape(LLAMA, dtype=torch.float32, peft_config=LoraConfig(r=4, target_modules=names), four_bits=False)
    assert "v_proj" in refused.value.parts[2]


def test_engines_share_out_what_they_are_said_to() -> None:
    """ZeRO, arXiv:1910.02054: ZeRO-2 shares gradients and optimizer state, ZeRO-3 and FSDP2 the weights too."""
    one, ddp, zero2, zero3, fsdp2 = (memory_of(FULL, engine, 8) for engine in (SINGLE, DDP, ZERO2, ZERO3, FSDP2))
    assert ddp.gradients == 2 * one.gradients
    assert zero2.weights == ddp.weights == one.weights
    assert zero2.optimizer == 12 * FULL.trained // 8
    assert fsdp2.optimizer == one.optimizer // 8
    assert zero3.weights == one.weights // 8 + FULL.largest_layer * 4 == fsdp2.weights
    assert one.activations == zero3.activations


def test_checkpointing_keeps_each_layers_input_and_one_layer() -> None:
    whole, checkpointed = memory_of(FULL, SINGLE), memory_of(FULL, SINGLE, checkpointing=True)
    inputs = 3 * BATCH.tokens * 64 * 4
    assert checkpointed.activations == pytest.approx(whole.activations / 3 + 1.15 * inputs, abs=2)


@given(tokens=st.integers(1, 10_000), more=st.integers(1, 10_000))
def test_a_larger_micro_batch_needs_more(tokens: int, more: int) -> None:
    small, large = (MicroBatch(size, size, size, size, size) for size in (tokens, tokens + more))
    for execution in (StepExecution(SINGLE, 1, False, tree, False) for tree in (True, False)):
        needs = [estimate(ADAPTED, [batch], execution, libraries=7).total for batch in (small, large)]
        assert needs[0] < needs[1] == estimate(ADAPTED, [large, small], execution, libraries=7).total


def test_a_missing_package_and_an_old_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [finding for finding in checks.check_versions([]) if finding.fatal]
    installed = importlib.metadata.version

    def version(name: str) -> str:
        if name == "deepspeed":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.9" if name == "trl" else installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert told(checks.check_versions([])).startswith(
        "error: trl: is 0.9, and <1.17,>=1.16 is needed. To fix it: `pip install 'trl<1.17,>=1.16'`"
    )
    assert "deepspeed: is not installed. To fix it: `pip install 'deepspeed<0.20,>=" in told(
        checks.check_versions(["deepspeed"])
    )


def test_processes_without_a_gpu_each_are_refused_and_unseen_gpus_are_a_warning() -> None:
    few = told(checks.check_devices(GPUS, gpus=2, bf16=False, bf16_works=True))
    assert few == ("error: num_processes: is 8 on a machine with 2 GPUs. To fix it: launch with --num_processes 2.")
    (unseen,) = checks.check_devices(GPUS, gpus=0, bf16=True, bf16_works=False)
    assert not unseen.fatal
    assert "--device_memory" in unseen.fix
    assert "does not compute in bfloat16" in told(checks.check_devices(GPUS, gpus=8, bf16=True, bf16_works=False))
    assert not list(checks.check_devices(GPUS, gpus=8, bf16=True, bf16_works=True))
    assert not list(checks.check_devices(Launch(), gpus=0, bf16=True, bf16_works=False))


def test_a_missing_shard_an_unreadable_index_and_a_file_cut_off_are_named(tmp_path: Path) -> None:
    save_file({"a": torch.ones(5)}, tmp_path / "one.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors"}}), encoding="utf-8")
    assert not list(checks.check_weight_files(tmp_path))
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}), encoding="utf-8")
    assert "two.safetensors: is missing: the index names it" in told(checks.check_weight_files(tmp_path))
    index.write_text("{", encoding="utf-8")
    assert "index.json: cannot be read" in told(checks.check_weight_files(tmp_path))
    index.unlink()
    whole = (tmp_path / "one.safetensors").read_bytes()
    for length in (len(whole) - 1, 30, 3):
        (tmp_path / "one.safetensors").write_bytes(whole[:length])
        assert f"one.safetensors: has {length} bytes, and its header says" in told(checks.check_weight_files(tmp_path))


def test_a_disk_without_room_for_the_checkpoints_is_named(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    out = tmp_path / "not" / "there" / "yet"
    assert not list(checks.check_disk(out, checkpoint=1000, kept=2, final=1000))
    (finding,) = checks.check_disk(out, checkpoint=free, kept=2, final=0)
    assert "for 3 checkpoints and the result" in finding.what
    assert "lower save_total_limit" in finding.fix


def need(setting: Setting) -> Memory:
    """1 GiB a row, a tenth of it with checkpointing, and weights: 8 GiB in full, 2 with LoRA, 1 in four bits."""
    rows = setting.rows * GIB // (10 if setting.checkpointing else 1)
    weights = GIB if setting.four_bits else 2 * GIB if setting.lora else 8 * GIB
    return Memory(0, weights // (8 if setting.engine == ZERO3 else 1), 0, 0, rows, 0)


BIG = Setting(rows=8, accumulation=1, checkpointing=False, engine=DDP, lora=False, four_bits=False)


@pytest.mark.parametrize(
    ("room", "advice"),
    [
        (13, "set per_device_train_batch_size: 4 and gradient_accumulation_steps: 2 (12.0 GiB)"),
        (8.9, "set activation_checkpointing: true (8.8 GiB)"),
        (2.2, "set activation_checkpointing: true, accelerate_configs/zero3.yaml (1.8 GiB)"),
        (1.15, "set per_device_train_batch_size: 1 and gradient_accumulation_steps: 8, activation_checkpointing: true, "
               "accelerate_configs/zero3.yaml (1.1 GiB)"),
        (0.5, "set per_device_train_batch_size: 2 and gradient_accumulation_steps: 4, activation_checkpointing: true, "
              "use_peft: true, accelerate_configs/zero3.yaml (461 MiB)"),
        (0.1, "take a smaller model, or devices with more memory"),
    ],
)  # fmt: skip
def test_the_nearest_setting_that_fits_is_advised(room: float, advice: str) -> None:
    assert settings.nearest_fitting(need, BIG, int(room * GIB), GPUS) == advice


def test_too_little_memory_is_a_warning_and_far_too_little_an_error() -> None:
    def found(room: Room | None) -> list[Finding]:
        return list(settings.check_memory(need, BIG, room, launch=GPUS))

    assert not found(Room(17 * GIB, 17 * GIB))
    assert not found(None)
    assert [finding.fatal for finding in found(Room(12 * GIB, 24 * GIB))] == [False]
    assert [finding.fatal for finding in found(Room(7 * GIB, 7 * GIB))] == [True]
    assert (
        "the run needs about 16.0 GiB a process, of 12.0 GiB free and 24.0 GiB in all"
        in found(Room(12 * GIB, 24 * GIB))[0].what
    )


def test_a_container_has_its_limit_and_processes_share_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(f"{GIB}\n", encoding="utf-8")
    monkeypatch.setattr(settings, "CGROUPS", (limit,))
    room = settings.room_of(Launch(DDP, 2, 2), given=None, gpus=0)
    assert room is not None
    assert room.total == GIB // 2
    limit.write_text("max\n", encoding="utf-8")
    unlimited = settings.room_of(Launch(), given=None, gpus=0)
    assert unlimited is not None
    assert unlimited.total > GIB
    assert settings.room_of(GPUS, given=None, gpus=0) is None


def test_every_accelerate_configuration_is_understood(tmp_path: Path) -> None:
    found = {path.stem: read_launch(path, gpus=4) for path in (ROOT / "accelerate_configs").glob("*.yaml")}
    assert {name: launch.engine for name, launch in found.items()} == {
        "single": SINGLE, "ddp": DDP, "zero2": ZERO2, "zero3": ZERO3, "fsdp2": FSDP2,
    }  # fmt: skip
    assert {name: launch.processes for name, launch in found.items()} == {
        "single": 1, "ddp": 4, "zero2": 4, "zero3": 4, "fsdp2": 4,
    }  # fmt: skip
    nodes = tmp_path / "nodes.yaml"
    nodes.write_text(
        yaml.safe_dump({"distributed_type": "MULTI_GPU", "num_processes": 16, "num_machines": 2}), encoding="utf-8"
    )
    assert read_launch(nodes, gpus=4) == Launch(DDP, 16, 8, on_gpu=True)
    for content in ("distributed_type: TPU", "distributed_type: DEEPSPEED\ndeepspeed_config: {zero_stage: 1}", "- a"):
        nodes.write_text(content, encoding="utf-8")
        with pytest.raises(UnderstudyError):
            read_launch(nodes, gpus=4)


def test_running_out_of_memory_is_told_from_other_errors() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
    )
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
