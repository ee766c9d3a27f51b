"""llama.cpp, given an exported file and nothing else, is shown the trained prompts and says what was trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("xllamacpp")

from pipeline.exports import trial as trials
from pipeline.exports.converter import converter_script
from pipeline.exports.gguf import prove_gguf
from pipeline.exports.merged import export_tokenizer
from pipeline.exports.trial import make_trial
from pipeline.tokens.template import normalise_template
from tests.conftest import ROOT, make_tokenizer, write_tiny_model
from tests.exported import MIRA
from tests.families import FAMILIES

# ChatML, and with a system turn of its own; a closed thought; turns that alternate; no system turn; no end of turn.
SHOWN = ("ChatML", "SmolLM2", "Qwen2.5", "Qwen3", "Llama 3", "Llama 3.2", "Mistral", "Gemma", "Phi-3", "GLM-4")


@pytest.fixture(scope="module")
def of_families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """For each family a tiny random model with the family's template, exported, and as a GGUF beside it."""
    folder = tmp_path_factory.mktemp("families")
    found = {}
    for number, name in enumerate(SHOWN):
        family = FAMILIES[name]
        tokenizer = make_tokenizer(family.template, family.special, family.eos, family.bos)
        tokenizer.chat_template = normalise_template(tokenizer).text
        found[name] = (write_tiny_model(folder / str(number), export_tokenizer(tokenizer, MIRA)), tokenizer)
    command = [sys.executable, str(ROOT / "tests" / "many_ggufs.py"), str(converter_script())]
    done = subprocess.run([*command, *(str(path) for path, _ in found.values())], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return found


@pytest.mark.parametrize("name", SHOWN)
def test_in_every_family_llama_cpp_shows_the_trained_prompts_and_replies_alike(
    of_families: dict[str, tuple[Path, Any]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(trials, "REPLY_TOKENS", 4)
    monkeypatch.setattr("pipeline.exports.gguf.REPLY_TOKENS", 4)
    merged, tokenizer = of_families[name]
    trial = make_trial(tokenizer, MIRA, AutoModelForCausalLM.from_pretrained(merged))
    proven = prove_gguf(Path(f"{merged}.gguf"), trial, merged, lambda *_: None)
    assert proven["prompts"] == {"conversations": 20, "equal": 20}
    assert proven["greedy replies"]["equal"] == 20, proven["greedy replies"]
