"""What a base model is called where others read it, and its licence: no path of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.models.locate import EMBEDDED, hub_cache, is_local

EMBEDDED_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"  # what the embedded model is, out of its 4 bits
EMBEDDED_LICENCE = "apache-2.0"


def public_name(model: str) -> str:
    """A recipe's model without its path: a hub id, `embedded`, or the name of a folder."""
    return Path(model).name if is_local(model) else model


def title_of(base: str) -> str:
    """The name under which others know a base model by its public name."""
    return EMBEDDED_NAME if base == EMBEDDED else base


def licence_of(model: str) -> str:
    """What the model's own card says, where it lies in a folder or the hub's cache: `license: ...` in its header.

    Empty where it says nothing.
    """
    if model == EMBEDDED:
        return EMBEDDED_LICENCE
    for card in _cards(model):
        header = card.read_text(encoding="utf-8", errors="replace").split("\n---", 1)[0]
        named = [line.partition(":")[2].strip() for line in header.splitlines() if line.startswith("license:")]
        if named:
            return named[0]
    return ""


def _cards(model: str) -> Iterator[Path]:
    """The model's card, wherever it lies on this machine."""
    if is_local(model):
        card = Path(model).expanduser() / "README.md"
        yield from [card] if card.is_file() else []
    else:
        yield from hub_cache().glob(f"models--{model.replace('/', '--')}/snapshots/*/README.md")
