"""Which key is meant where a recipe has one that is unknown: as another trainer calls it, or nearly spelt."""

from __future__ import annotations

import difflib
from collections.abc import Collection

# What Axolotl, LLaMA-Factory, ms-swift, peft and older versions of trl and transformers call it.
ELSEWHERE = {
    "base_model": "model_name_or_path",
    "model": "model_name_or_path",
    "model_name": "model_name_or_path",
    "datasets": "raw",
    "dataset": "raw",
    "data_path": "raw",
    "data_files": "raw",
    "train_file": "raw",
    "lora_rank": "lora_r",
    "r": "lora_r",
    "lora_target": "lora_target_modules",
    "target_modules": "lora_target_modules",
    "lora_target_linear": "lora_target_modules",
    "use_lora": "use_peft",
    "micro_batch_size": "per_device_train_batch_size",
    "batch_size": "per_device_train_batch_size",
    "train_batch_size": "per_device_train_batch_size",
    "num_epochs": "num_train_epochs",
    "epochs": "num_train_epochs",
    "lr": "learning_rate",
    "lr_scheduler": "lr_scheduler_type",
    "optimizer": "optim",
    "cutoff_len": "max_length",
    "sequence_len": "max_length",
    "max_seq_length": "max_length",
    "max_seq_len": "max_length",
    "gradient_accumulation": "gradient_accumulation_steps",
    "val_set_size": "held_out",
    "val_size": "held_out",
    "gradient_checkpointing": "activation_checkpointing",
    "neftune_alpha": "neftune_noise_alpha",
    "flash_attention": "attn_implementation",
    "flash_attn": "attn_implementation",
    "warmup_ratio": "warmup_steps",
    "save_interval": "save_steps",
    "eval_interval": "recall_steps",
    "quantization_bit": "load_in_4bit",
}
NOT_THE_SAME = {
    "warmup_ratio": ", in steps instead of a share",
    "lora_target_linear": ": [all-linear]",
    "val_set_size": ", a share of the scenes",
    "val_size": ", a share of the scenes",
    "flash_attention": ": flash_attention_2",
    "flash_attn": ": flash_attention_2",
    "quantization_bit": ": true",
}
WITHOUT = {"init_lora_weights": "peft's default is used, as trl's ModelConfig has no key for it"}


def suggestion(key: str, known: Collection[str], *, dashes: bool = False) -> str:
    """What to write instead of the unknown key, in words; empty where nothing is near.

    `dashes`: it stands on the command line.
    """
    written = "--{}" if dashes else "'{}'"
    if key in WITHOUT:
        return f"leave it out: {WITHOUT[key]}"
    if ELSEWHERE.get(key) in known:
        return f"write {written.format(ELSEWHERE[key])}{NOT_THE_SAME.get(key, '')}, which is what it is called here"
    near = difflib.get_close_matches(key, known, n=1)
    return f"write {written.format(near[0])}, if that is meant" if near else ""
