"""The forms of an export: what each writes into its folder, and what it proves of that."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.atomic_io import write_text
from pipeline.conversations.render import system
from pipeline.errors import UnderstudyError
from pipeline.exports import DEFAULT_OUTTYPES
from pipeline.exports.adapter import make_plain_lora, save_adapter
from pipeline.exports.character_card import save_cards
from pipeline.exports.engine_recall import asked_facts, measure_recall
from pipeline.exports.gguf import (
    F16,
    K_TYPES,
    adds_bos,
    check_outtypes,
    gguf_name,
    prove_gguf,
    prove_prompt_texts,
    save_adapter_gguf,
    save_base_gguf,
    save_ggufs,
)
from pipeline.exports.merged import (
    export_tokenizer,
    load_merged,
    prove_merged,
    prove_prompts,
    save_base,
    save_merged,
)
from pipeline.exports.ollama import check_expressible, go_template, modelfile, orders_rendered_otherwise, turn_texts
from pipeline.exports.origin import Origin
from pipeline.exports.persona_template import persona_instruction
from pipeline.exports.trial import Trial, count_equal_prompts, make_trial
from pipeline.exports.usage import plain_name
from pipeline.models.trained import load_trained
from pipeline.serving.llama_cpp import LlamaServer, is_installed
from pipeline.terminal import print_line, progress_bar
from pipeline.tokens.template import trained_end

MODELFILE = "Modelfile"
SIXTEEN_BITS_OR_MORE = (F16, "bf16", "f32")  # their replies are the trained ones but for near ties
NO_GREETING = "the card has no greeting; --card FILE takes over those of a card you have, and its picture"
NOT_TRIED = "not tried under llama.cpp, which is not installed: pip install xllamacpp"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the command line says: the run, the form, where to write it, and how.

    `outtypes` are those of GGUF files, by default the form's own. `verify` is whether llama.cpp tries them; by default
    it does where it is installed.
    """

    adapter: Path
    form: str
    out: Path
    name: str | None = None
    base: str | None = None
    dtype: str = "auto"
    card: Path | None = None
    outtypes: tuple[str, ...] = ()
    verify: bool | None = None


def _merged(origin: Origin, folder: Path, options: ExportOptions) -> dict[str, Any]:
    return prove_merged(folder, _merge(origin, folder, options))


def _merge(origin: Origin, folder: Path, options: ExportOptions) -> Trial:
    """The folder holds the merged model; gives what the trained one said before it was merged."""
    trained = load_trained(origin.folder, origin.persona.name, base=options.base, dtype=options.dtype)
    replies = progress_bar("replies of the trained model")
    trial = make_trial(origin.tokenizer, origin.persona, trained.model, replies)
    save_merged(trained, folder)
    return trial


def _gguf(origin: Origin, folder: Path, options: ExportOptions) -> dict[str, Any]:
    return _ggufs(origin, folder, options, options.outtypes or DEFAULT_OUTTYPES[options.form])


def _ollama(origin: Origin, folder: Path, options: ExportOptions) -> dict[str, Any]:
    """A GGUF and its Modelfile; whether there can be one is found out before the long work."""
    if len(options.outtypes) > 1:
        raise UnderstudyError(f"--outtype {' '.join(options.outtypes)}", "is for one Modelfile", fix="give one type")
    instruction = persona_instruction(origin.tokenizer, origin.persona)
    texts = turn_texts(origin.tokenizer)
    otherwise = orders_rendered_otherwise(origin.tokenizer, texts, origin.persona)
    trial = make_trial(origin.tokenizer, origin.persona, without=otherwise)
    conversations = [(system(instruction), *turns) for turns in trial.conversations]
    equal = check_expressible(origin.tokenizer, texts, conversations)
    outtype = (options.outtypes or DEFAULT_OUTTYPES[options.form])[0]
    proofs = _ggufs(origin, folder, options, (outtype,))
    bos = str(origin.tokenizer.bos_token) if adds_bos(origin.tokenizer) else ""
    end, sampling = trained_end(origin.tokenizer), origin.persona.sampling
    text = modelfile(gguf_name(outtype), go_template(texts, without_bos=bos), instruction, end, sampling)
    write_text(folder / MODELFILE, text)
    if _verifies(options):
        prompts = [texts.prompt(messages).removeprefix(bos) for messages in conversations]
        proofs["prompts of Ollama's TEMPLATE, read by llama.cpp"] = prove_prompt_texts(
            folder / gguf_name(outtype), prompts, trial
        )
    proofs["Ollama's TEMPLATE"] = {"conversations": len(conversations), "equal": equal}
    return proofs | ({"Ollama's TEMPLATE renders otherwise than the model's own": otherwise} if otherwise else {})


def _verifies(options: ExportOptions) -> bool:
    """Whether llama.cpp is asked.

    Raises:
        UnderstudyError: it shall be, and is not installed.
    """
    if options.verify and not is_installed():
        raise UnderstudyError("--verify", "asks for llama.cpp, which is not installed", fix="pip install xllamacpp")
    return is_installed() if options.verify is None else options.verify


def _ggufs(origin: Origin, folder: Path, options: ExportOptions, outtypes: Sequence[str]) -> dict[str, Any]:
    """The GGUF files, by way of a merged model that is proven and then removed."""
    verify = _verifies(options)
    check_outtypes(outtypes)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".merged-") as temporary:
        merged = Path(temporary) / "merged"
        trial = _merge(origin, merged, options)
        proofs = {f"merged {name}": proof for name, proof in prove_merged(merged, trial).items()}
        save_ggufs(merged, folder, origin, outtypes)
        for outtype in outtypes if verify else ():
            replies, file = progress_bar(f"llama.cpp, {outtype}"), folder / gguf_name(outtype)
            proven = prove_gguf(file, trial, lambda: load_merged(merged), replies, also=_recall(origin, outtype))
            proofs |= {f"llama.cpp {outtype} {name}": proof for name, proof in proven.items()}
    if not verify:
        print_line(NOT_TRIED)
    return proofs


def _recall(origin: Origin, outtype: str) -> Callable[[LlamaServer], dict[str, Any]]:
    """What a server recalls of the settings: asked where fewer bits may cost facts, and recall had been measured."""
    facts = asked_facts(origin.recall) if outtype not in SIXTEEN_BITS_OR_MORE else ()

    def measured(server: LlamaServer) -> dict[str, Any]:
        bar = progress_bar(f"llama.cpp, {outtype}, facts")
        return {"recall": measure_recall(server, facts, origin.tokenizer, bar)}

    return measured if facts else lambda _: {}


def _adapter_gguf(origin: Origin, folder: Path, options: ExportOptions) -> dict[str, Any]:
    """The adapter by itself as a GGUF; it is tried on its base model as a GGUF, which is then removed."""
    outtype, verify = (options.outtypes or DEFAULT_OUTTYPES[options.form])[0], _verifies(options)
    if outtype in K_TYPES or len(options.outtypes) > 1:
        raise UnderstudyError(
            f"--outtype {' '.join(options.outtypes)}",
            "is for complete models: an adapter's GGUF has one type, no K type",
            fix="give f16, or none",
        )
    name, bar = origin.persona.name, progress_bar("replies of the trained model")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".adapter-") as temporary:
        adapter, base = Path(temporary) / plain_name(name), Path(temporary) / "base"
        adapter.mkdir()
        save_adapter(origin, adapter)
        make_plain_lora(adapter)
        proofs: dict[str, Any] = {"prompts": prove_prompts(adapter, make_trial(origin.tokenizer, origin.persona))}
        trained = load_trained(origin.folder, name, base=options.base, dtype=options.dtype)
        trained.model.config.save_pretrained(base)
        file = save_adapter_gguf(adapter, base, folder, outtype)
        if not verify:
            print_line(NOT_TRIED)
            return proofs
        trial = make_trial(origin.tokenizer, origin.persona, trained.model, bar)
        save_base(trained, base)
        save_base_gguf(base, base.with_suffix(".gguf"))
        replies = progress_bar("llama.cpp, base and adapter")
        proven = prove_gguf(base.with_suffix(".gguf"), trial, lambda: trained.model, replies, adapter=file)
    return proofs | {f"llama.cpp {proof}": content for proof, content in proven.items()}


def _adapter(origin: Origin, folder: Path, _: ExportOptions) -> dict[str, Any]:
    save_adapter(origin, folder)
    return {"prompts": prove_prompts(folder, make_trial(origin.tokenizer, origin.persona))}


def _card(origin: Origin, folder: Path, options: ExportOptions) -> dict[str, Any]:
    instruction = persona_instruction(origin.tokenizer, origin.persona)
    notes = f"Trained with Understudy on {origin.base_title}. For the model that was exported beside it, and no other."
    if options.card is None:
        print_line(NO_GREETING)
    set_aside = save_cards(origin.persona.name, instruction, notes, folder, options.card)
    trial = make_trial(origin.tokenizer, origin.persona)
    equal = count_equal_prompts(export_tokenizer(origin.tokenizer, origin.persona), trial, [system(instruction)])
    proofs: dict[str, Any] = {"prompts": {"conversations": len(trial.prompts), "equal": equal}}
    return proofs | ({"set aside from the imported card": set_aside} if set_aside else {})


FORMS: Mapping[str, Callable[[Origin, Path, ExportOptions], dict[str, Any]]] = {
    "merged": _merged,
    "adapter": _adapter,
    "card": _card,
    "gguf": _gguf,
    "gguf-adapter": _adapter_gguf,
    "ollama": _ollama,
}
