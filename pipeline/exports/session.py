"""An export from beginning to end: a run's folder in, a folder of another form out, complete or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.utils import logging

from pipeline.atomic_io import share_alike, write_json, write_text
from pipeline.errors import UnderstudyError
from pipeline.exports.forms import FORMS, ExportOptions
from pipeline.exports.model_card import model_card, proof_in_words
from pipeline.exports.origin import Origin, check_no_private_path, origin_of
from pipeline.exports.trial import refused_orders
from pipeline.exports.usage import usage
from pipeline.models.run_card import CARD_FILE
from pipeline.runs.run_file import versions
from pipeline.terminal import print_line
from pipeline.tokens.template import trained_end

EXPORT_FILE = "export.json"
REFUSED = "not rendered by the model's own chat template"


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
        if refused := refused_orders(origin.tokenizer, origin.persona):
            proofs[REFUSED] = refused
        how = usage(options.form, origin, trained_end(origin.tokenizer), building)
        write_text(building / CARD_FILE, model_card(origin, options.form, how, proofs))
        _write_account(building, origin, options.form, proofs)
        share_alike(building, building / CARD_FILE)
        check_no_private_path(building, origin)
        if out.exists():
            out.rmdir()
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    for name, proof in proofs.items():
        print_line(f"checked: {name}: {proof_in_words(proof)}")
    print_line(f"{origin.persona.name} as {options.form}: {out}")


def _write_account(folder: Path, origin: Origin, form: str, proofs: Mapping[str, Any]) -> None:
    """`export.json`: what the export is, what was proven of it, and a digest of every file."""
    digests = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
    account = {"form": form} | origin.to_json() | {"versions": versions(), "proofs": proofs, "files": digests}
    write_json(folder / EXPORT_FILE, account)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
