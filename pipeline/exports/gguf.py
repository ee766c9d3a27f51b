"""GGUF files of a character, for llama.cpp and what is built on it, and the proof that it says what was trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoTokenizer

from pipeline.atomic_io import write_json
from pipeline.conversations.persona import Sampling
from pipeline.errors import UnderstudyError
from pipeline.exports.converter import check_quantiser, convert, convert_adapter, quantise
from pipeline.exports.origin import Origin
from pipeline.exports.trial import REPLY_TOKENS, Trial, compare_generated
from pipeline.serving.llama_cpp import GREEDY, LlamaServer, llama_server
from pipeline.terminal import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

F16 = "f16"
K_TYPES = ("q4_k_m", "q5_k_m", "q6_k")  # which llama.cpp's compiled quantiser makes
PROMPT = {"add_special": True, "parse_special": True}  # how a prompt is read, of chat too
TEMPLATE_FILE = "chat_template.jinja"
CONTEXT = 2048  # tokens, enough for the trial's longest conversation


@dataclass(frozen=True, slots=True)
class EngineReplies:
    """What an engine made of the trial's conversations, in tokens; `counts` are its chat's own prompts' lengths."""

    prompts: tuple[tuple[int, ...], ...]
    counts: tuple[int, ...]
    replies: tuple[tuple[int, ...], ...]


def gguf_name(outtype: str) -> str:
    """What the file of a type is called."""
    return f"model-{outtype}.gguf"


def save_ggufs(merged: Path, folder: Path, origin: Origin, outtypes: Sequence[str]) -> None:
    """The folder holds a GGUF of each type, made of the merged model; template, end token and sampling are in it.

    Raises:
        UnderstudyError: the model cannot be converted.
    """
    _state_bos(merged)
    metadata = merged.parent / "metadata.json"
    write_json(metadata, _metadata(origin))
    try:
        for outtype in outtypes:
            file = folder / gguf_name(outtype)
            if outtype in K_TYPES:
                asked_for = folder / gguf_name(F16)
                source = asked_for if asked_for.is_file() else merged.parent / gguf_name(F16)
                if not source.is_file():
                    convert(merged, source, outtype=F16, metadata=metadata)
                quantise(source, file, outtype=outtype)
            else:
                convert(merged, file, outtype=outtype, metadata=metadata)
    finally:
        metadata.unlink()


def save_adapter_gguf(adapter: Path, base: Path, folder: Path, outtype: str) -> Path:
    """The folder holds the adapter as a GGUF, and the chat template that it has to be served with; gives the GGUF.

    `adapter` and `base` are folders of the exported adapter and of its base model's config.

    Raises:
        UnderstudyError: it cannot be converted.
    """
    file = folder / f"adapter-{outtype}.gguf"
    convert_adapter(adapter, base, file, outtype=outtype)
    shutil.copyfile(adapter / TEMPLATE_FILE, folder / TEMPLATE_FILE)
    return file


def save_base_gguf(base: Path, file: Path) -> None:
    """The file holds the model of the folder `base`, in 16 bits.

    Raises:
        UnderstudyError: it cannot be converted.
    """
    _state_bos(base)
    metadata = base.parent / "metadata.json"
    write_json(metadata, {})
    convert(base, file, outtype=F16, metadata=metadata)


def check_outtypes(outtypes: Sequence[str]) -> None:
    """All of them can be made here; found out before the long work.

    Raises:
        UnderstudyError: one needs llama.cpp's quantiser, which is not installed.
    """
    if set(outtypes) & set(K_TYPES):
        check_quantiser()


def prove_gguf(
    file: Path,
    trial: Trial,
    load: Callable[[], Any],
    progress: Progress,
    *,
    adapter: Path | None = None,
    also: Callable[[LlamaServer], dict[str, Any]] = lambda _: {},
) -> dict[str, Any]:
    """What llama.cpp makes of the file: how many prompts and greedy replies are the trained ones, and where not.

    A reply may differ where rounding decides between two words; how many did, where, and how near the two were, by the
    model that `load` gives, is reported. A prompt may not. `adapter` is an adapter's GGUF, applied to the file with the
    template beside it. What the same server is asked `also` is added.

    Raises:
        UnderstudyError: a prompt differs, or llama.cpp cannot load the file.
    """
    template = adapter.with_name(TEMPLATE_FILE).read_text(encoding="utf-8") if adapter else ""
    threads = torch.get_num_threads()
    with llama_server(file, context=CONTEXT, threads=threads, lora=adapter, template=template) as server:
        made = _ask(server, trial, progress)
        _check_prompts(file, made, trial)
        more = also(server)
    replies = compare_generated(load, trial, made.replies)
    prompts = {"conversations": len(trial.prompts), "equal": len(trial.prompts)}
    return {"prompts": prompts, "greedy replies": replies.to_json()} | more


def _check_prompts(file: Path, made: EngineReplies, trial: Trial) -> None:
    equal = sum(map(tuple.__eq__, made.prompts, trial.prompts))
    counted = sum(len(prompt) == count for prompt, count in zip(trial.prompts, made.counts, strict=True))
    if min(equal, counted) < len(trial.prompts):
        raise UnderstudyError(
            file,
            f"gives llama.cpp {len(trial.prompts) - min(equal, counted)} of {len(trial.prompts)} prompts unlike "
            "training's",
            fix="export with --to merged, and report this with the base model's name",
        )


def prove_prompt_texts(file: Path, prompts: Sequence[str], trial: Trial) -> dict[str, int]:
    """How many of these texts llama.cpp reads as the trial's prompts, as it reads any prompt.

    Raises:
        UnderstudyError: not all.
    """
    with llama_server(file, context=CONTEXT, threads=torch.get_num_threads()) as server:
        read = [tuple(server.post("/tokenize", PROMPT | {"content": text})["tokens"]) for text in prompts]
    equal = sum(map(tuple.__eq__, read, trial.prompts))
    if equal < len(trial.prompts):
        raise UnderstudyError(
            file, f"reads {len(trial.prompts) - equal} of {len(trial.prompts)} prompts unlike training",
            fix="export with --to gguf, and report this with the base model's name",
        )  # fmt: skip
    return {"conversations": len(trial.prompts), "equal": equal}


def adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer begins any text with its bos token."""
    return tokenizer.bos_token_id is not None and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]


def _state_bos(merged: Path) -> None:
    """The folder's tokenizer says whether it adds bos, or each engine would go by a default of its own."""
    file = merged / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    write_json(file, config | {"add_bos_token": adds_bos(AutoTokenizer.from_pretrained(merged))})


def _ask(server: LlamaServer, trial: Trial, progress: Progress) -> EngineReplies:
    """The server's own prompt of each conversation, and its greedy reply to that."""
    prompts, counts, replies = [], [], []
    for number, turns in enumerate(trial.conversations, 1):
        text = server.post("/apply-template", {"messages": list(turns)})["prompt"]
        prompts.append(tuple(server.post("/tokenize", PROMPT | {"content": text})["tokens"]))
        wanted = {"prompt": list(prompts[-1]), "n_predict": REPLY_TOKENS, "return_tokens": True}
        answered = server.post("/completion", wanted | GREEDY)
        ended = answered["stop_type"] == "eos" and len(answered["tokens"]) < answered["tokens_predicted"]
        replies.append((*answered["tokens"], *[trial.end_id] * ended))
        chatted = server.post("/v1/chat/completions", {"messages": list(turns), "max_tokens": 1})
        counts.append(int(chatted["usage"]["prompt_tokens"]))
        progress(number, len(trial.conversations))
    return EngineReplies(tuple(prompts), tuple(counts), tuple(replies))


def _metadata(origin: Origin) -> Mapping[str, Any]:
    """Whose model it is, and how the character is sampled unless somebody says otherwise."""
    sampling: Sampling = origin.persona.sampling
    fields: dict[str, Any] = {
        "general.name": origin.persona.name,
        "general.description": f"{origin.persona.name}, trained with Understudy on {origin.base_title}",
        "general.languages": [origin.persona.language],
        "general.sampling.temp": sampling.temperature,
        "general.sampling.top_p": sampling.top_p,
        "general.sampling.top_k": 0,
        "general.sampling.min_p": 0.0,
        "general.sampling.penalty_last_n": -1,  # all of the conversation, as our own chat
        "general.sampling.penalty_repeat": sampling.repetition_penalty,
    }
    return fields | ({"general.license.name": origin.licence} if origin.licence else {})
