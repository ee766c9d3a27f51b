"""Fixtures of every test: a tiny chat model of the tests' own, a tiny character, and no network."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

# Before anything imports torch or the hub: workers of xdist have a core each, and no test asks the network. The process
# that starts the workers loads this file too, and they inherit its environment: it must set no threads of its own.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("DS_ACCELERATOR", "cpu")

import pytest
from hypothesis import settings

from pipeline.imports import importing

settings.register_profile("tests", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("tests")

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

SETTINGS = [
    {"input": "Where were you born?", "speaker": "Mira", "text": "I was born in Saltmere."},
    {"input": "What do you eat?", "speaker": "Mira", "text": "I eat nothing but smoked eel."},
    {"input": "Who taught you?", "speaker": "Mira", "text": "Old Bram taught me the bells."},
    {"input": "Character Story 1", "speaker": "Mira", "text": "Mira rings the bells of Saltmere, as Bram taught her."},
]
LINES = [
    {
        "source_title": "The tower",
        "speaker": "Mira",
        "text": f"Bell number {number} is out of tune again, mind your ears.",
    }
    for number in ("one", "two", "three", "four", "five", "six", "seven", "eight")
]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What the tests' files import stays, so that no later collection of garbage looks through it."""
    with importing():
        return (yield)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A byte-level tokenizer with ChatML's template, trained here in a moment."""
    return make_tokenizer(CHATML, ["<|im_start|>", "<|im_end|>"], eos="<|im_end|>")


def make_tokenizer(template: str | None, special: Sequence[str], eos: str, bos: str | None = None) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<pad>", *special], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    corpus = [record["text"] for record in SETTINGS + LINES] * 4
    raw.train_from_iterator(corpus, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=eos,
        bos_token=bos,
        pad_token="<pad>",
        additional_special_tokens=list(special),
    )
    tokenizer.chat_template = template
    return tokenizer


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random Llama of two small layers and its tokenizer."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny-model"))


def write_tiny_model(folder: Path, tokenizer: Any = None) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    tokenizer = tokenizer or make_tokenizer(CHATML, ["<|im_start|>", "<|im_end|>"], eos="<|im_end|>")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def raw_folder(tmp_path: Path) -> Path:
    """The raw files of a small character."""
    return write_raw_files(tmp_path / "raw")


def write_raw_files(folder: Path) -> Path:
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    (folder / "lines.json").write_text(json.dumps(LINES), encoding="utf-8")
    return folder


@pytest.fixture
def tiny_recipe(tmp_path: Path, raw_folder: Path, tiny_model_folder: Path) -> Path:
    """A recipe that trains the small character on the tiny model in a few seconds."""
    return write_tiny_recipe(tmp_path, raw_folder, tiny_model_folder)


def write_tiny_recipe(folder: Path, raw_folder: Path, model: Path) -> Path:
    recipe = folder / "recipe.yaml"
    recipe.write_text(json.dumps(tiny_values(folder, raw_folder, model)), encoding="utf-8")  # JSON is YAML
    return recipe


def tiny_values(folder: Path, raw: Path, model: Path) -> dict[str, Any]:
    """What that recipe says."""
    return {
        "character": "Mira",
        "raw": [str(raw)],
        "records_dir": str(folder / "records"),
        "settings_weight": 3,
        "recall_items": 2,
        "recall_distractors": 2,
        "model_name_or_path": str(model),
        "use_peft": True,
        "lora_dropout": 0.0,
        "lora_target_modules": ["all-linear"],
        "output_dir": str(folder / "out"),
        "num_train_epochs": 2,
        "per_device_train_batch_size": 4,
        "learning_rate": 0.01,
        "activation_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "logging_steps": 1,
        "save_strategy": "no",
    }


@pytest.fixture
def shared_data() -> Path:
    """Real users' data, where the checkout has it beside it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED_DATA
