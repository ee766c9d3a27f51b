"""A run's folder as training leaves it, made in a moment: a random adapter on the tests' tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.conversations.persona import make_persona, save_personas
from pipeline.models.digest import base_digest
from pipeline.models.load import load_base_model, load_tokenizer
from pipeline.runs.run_file import write_run

MIRA = make_persona("Mira", "en", {})
ARGUMENTS: dict[str, Any] = {
    "dtype": "float32",
    "model_revision": "main",
    "trust_remote_code": False,
    "load_in_4bit": False,
    "load_in_8bit": False,
    "language": "en",
    "learning_rate": 0.01,
}
LEDGER = [{"kind": "setting_qa", "records": 3, "realised": 60, "share_of_loss_tokens": 0.5}]


def write_trained_folder(folder: Path, base: Path | str) -> Path:
    """A finished run of Mira on the base, a folder or `embedded`; its adapter is random, and changes what is said."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=32, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(load_base_model(str(base)), config).save_pretrained(folder)
    tokenizer = load_tokenizer(str(base))
    tokenizer.save_pretrained(folder)
    save_personas([MIRA], folder, template=str(tokenizer.chat_template))
    run = {"model": str(base), "base_digest": base_digest(str(base)), "arguments": ARGUMENTS, "ledger": LEDGER}
    write_run(folder, run | {"steps": 7, "rows": 60, "versions": {"understudy": "0.1.0"}})
    return folder
