"""A model that cannot be trained is refused with what is needed instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.models.load import load_config
from pipeline.models.locate import check_model_folder


def test_a_name_of_ollamas_is_told_to_be_no_model_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnderstudyError, match=r"no hub id that is cached.*Ollama.*cannot be trained"):
        load_config("llama3", cache_dir=str(tmp_path))


def test_a_gguf_is_told_to_be_no_model_to_train(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()
    with pytest.raises(UnderstudyError, match=r"is a GGUF.*config\.json, \*\.safetensors"):
        check_model_folder(tmp_path / "model.gguf")
