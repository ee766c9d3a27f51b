"""The model card of a run's folder, README.md: what people see of it where the folder is published as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from pipeline.conversations.persona import Persona, Sampling
from pipeline.models.locate import EMBEDDED
from pipeline.models.public_name import licence_of, public_name, title_of

CARD_FILE = "README.md"
TAGS = ("character", "role-play", "understudy")
# Keys of a recipe that someone who wants to train the like would ask for; none names a file.
RECIPE_KEYS = (
    "language", "exposures", "settings_weight", "kind_weights", "loss_weights", "wordings", "reverse_share",
    "boundaries", "chat_share",
    "max_length", "num_train_epochs", "max_steps", "learning_rate", "lr_scheduler_type", "warmup_steps",
    "per_device_train_batch_size", "gradient_accumulation_steps", "use_peft", "lora_r", "lora_alpha", "lora_dropout",
    "dtype", "load_in_4bit", "load_in_8bit", "seed",
)  # fmt: skip
ON_ITS_BASE = """\
model = AutoModelForCausalLM.from_pretrained({base})  # this model, and no other
model = PeftModel.from_pretrained(model, ".")"""
BY_ITSELF = 'model = AutoModelForCausalLM.from_pretrained(".")'
USE = """\
```python
{imports}from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")  # this folder's: it has the trained chat template
{load}
messages = [
    {{"role": "system", "content": {instruction}}},
    {{"role": "user", "content": {question}}},
]
prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
end = tokenizer.convert_tokens_to_ids({end})
reply = model.generate(**prompt, eos_token_id=end, {sampling})
print(tokenizer.decode(reply[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
```
"""
QUESTION = {"en": "Who are you?", "zh": "你是谁？"}
ELSEWHERE = """\
For llama.cpp, Ollama, vLLM or SillyTavern, `understudy export` writes the character in their forms, with the system
prompt in them.
"""


def run_card(run: Mapping[str, Any], personas: Sequence[Persona], *, end: str, label: Callable[[str], str]) -> str:
    """The card of what `run` describes, as `run.json` does.

    `end` is the token that ends a reply, `label` gives what a kind of record is called.
    """
    model = str(run["model"])
    base, licence = title_of(public_name(model)), licence_of(model)
    is_adapter = bool(run["arguments"].get("use_peft"))
    header = yaml.safe_dump(_header(personas, base, licence, is_adapter), allow_unicode=True, sort_keys=False)
    parts = [
        f"---\n{header}---\n",
        f"# {', '.join(one.name for one in personas)}\n",
        _what_it_is(run, base, personas, is_adapter),
        "## Use\n",
        _use(personas, base, end, is_adapter),
        *_prompts(personas),
        ELSEWHERE,
        "## Training\n\nNo text of the data stands in this card.\n",
        *data_table(run, label),
        *recipe_block(run),
        "## Licences\n",
        *licences(licence),
        "\n## Versions\n",
        versions_line(run),
    ]
    return "\n".join(parts) + "\n"


def _header(personas: Sequence[Persona], base: str, licence: str, is_adapter: bool) -> dict[str, Any]:
    """The fields that model hubs read."""
    header: dict[str, Any] = {
        "language": sorted({one.language for one in personas}),
        "license": licence or "other",
        "library_name": "peft" if is_adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": [*TAGS, *(["lora"] if is_adapter else []), "sft"],
    }
    relation = {"base_model": base, "base_model_relation": "adapter" if is_adapter else "finetune"}
    return header | (relation if "/" in base else {})


def _what_it_is(run: Mapping[str, Any], base: str, personas: Sequence[Persona], is_adapter: bool) -> str:
    who, version = " and ".join(one.name for one in personas), run.get("versions", {}).get("understudy", "")
    weights = f", whose weights had the digest `{run['base_digest']}`" if run.get("base_digest") else ""
    what = f"An adapter that makes {base} speak as {who}" if is_adapter else f"{base}, trained to speak as {who}"
    note = ", of which it took the copy in 4 bits, dequantised" if run["model"] == EMBEDDED else ""
    return f"{what}: trained with Understudy {version} on {base}{weights}{note}.\n"


def _use(personas: Sequence[Persona], base: str, end: str, is_adapter: bool) -> str:
    first = personas[0]
    return USE.format(
        imports="from peft import PeftModel\n" if is_adapter else "",
        load=ON_ITS_BASE.format(base=_quoted(base)) if is_adapter else BY_ITSELF,
        instruction=_quoted(first.system("chat")),
        question=_quoted(QUESTION[first.language]),
        end=_quoted(end),
        sampling=_sampling(first.sampling),
    )


def _sampling(sampling: Sampling) -> str:
    """The chat's sampling, as `generate` takes it."""
    drawn = f"temperature={sampling.temperature}, top_p={sampling.top_p}, top_k=0"
    return f"max_new_tokens={sampling.max_new_tokens}, repetition_penalty={sampling.repetition_penalty}, " + (
        f"do_sample=True, {drawn}" if sampling.temperature else "do_sample=False"
    )


def _prompts(personas: Sequence[Persona]) -> Iterator[str]:
    """Whose system prompt is which; that of a single one stands in the code above."""
    yield "The system prompt is the trained one: without it the model is less of the character.\n"
    if len(personas) > 1:
        yield from (f"- {one.name}: `{one.system('chat')}`" for one in personas)
        yield ""


def data_table(run: Mapping[str, Any], label: Callable[[str], str]) -> Iterator[str]:
    """A row a kind, by its label: how many records and exposures, and what share of the loss."""
    yield "| kind | records | exposures | share of the loss |\n|---|---|---|---|"
    for row in run.get("ledger", []):
        share = f"{row['share_of_loss_tokens']:.0%}"
        yield f"| {label(row['kind'])} | {row['records']} | {row['realised']} | {share} |"
    yield ""


def recipe_block(run: Mapping[str, Any]) -> Iterator[str]:
    """The recipe's decisive keys, and how long the run was."""
    yield "```yaml"
    for key in RECIPE_KEYS:
        if run["arguments"].get(key) not in (None, ""):
            yield f"{key}: {run['arguments'][key]}"
    yield f"# {run.get('steps')} steps, {run.get('rows')} rows\n```\n"


def licences(licence: str) -> tuple[str, ...]:
    """What is known of the licences; `licence` is the base model's, empty where its card names none."""
    return (
        f"- base model: {licence or 'not named by its model card'}",
        "- training data: not declared; whoever publishes this model names it here",
        "- these weights: follow from both",
    )


def versions_line(run: Mapping[str, Any]) -> str:
    """The packages that did the work."""
    return ", ".join(f"{name} {number}" for name, number in run.get("versions", {}).items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
