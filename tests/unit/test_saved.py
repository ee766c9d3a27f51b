"""What is on the disk is compared with what is in memory, tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
)

from pipeline.runs.read_back import find_saved_difference, only_safetensors

SMALL: dict[str, Any] = {
    "vocab_size": 32, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "num_key_value_heads": 2,
}  # fmt: skip
MODELS: dict[str, Callable[[], torch.nn.Module]] = {
    "plain": lambda: LlamaForCausalLM(LlamaConfig(**SMALL)),
    "tied": lambda: LlamaForCausalLM(LlamaConfig(**SMALL, tie_word_embeddings=True)),
    "bfloat16": lambda: LlamaForCausalLM(LlamaConfig(**SMALL)).to(torch.bfloat16),
    "experts, written one by one": lambda: MixtralForCausalLM(MixtralConfig(**SMALL, num_local_experts=2)),
    "experts of another name": lambda: Qwen3MoeForCausalLM(
        Qwen3MoeConfig(**SMALL, num_experts=2, num_experts_per_tok=1, moe_intermediate_size=8)
    ),
    "adapter": lambda: adapted(),
    "adapter and trained embeddings": lambda: adapted(modules_to_save=["embed_tokens"]),
    "adapter with magnitudes": lambda: adapted(use_dora=True),
}


def adapted(**options: Any) -> torch.nn.Module:
    return get_peft_model(LlamaForCausalLM(LlamaConfig(**SMALL)), LoraConfig(target_modules=["q_proj"], **options))


def saved_in(folder: Path, model: Any) -> Path:
    model.save_pretrained(folder)
    return next(folder.glob("*.safetensors"))


@pytest.mark.parametrize("kind", MODELS)
def test_what_was_just_saved_is_the_same(kind: str, tmp_path: Path) -> None:
    model = MODELS[kind]()
    saved_in(tmp_path, model)
    assert find_saved_difference(model, tmp_path, reads=True) is None


@pytest.mark.parametrize("kind", MODELS)
def test_each_tensor_that_is_otherwise_on_the_disk_is_named_with_its_file(kind: str, tmp_path: Path) -> None:
    model = MODELS[kind]()
    file = saved_in(tmp_path, model)
    written = load_file(file)
    for name in written:
        one_bit_other = written[name].clone()
        one_bit_other.view(torch.uint8).view(-1)[0] ^= 1
        for broken in (
            written | {name: one_bit_other},
            written | {name: torch.empty(0)},
            written | {name: written[name].double()},
            {other: tensor for other, tensor in written.items() if other != name},
            written | {f"{name}_more": torch.zeros(1)},
        ):
            save_file(broken, file)
            difference = find_saved_difference(model, tmp_path, reads=True)
            assert difference is not None
            assert name in str(difference)
            assert str(tmp_path) in str(difference)


def test_a_folder_without_weights_and_a_file_cut_off_are_told(tmp_path: Path) -> None:
    model = MODELS["adapter"]()
    assert "was saved without weights" in str(find_saved_difference(model, tmp_path, reads=True))
    file = saved_in(tmp_path, model)
    file.write_bytes(file.read_bytes()[:40])  # as an adapter under ZeRO-3 once was
    assert "was saved without weights" in str(find_saved_difference(model, tmp_path, reads=True))


def test_a_trained_parameter_that_is_saved_under_no_name_is_told(tmp_path: Path) -> None:
    model = MODELS["adapter"]()
    saved_in(tmp_path, model)
    model.get_parameter("base_model.model.lm_head.weight").requires_grad = True
    assert "without base_model.model.lm_head.weight, which was trained" in str(
        find_saved_difference(model, tmp_path, reads=True)
    )


def test_what_is_no_number_equals_itself(tmp_path: Path) -> None:
    model = MODELS["adapter"]()
    for parameter in model.parameters():
        parameter.data.fill_(float("nan"))
    saved_in(tmp_path, model)
    assert find_saved_difference(model, tmp_path, reads=True) is None


def test_weights_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    (tmp_path / "training_args.bin").touch()
    assert only_safetensors(tmp_path) is None
    assert not any(tmp_path.iterdir())
    (tmp_path / "pytorch_model.bin").touch()
    assert "pytorch_model.bin: is no safetensors file" in str(only_safetensors(tmp_path))
