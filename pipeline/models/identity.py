"""What makes a base model the one that it is, as far as its results are concerned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.models.load import resolve_model


def model_identity(model: str, options: Mapping[str, Any], template: str) -> list[Any]:
    """All that decides what a model says to a prompt, as JSON takes it: for the names of what is kept on disk.

    Of a folder's files the names, sizes and times of their last change stand for the contents. Where the model lies
    (`device_map`) is left out: processes of one run have it on different devices.
    """
    resolved = Path(resolve_model(model))
    files = sorted(resolved.iterdir()) if resolved.is_dir() else []
    weights = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
    decisive = {name: str(value) for name, value in options.items() if name != "device_map"}
    return [__version__, str(resolved), weights, decisive, template]
