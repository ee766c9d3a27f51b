"""llama.cpp's server, out of the package xllamacpp, for a GGUF file."""

from __future__ import annotations

import importlib.util
import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError

LOCALHOST = "127.0.0.1"
ANY_PORT = 0
QUIET, ERRORS_ONLY = -1, 1
PATIENCE = 600.0  # seconds for an answer
GREEDY = {"temperature": 0, "repeat_penalty": 1.0}  # whatever the file says of sampling


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """A running server, by its address."""

    address: str

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The server's answer in JSON."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", data, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - an http address of our own
            content: dict[str, Any] = json.load(answer)
        return content


def is_installed() -> bool:
    """Whether llama.cpp is there to be asked."""
    return importlib.util.find_spec("xllamacpp") is not None


@contextmanager
def llama_server(
    gguf: Path,
    *,
    context: int,
    threads: int,
    host: str = LOCALHOST,
    port: int = ANY_PORT,
    alias: str = "",
    lora: Path | None = None,
    template: str = "",
) -> Iterator[LlamaServer]:
    """llama.cpp's server runs on the file, until the block ends; `context` is in tokens.

    `lora` is an adapter's GGUF, applied to the file; `template` takes the place of the file's own chat template.

    Raises:
        UnderstudyError: xllamacpp is not installed, or cannot load the file.
    """
    if not is_installed():
        raise UnderstudyError("llama.cpp", "is not installed", fix="pip install xllamacpp")
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(gguf)
    parameters.n_ctx, parameters.n_parallel, parameters.cpuparams.n_threads = context, 1, threads
    parameters.hostnames, parameters.port, parameters.verbosity = [host], port, QUIET
    parameters.cors_origins = f"http://{host}"  # else any page in the user's browser may talk to it
    parameters.model_alias = {alias} if alias else parameters.model_alias
    parameters.chat_template = template or parameters.chat_template
    parameters.lora_adapters = _applied(lora) if lora else []
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise UnderstudyError(gguf, f"cannot be loaded by llama.cpp ({error})", fix="export it again") from error
    try:
        yield LlamaServer(server.listening_address)
    finally:
        del server  # its destructor stops it


def _applied(lora: Path) -> list[Any]:
    """The adapter as the server's parameters have it, at its full strength."""
    import xllamacpp

    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path, adapter.scale = str(lora), 1.0
    return [adapter]
