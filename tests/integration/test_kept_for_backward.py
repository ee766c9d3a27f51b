"""What the estimate says that a layer keeps for the backward, beside what autograd keeps of the real layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from pipeline.capacity import memory, micro_batches
from pipeline.capacity.memory import StepExecution
from pipeline.capacity.shape import model_shape
from pipeline.distributed.engines import SINGLE, ZERO3
from pipeline.kernels.blocks import fuse_blocks
from pipeline.kernels.lora import fuse_lora
from pipeline.tokens.attention import tree_inputs, use_tree_attention, uses_tree_attention
from pipeline.tokens.collate import padded_batch, prefix_tree_batch

LORA = LoraConfig(r=4, target_modules="all-linear")
ROWS = [[1] * 120 + [10 + row] + [5] * (31 + row) for row in range(8)]
LABELS = [[-100] * (len(row) - 10) + row[-10:] for row in ROWS]
FEW, MANY = 1, 3  # layers: their difference has neither head nor embeddings in it


def config_of(layers: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=100, hidden_size=256, intermediate_size=704, num_hidden_layers=layers, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip


def kept_by_autograd(model: Any, inputs: dict[str, Any], *, autocast: bool) -> int:
    """Bytes of the storages that a forward leaves for its backward, parameters not counted."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=autocast),
    ):
        outputs = model(**inputs)
    assert outputs.logits.requires_grad
    return sum(size for place, size in kept.items() if place not in own)


def kept_by_a_layer(*, dtype: torch.dtype, lora: bool, fused: bool, tree: bool, wide: bool, autocast: bool) -> float:
    found = []
    for layers in (FEW, MANY):
        model: Any = LlamaForCausalLM(config_of(layers)).to(dtype)
        base = model
        if lora:
            model = get_peft_model(model, replace(LORA), autocast_adapter_dtype=wide)
        if fused:
            assert fuse_lora(model) == 7 * layers
            assert fuse_blocks(model)[0] == layers
        if tree:
            if fused or not lora:  # what is not fused stands for a GPU, which has the dense mask
                use_tree_attention(base)
            inputs = tree_inputs(prefix_tree_batch(ROWS, LABELS), tree_attention=uses_tree_attention(base))
        else:
            batch = padded_batch(ROWS, LABELS, pad_token_id=0)
            inputs = {name: batch[name] for name in ("input_ids", "attention_mask")} | {"use_cache": False}
        found.append(kept_by_autograd(model, inputs, autocast=autocast))
    return (found[1] - found[0]) / (MANY - FEW)


@pytest.mark.parametrize("tree", [True, False], ids=["tree", "padded"])
@pytest.mark.parametrize(
    ("dtype", "lora", "fused", "wide", "autocast"),
    [
        pytest.param(torch.float32, False, False, True, False, id="full, float32"),
        pytest.param(torch.bfloat16, False, False, True, False, id="full, bfloat16"),
        pytest.param(torch.float32, True, True, True, False, id="LoRA fused, float32"),
        pytest.param(torch.bfloat16, True, True, True, False, id="LoRA fused, bfloat16"),
        pytest.param(torch.float32, True, False, True, False, id="LoRA as peft has it, float32"),
        pytest.param(torch.bfloat16, True, False, True, False, id="LoRA as peft has it, bfloat16"),
        pytest.param(torch.bfloat16, True, False, True, True, id="LoRA as peft has it, autocast"),
        pytest.param(torch.bfloat16, True, False, False, False, id="LoRA in its base's precision"),
    ],
)
def test_a_layer_keeps_what_it_is_estimated_to(
    *, dtype: torch.dtype, lora: bool, fused: bool, wide: bool, autocast: bool, tree: bool
) -> None:
    kept = kept_by_a_layer(dtype=dtype, lora=lora, fused=fused, tree=tree, wide=wide, autocast=autocast)
    engine = SINGLE if wide else ZERO3
    shape = model_shape(
        config_of(MANY), dtype=dtype, peft_config=LORA if lora else None, four_bits=False, engine=engine
    )
    batch = (micro_batches._tree if tree else micro_batches._padded)(ROWS, LABELS)
    # A GPU computes LoRA as peft has it; here its execution stands for that.
    execution = StepExecution(engine, 1, lora and not fused, tree, False, autocast)
    assert memory._layer(shape, batch, execution) == pytest.approx(kept, rel=0.12)


def test_an_adapter_is_counted_in_the_precision_that_it_is_trained_in() -> None:
    def bytes_of(**options: Any) -> int:
        return model_shape(config_of(1), dtype=torch.bfloat16, peft_config=LORA, **options).trained_bytes

    assert bytes_of(four_bits=False) == 4
    assert bytes_of(four_bits=False, engine=ZERO3) == bytes_of(four_bits=True) == 2
