"""A run's folder, published as it is, says what it is: base model, use, training and licence, and no local path."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.conversations.persona import Persona, Sampling, make_persona
from pipeline.evaluation.labels import kind_label
from pipeline.models import run_card as run_cards
from tests.exported import ARGUMENTS, LEDGER, MIRA

RUN: dict[str, Any] = {
    "model": "embedded", "base_digest": "abc123", "ledger": LEDGER, "steps": 7, "rows": 60,
    "arguments": ARGUMENTS | {"use_peft": True, "lora_r": 16}, "versions": {"understudy": "0.1.0", "trl": "1.16.0"},
}  # fmt: skip


def run_card(run: dict[str, Any], personas: list[Persona], *, end: str) -> str:
    return run_cards.run_card(run, personas, end=end, label=kind_label)


def header_of(card: str) -> dict[str, Any]:
    header: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return header


def test_an_adapters_card_names_base_licence_training_and_use() -> None:
    card = run_card(RUN, [MIRA], end="<|im_end|>")
    header = header_of(card)
    assert header["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert (header["base_model_relation"], header["license"], header["library_name"]) == (
        "adapter", "apache-2.0", "peft",
    )  # fmt: skip
    assert {"character", "lora", "sft"} <= set(header["tags"])
    for said in (
        "# Mira",
        "digest `abc123`",
        "| settings | 3 | 60 | 50% |",
        "learning_rate: 0.01",
        "lora_r: 16",
        "4 bits",
    ):
        assert said in card
    assert "None" not in card
    assert "time machine" not in card


@pytest.mark.parametrize("use_peft", [True, False])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_the_code_in_a_card_is_python_and_has_the_trained_system_prompt(*, use_peft: bool, temperature: float) -> None:
    persona = dataclasses.replace(
        make_persona('Mira "Bell"', "zh", {}), sampling=dataclasses.replace(Sampling(), temperature=temperature)
    )
    card = run_card(RUN | {"arguments": ARGUMENTS | {"use_peft": use_peft}}, [persona], end="<|im_end|>")
    code = card.split("```python\n")[1].split("```")[0]
    texts = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    assert {persona.system("chat"), "你是谁？", "<|im_end|>"} <= texts
    assert ("PeftModel" in code) is use_peft
    assert ("do_sample=True" in code) is bool(temperature)


def test_a_base_model_in_a_folder_is_named_without_its_path(tmp_path: Path) -> None:
    base = tmp_path / "TinyChat"
    base.mkdir()
    (base / "README.md").write_text("---\nlicense: mit\n---\n# A tiny model\n")
    card = run_card(RUN | {"model": str(base)}, [MIRA], end="</s>")
    assert str(tmp_path) not in card
    assert 'from_pretrained("TinyChat")' in card
    assert "base_model" not in header_of(card)
    assert header_of(card)["license"] == "mit"


def test_the_licence_of_a_hub_id_is_read_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = tmp_path / "models--somebody--tiny" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "README.md").write_text("---\nlicense: mit\n---\n")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    header = header_of(run_card(RUN | {"model": "somebody/tiny"}, [MIRA], end="</s>"))
    assert (header["base_model"], header["license"]) == ("somebody/tiny", "mit")


def test_each_of_several_characters_has_its_system_prompt_in_the_card() -> None:
    bram = make_persona("Bram", "en", {})
    card = run_card(RUN, [MIRA, bram], end="</s>")
    assert f"- Bram: `{bram.system('chat')}`" in card
    assert "speak as Mira and Bram" in card
