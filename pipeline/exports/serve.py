"""A server for any OpenAI client, its persona built in: transformers' own, or llama.cpp's where a GGUF is given."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers.utils import logging

from pipeline.errors import UnderstudyError
from pipeline.exports.gguf import TEMPLATE_FILE
from pipeline.exports.merged import save_merged
from pipeline.exports.usage import plain_name
from pipeline.models.trained import load_trained
from pipeline.runs.files import RUN_FILE
from pipeline.serving.llama_cpp import LOCALHOST, llama_server
from pipeline.terminal import print_line

SERVING_PACKAGES = ("fastapi", "uvicorn", "openai")  # which `transformers serve` imports
CONFIG_FILE = "config.json"  # of a model in transformers' form
REVISION = "0" * 40  # as the hub names a commit
STARTING, BETWEEN_LOOKS = 600.0, 0.3  # seconds


def serve_gguf(gguf: Path, *, port: int, context: int, lora: Path | None = None) -> None:
    """llama.cpp's server answers on this machine's port until it is stopped.

    `lora` is an adapter's GGUF, applied to the file; the chat template beside it takes the place of the file's.

    Raises:
        UnderstudyError: llama.cpp is not installed, or cannot load a file.
    """
    if not gguf.is_file():
        raise UnderstudyError(gguf, "is not there", fix="name a file that `export --to gguf` wrote")
    template = _template_of(lora) if lora else ""
    name, threads = (lora or gguf).stem, torch.get_num_threads()
    with llama_server(
        gguf, context=context, threads=threads, port=port, alias=name, lora=lora, template=template
    ) as server:
        _announce(name, server.address)
        _until_stopped(threading.Event().wait)


def _template_of(lora: Path) -> str:
    """The chat template that was exported with an adapter.

    Raises:
        UnderstudyError: the adapter or its template is not there.
    """
    file = lora.with_name(TEMPLATE_FILE)
    for needed in (lora, file):
        if not needed.is_file():
            raise UnderstudyError(needed, "is not there", fix="name a file that `export --to gguf-adapter` wrote")
    return file.read_text(encoding="utf-8")


def serve_folder(folder: Path, name: str | None, *, base: str | None, port: int) -> None:
    """`transformers serve` answers on this machine's port until it is stopped.

    A run's folder is merged first, into a temporary folder; an exported model is served as it is.

    Raises:
        UnderstudyError: what it needs is not installed, or the folder holds neither.
    """
    if not any((folder / name).is_file() for name in (RUN_FILE, CONFIG_FILE)):
        raise UnderstudyError(folder, "holds neither a run nor an exported model", fix="name one that does")
    missing = [package for package in SERVING_PACKAGES if importlib.util.find_spec(package) is None]
    if missing:
        raise UnderstudyError(
            "transformers serve", f"needs {', '.join(missing)}",
            fix="pip install 'understudy[serve]'; or export with --to gguf, and serve that: --gguf FILE",
        )  # fmt: skip
    with _model_folder(folder, name, base) as model, environment_of_server(model) as environment:
        # Clients name the model as it is named here, below the folder that the server works in.
        command = [sys.executable, "-m", "transformers.cli.transformers", "serve", model.name]
        command += ["--host", LOCALHOST, "--port", str(port)]
        process = subprocess.Popen(command, cwd=model.parent, env=environment)  # noqa: S603 - our own interpreter
        try:
            _wait_until_it_answers(process, f"http://{LOCALHOST}:{port}")
            _announce(model.name, f"http://{LOCALHOST}:{port}")
            _until_stopped(process.wait)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _model_folder(folder: Path, name: str | None, base: str | None) -> Iterator[Path]:
    """A folder that any program loads: the one given, or a merged one that is there until the block ends."""
    if not (folder / RUN_FILE).is_file():
        yield folder.resolve()
        return
    logging.disable_progress_bar()
    print_line("merging the adapter, into a temporary folder ...")
    with tempfile.TemporaryDirectory(prefix="understudy-") as temporary:
        trained = load_trained(folder, name, base=base, dtype="auto")
        model = Path(temporary) / plain_name(trained.persona.name)
        save_merged(trained, model)
        del trained  # the server loads it again
        yield model


@contextmanager
def environment_of_server(model: Path) -> Iterator[dict[str, str]]:
    """The server's environment, in which its list of models, which is of the hub's cache, has this one and no other.

    Where there is no cache it would answer 500, and clients fill their choice of models from it.
    """
    with tempfile.TemporaryDirectory(prefix="understudy-") as cache:
        repository = Path(cache) / f"models--{model.name}"
        snapshot = repository / "snapshots" / REVISION
        snapshot.mkdir(parents=True)
        shutil.copyfile(model / CONFIG_FILE, snapshot / CONFIG_FILE)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(REVISION, encoding="utf-8")
        yield os.environ | {"HF_HUB_CACHE": cache}


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str) -> None:
    """The server answers.

    Raises:
        UnderstudyError: it ended instead, or took too long.
    """
    began = time.monotonic()
    while time.monotonic() - began < STARTING and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=BETWEEN_LOOKS * 10):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(BETWEEN_LOOKS)
    raise UnderstudyError(address, "is not answered by the server", fix="read what it printed; try another --port")


def _until_stopped(wait: Callable[[], object]) -> None:
    """Ctrl-C and SIGTERM end the waiting, so that what is temporary is removed."""
    before = signal.signal(signal.SIGTERM, _stop)  # by itself: a shell's background job has Ctrl-C ignored
    try:
        with contextlib.suppress(KeyboardInterrupt):
            wait()
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _announce(name: str, address: str) -> None:
    print_line(f"{address}/v1 answers any OpenAI client, as model {name}, without a key; Ctrl-C stops it")
