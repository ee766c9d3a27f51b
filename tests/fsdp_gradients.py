"""One forward and backward of a prefix tree over a model that FSDP2 has sharded, beside the whole model's.

`torchrun --nproc_per_node 2 -m tests.fsdp_gradients MODEL_FOLDER OUT`: each process takes rows of its own. Process 0
writes how far the gradients lie apart, and the model as FSDP2 gathers it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import yaml
from accelerate.utils import FullyShardedDataParallelPlugin
from accelerate.utils.fsdp_utils import fsdp2_prepare_model
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

from pipeline.models.load import load_base_model
from pipeline.tokens.attention import tree_inputs, use_tree_attention, uses_tree_attention
from pipeline.tokens.collate import prefix_tree_batch
from pipeline.tokens.scores import score_targets
from tests.conftest import ROOT

PROMPT = [5, 9, 7, 11]
ROWS = [[*PROMPT, 20, 21, 22], [*PROMPT, 20, 30], [*PROMPT, 40, 41], [50, 51, 52]]  # two for each process


def loss_of(model: torch.nn.Module, rows: list[list[int]], base: Any) -> torch.Tensor:
    labels = [[-100] * (len(row) - 2) + row[-2:] for row in rows]
    batch = prefix_tree_batch(rows, labels)
    logits = model(**tree_inputs(batch, tree_attention=uses_tree_attention(base))).logits.squeeze(0)
    return -score_targets(logits, batch["labels"][0], batch["target_rows"][0]).log_prob.mean()


def make_model(folder: str, lora: bool) -> Any:
    model = load_base_model(folder, dtype="float32")
    use_tree_attention(model)
    if not lora:
        return model
    torch.manual_seed(1)
    return get_peft_model(model, LoraConfig(target_modules="all-linear", init_lora_weights=False))


def shard(model: Any, rank: int) -> Any:
    """The model as accelerate shards it by our configuration, which on a CPU its own launch would not do."""
    config = yaml.safe_load((ROOT / "accelerate_configs" / "fsdp2.yaml").read_text(encoding="utf-8"))["fsdp_config"]
    plugin = FullyShardedDataParallelPlugin(
        fsdp_version=config["fsdp_version"],
        auto_wrap_policy=config["fsdp_auto_wrap_policy"],
        reshard_after_forward=config["fsdp_reshard_after_forward"],
        state_dict_type=config["fsdp_state_dict_type"],
        cpu_ram_efficient_loading=config["fsdp_cpu_ram_efficient_loading"],
        cpu_offload=config["fsdp_offload_params"],
        activation_checkpointing=config["fsdp_activation_checkpointing"],
    )
    accelerator = SimpleNamespace(
        state=SimpleNamespace(fsdp_plugin=plugin), mixed_precision="no", device=torch.device("cpu"),
        is_main_process=rank == 0, torch_device_mesh=None,
    )  # fmt: skip
    return fsdp2_prepare_model(accelerator, model)


def relative(other: torch.Tensor, one: torch.Tensor) -> float:
    return float((other - one).norm() / one.norm().clamp(min=1e-12))


def compare(folder: str, lora: bool, rank: int) -> tuple[dict[str, Any], dict[str, torch.Tensor], dict[str, Any]]:
    """How far gradients lie apart, the sharded model gathered, and the whole one."""
    whole = make_model(folder, lora)
    sharded = shard(make_model(folder, lora), rank)
    loss_of(sharded, ROWS[2 * rank : 2 * rank + 2], sharded).backward()
    gradients = {name: p.grad.full_tensor() for name, p in sharded.named_parameters() if p.grad is not None}

    loss_of(whole, ROWS[:2], whole).backward()  # what process 0 has by itself
    half = {name: p.grad.clone() for name, p in whole.named_parameters() if p.grad is not None}
    loss_of(whole, ROWS[2:], whole).backward()
    both = {name: p.grad / 2 for name, p in whole.named_parameters() if p.grad is not None}  # FSDP2 takes the mean
    found = {
        "names": gradients.keys() == both.keys(),
        "apart": max(relative(gradients[name], both[name]) for name in both),
        "one_process_apart": max(relative(half[name], both[name]) for name in both),
    }
    gathered = get_model_state_dict(sharded, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    return found, gathered, whole.state_dict()


def save(tensors: dict[str, torch.Tensor], file: Path) -> None:
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, file)


def main() -> None:
    folder, out = sys.argv[1], Path(sys.argv[2])
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    found: dict[str, Any] = {"world_size": torch.distributed.get_world_size()}
    for name, lora in (("full", False), ("lora", True)):
        found[name], gathered, whole = compare(folder, lora, rank)
        if rank == 0:
            save(gathered, out / f"{name}.safetensors")
            save(whole, out / f"{name}_whole.safetensors")
    if rank == 0:
        (out / "found.json").write_text(json.dumps(found), encoding="utf-8")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
