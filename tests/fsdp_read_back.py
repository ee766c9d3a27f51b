"""An adapter and a model that FSDP2 shards over processes, saved, compared and spoiled; torchrun starts this.

accelerate takes an FSDP configuration for plain data parallelism on a CPU, so torch's own `fully_shard` does it here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from transformers import LlamaConfig, LlamaForCausalLM

from pipeline.runs.read_back import find_saved_difference

CONFIG = LlamaConfig(
    vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2,
)  # fmt: skip


def check(model: Any, folder: Path) -> None:
    for layer in model.get_submodule("base_model.model" if isinstance(model, PeftModel) else "").model.layers:
        fully_shard(layer, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))
    fully_shard(model, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))
    assert all(isinstance(parameter, DTensor) for parameter in model.parameters())
    state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    main = dist.get_rank() == 0
    if main:
        folder.mkdir()
        state = get_peft_model_state_dict(model, state_dict=state) if isinstance(model, PeftModel) else state
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "saved.safetensors")
    difference = find_saved_difference(model, folder, reads=main)
    assert difference is None, difference
    spoiled = "none"
    if main:
        written = load_file(folder / "saved.safetensors")
        spoiled = next(name for name in written if "q_proj" in name)
        save_file(written | {spoiled: written[spoiled] + 1}, folder / "saved.safetensors")
    difference = find_saved_difference(model, folder, reads=main)
    assert (spoiled in str(difference)) if main else difference is None


def main() -> None:
    folder = Path(sys.argv[1])
    dist.init_process_group("gloo")
    torch.manual_seed(0)
    check(get_peft_model(LlamaForCausalLM(CONFIG), LoraConfig(target_modules=["q_proj"])), folder / "adapter")
    check(LlamaForCausalLM(CONFIG), folder / "model")
    dist.destroy_process_group()
    sys.stdout.write("compared\n")
    sys.stdout.flush()
    os._exit(0)  # the meshes' own groups have threads that may still run as the interpreter ends, and abort


if __name__ == "__main__":
    main()
