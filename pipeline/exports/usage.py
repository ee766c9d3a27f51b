"""How each form of an export is run, for its model card."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.exports.origin import Origin

PERSONA = (
    "The chat template holds the persona, so any program that renders it answers in character without being told. "
    "A system message of your own is put after the persona; one that begins with the persona's own words is left as it "
    "is. Generation ends at `{end}`."
)
MERGED = """\
```sh
transformers serve . --host 127.0.0.1    # or: vllm serve .
```"""
ADAPTER = """\
```sh
vllm serve {base} --enable-lora --lora-modules character=. --chat-template ./chat_template.jinja
```
```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), ".")
tokenizer = AutoTokenizer.from_pretrained(".")  # with the trained template: not the base's
```
Another base than the one named above gives another character."""
GGUF = """\
```sh
llama-server -m {file} --jinja          # or: understudy serve --gguf {file}
```
LM Studio, KoboldCpp, text-generation-webui and others open the file as it is. The template, the end token, the
character's name and its sampling are in its metadata."""
GGUF_ADAPTER = """\
```sh
llama-server -m BASE.gguf --lora {file} --jinja --chat-template-file chat_template.jinja
understudy serve --gguf BASE.gguf --lora {file}    # the same, with the template found beside the adapter
```
BASE.gguf is any GGUF of `{base}`. Without the template given here the base's own is rendered, without the persona."""
OLLAMA = """\
```sh
ollama create {name} -f Modelfile && ollama run {name}
```
Ollama renders the Modelfile's TEMPLATE, a Go template that gives the trained prompts; a system message of your own
takes the place of its SYSTEM, the persona."""
CARD = """\
Import `card.png` (or `card_v3.json`, or `card_v2.json`) into SillyTavern or its kin, and connect it, by chat
completion, to a server that runs the exported model (`--to gguf`, `--to merged`). The card's system prompt is the whole
trained prompt: leave the front end's other prompts (jailbreak, author's note, persona description) empty."""


def usage(form: str, origin: Origin, end: str, folder: Path) -> str:
    """The commands for what lies in the folder, and what to know before them."""
    file = max((file.name for file in folder.glob("*.gguf")), default="")  # of several the smaller: q8_0, not f16
    texts = {"merged": MERGED, "adapter": ADAPTER, "card": CARD, "gguf": GGUF, "ollama": OLLAMA}
    text = (texts | {"gguf-adapter": GGUF_ADAPTER})[form]
    how = text.format(base=origin.base_title, name=plain_name(origin.persona.name), file=file)
    return f"{PERSONA.format(end=end)}\n\n{how}"


def plain_name(name: str) -> str:
    """A name that a shell and Ollama take as it is."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "character"
