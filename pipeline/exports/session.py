"""An export from beginning to end: a run's folder in, a folder of another form out, complete or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.utils import logging

from pipeline.atomic_io import write_json, write_text
from pipeline.conversations.render import system
from pipeline.errors import UnderstudyError
from pipeline.exports.adapter import save_adapter
from pipeline.exports.character_card import save_cards
from pipeline.exports.gguf import F16, Q8_0, gguf_name, prove_gguf, save_ggufs
from pipeline.exports.merged import export_tokenizer, prove_merged, prove_prompts, save_merged
from pipeline.exports.model_card import model_card
from pipeline.exports.origin import Origin, check_no_private_path, origin_of
from pipeline.exports.persona_template import persona_instruction
from pipeline.exports.trial import Trial, count_equal_prompts, make_trial
from pipeline.exports.usage import usage
from pipeline.models.trained import load_trained
from pipeline.runs.run_file import versions
from pipeline.serving.llama_cpp import is_installed
from pipeline.terminal import print_line, progress_bar
from pipeline.tokens.template import trained_end

EXPORT_FILE = "export.json"
CARD_FILE = "README.md"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the command line says: the run, the form, where to write it, and how.

    `verify` is whether another engine tries the export; by default it does where it is installed.
    """

    adapter: Path
    form: str
    out: Path
    name: str | None = None
    base: str | None = None
    dtype: str = "auto"
    card: Path | None = None
    outtypes: tuple[str, ...] = (F16, Q8_0)
    verify: bool | None = None


def export(options: ExportOptions) -> None:
    """The folder `options.out` holds the character in its new form, proven, with model card and `export.json`.

    Raises:
        UnderstudyError: the folder is in use, the character cannot be loaded, or the export is not what was trained.
    """
    out = options.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnderstudyError(out, "is there already", fix="name another folder, or remove it")
    logging.disable_progress_bar()  # of the weights' loading: what takes longer has a bar of ours
    origin = origin_of(options.adapter, options.name, options.base)
    building = out.with_name(f".{out.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        proofs = FORMS[options.form](origin, building, options)
        how = usage(options.form, origin, trained_end(origin.tokenizer))
        write_text(building / CARD_FILE, model_card(origin, options.form, how, proofs))
        _write_account(building, origin, options.form, proofs)
        check_no_private_path(building, origin)
        if out.exists():
            out.rmdir()
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    for name, proof in proofs.items():
        print_line(f"proven: {name}: {_in_short(proof)}")
    print_line(f"{origin.persona.name} as {options.form}: {out}")


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
    """The GGUF files, by way of a merged model that is proven and then removed."""
    verify = is_installed() if options.verify is None else options.verify
    if verify and not is_installed():
        raise UnderstudyError("--verify", "asks for llama.cpp, which is not installed", fix="pip install xllamacpp")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".merged-") as temporary:
        merged = Path(temporary) / "merged"
        trial = _merge(origin, merged, options)
        proofs = {f"merged {name}": proof for name, proof in prove_merged(merged, trial).items()}
        save_ggufs(merged, folder, origin, options.outtypes)
        for outtype in options.outtypes if verify else ():
            replies = progress_bar(f"llama.cpp, {outtype}")
            proven = prove_gguf(folder / gguf_name(outtype), trial, merged, replies)
            proofs |= {f"llama.cpp {outtype} {name}": proof for name, proof in proven.items()}
    if not verify:
        print_line("not tried under llama.cpp, which is not installed: pip install xllamacpp")
    return proofs


def _adapter(origin: Origin, folder: Path, _: ExportOptions) -> dict[str, Any]:
    weights = save_adapter(origin, folder)
    return {"prompts": prove_prompts(folder, make_trial(origin.tokenizer, origin.persona)), "weights": weights}


def _card(origin: Origin, folder: Path, options: ExportOptions) -> dict[str, Any]:
    instruction = persona_instruction(origin.tokenizer, origin.persona)
    notes = f"Trained with Understudy on {origin.base}. For the model that was exported beside it, and no other."
    written = save_cards(origin.persona.name, instruction, notes, folder, options.card)
    trial = make_trial(origin.tokenizer, origin.persona)
    equal = count_equal_prompts(export_tokenizer(origin.tokenizer, origin.persona), trial, [system(instruction)])
    return {"prompts": {"conversations": len(trial.prompts), "equal": equal}, "card": written}


FORMS: Mapping[str, Callable[[Origin, Path, ExportOptions], dict[str, Any]]] = {
    "merged": _merged,
    "adapter": _adapter,
    "card": _card,
    "gguf": _gguf,
}


def _write_account(folder: Path, origin: Origin, form: str, proofs: Mapping[str, Any]) -> None:
    """`export.json`: what the export is, what was proven of it, and a digest of every file."""
    digests = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
    account = {"form": form} | origin.to_json() | {"versions": versions(), "proofs": proofs, "files": digests}
    write_json(folder / EXPORT_FILE, account)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _in_short(proof: Mapping[str, Any]) -> str:
    """A proof in a line of the terminal."""
    total = proof.get("replies", proof.get("conversations"))
    if total is None:
        return ", ".join(f"{key} {value}" for key, value in proof.items())
    where = [
        f"conversation {one['conversation']} from token {one['token']}"
        + (f" (logits {one['margin']:.3f} apart)" if one["margin"] is not None else "")
        for one in proof.get("differences", ())
    ]
    return f"{proof['equal']} of {total} equal, token for token" + ("; others: " + ", ".join(where) if where else "")
