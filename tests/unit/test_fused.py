"""What is fused on a CPU computes what the model and peft compute."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma2ForCausalLM

from pipeline.training.blocks import fuse_blocks
from pipeline.training.lora import fuse_lora

IDS = torch.tensor([list(range(10, 40))])


def lora_of(base: Any) -> Any:
    torch.manual_seed(0)
    for name, weight in base.named_parameters():  # at one, as it is made, a norm's weight would prove nothing
        if "norm" in name:
            weight.data.uniform_(0.5, 1.5)
    return get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))


def output_and_gradient(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    model.zero_grad()
    logits = model(input_ids=IDS).logits.float()
    logits.square().mean().backward()
    return logits.detach(), torch.cat([one.grad.flatten() for one in model.parameters() if one.requires_grad])


def difference(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("checkpointed", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fused_products_and_blocks_have_the_models_output_and_gradient(
    tiny_model_folder: Path, dtype: torch.dtype, checkpointed: bool
) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model_folder, dtype=dtype)
    model = lora_of(base)
    with model.disable_adapter(), torch.no_grad():
        untouched = model(input_ids=IDS).logits
    exact = output_and_gradient(copy.deepcopy(model).float())
    peft = [difference(one, wanted) for one, wanted in zip(output_and_gradient(model), exact, strict=True)]
    assert fuse_lora(model) == 14  # seven products in each of two layers
    assert fuse_blocks(model) == (2, 5 if dtype == torch.float32 else 0)
    if checkpointed:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    found = [difference(one, wanted) for one, wanted in zip(output_and_gradient(model.train()), exact, strict=True)]
    assert all(ours < max(1e-5, 1.2 * theirs) for ours, theirs in zip(found, peft, strict=True))
    with model.disable_adapter(), torch.no_grad():
        assert difference(model(input_ids=IDS).logits, untouched) < 1e-5


def test_a_block_that_computes_something_else_stays_as_it_was() -> None:
    config = Gemma2Config(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16,
    )  # fmt: skip
    model = lora_of(Gemma2ForCausalLM(config))  # its MLP is gated by GELU
    expected = output_and_gradient(model)
    assert fuse_blocks(model) == (0, 0)
    assert all(torch.equal(one, wanted) for one, wanted in zip(output_and_gradient(model), expected, strict=True))
