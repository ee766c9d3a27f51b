"""A digest of a model's weights: by it a base that moved is known again, and another one under its name is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.models.checksums import file_sha256
from pipeline.models.load import resolve_model
from pipeline.models.locate import WEIGHT_FILES


def base_digest(model: str, *, revision: str = "main") -> str:
    """SHA-256 over the weights of a recipe's model, whatever its folder is called and wherever it lies.

    Files count by their names and contents. A file is read again only when its size or time has changed.

    Raises:
        UnderstudyError: the model is not on this machine, or has no weights.
    """
    folder = _folder_of(model, revision)
    files = sorted({file for pattern in WEIGHT_FILES for file in folder.glob(pattern)})
    if not files:
        raise UnderstudyError(folder, "has no weights", fix="copy the complete model folder")
    lines = "".join(f"{file_sha256(file)}  {file.name}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def check_base(model: str, *, revision: str, expected: str | None, adapter: Path) -> None:
    """The model's weights are those that the adapter was trained on; an adapter that remembers none takes any.

    Raises:
        UnderstudyError: they are others.
    """
    if expected is not None and (found := base_digest(model, revision=revision)) != expected:
        raise UnderstudyError(
            adapter,
            f"was trained on other weights than those of {model} (digest {expected[:12]}, here it is {found[:12]})",
            fix="name the folder of the base that it was trained on (chat, recall, export, serve: --base DIR)",
        )


def _folder_of(model: str, revision: str) -> Path:
    """The folder with the model's files: a hub id's is in the hub's cache."""
    folder = Path(resolve_model(model))
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise UnderstudyError(
            f"model {model}", "is not in the hub cache", fix=f"fetch it: hf download {model}"
        ) from error
