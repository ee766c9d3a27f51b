"""Commands as forks of one interpreter that has torch, transformers, trl and peft imported already.

Importing them takes 5 seconds of a core, and what a command of the tests computes takes one. A forked command is a
process of its own all the same: it has its own arguments, environment, working folder, session and output, it gets
signals and runs its exit handlers, and it ends as any interpreter ends. What is about a fresh interpreter or about a
launcher starts one instead (`runs.start(..., fresh=True)`); and so does one test of each entry point.

`ForkedProcess` speaks for the tests, and `python -m tests.forkserver FD` for the interpreter that is forked. A request
is forked twice: into a watcher, which tells who asked for it the process id and the exit code, and into the command.
It kills the command if who asked is gone. A launcher starts its processes by `forking_python`, which asks likewise.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PRELOADED = (
    "torch", "transformers", "trl", "peft", "datasets", "safetensors.torch",
    "transformers.models.llama.modeling_llama",
    "pipeline.training.run", "pipeline.training.data", "pipeline.evaluation.session", "pipeline.models.trained",
    "pipeline.models.generate",
)  # fmt: skip


class ForkedProcess:
    """A started command, with as much of `subprocess.Popen` as the tests use."""

    def __init__(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, stdout: Path, stderr: Path
    ) -> None:
        """Start `python -m ARGUMENTS` in the folder, in a session of its own."""
        self.args = ["-m", *arguments]
        self.returncode: int | None = None
        for file in (stdout, stderr):
            file.touch()  # so that it can be read from now on
        self._watcher = socket.socket(socket.AF_UNIX)
        self._watcher.connect(_server())
        request = {
            "arguments": list(arguments), "environment": dict(environment), "folder": str(folder),
            "stdout": str(stdout), "stderr": str(stderr),
        }  # fmt: skip
        self._watcher.sendall(json.dumps(request).encode() + b"\n")
        self._answers = self._watcher.makefile("r", encoding="ascii", buffering=1)
        self.pid = int(self._answers.readline() or f"{-1}")
        assert self.pid > 0, "the server of forks has ended: see what `python -m tests.forkserver` says"

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None and select.select([self._watcher], [], [], 0)[0]:
            self._read_code()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it goes on for longer than that.
        """
        if self.returncode is None:
            if not select.select([self._watcher], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self._read_code()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """It has the signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """It is dead or dying."""
        self.send_signal(signal.SIGKILL)

    def _read_code(self) -> None:
        self.returncode = int(self._answers.readline())
        self._answers.close()
        self._watcher.close()


@functools.cache
def _server() -> str:
    """The address of the server, which ends when this process does: it reads the other end of a pipe of ours."""
    address = str(Path(tempfile.mkdtemp(prefix="forkserver-")) / "socket")
    with socket.socket(socket.AF_UNIX) as listener:  # who comes before all is imported waits in its queue
        listener.bind(address)
        listener.listen()
        command = [sys.executable, "-m", "tests.forkserver", str(listener.fileno())]
        started = subprocess.Popen(
            command, cwd=Path(__file__).parents[1], env=os.environ | {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()], start_new_session=True,
        )  # fmt: skip
    _KEPT.append(started)
    return address


@functools.cache
def forking_python() -> str:
    """A program that is to `python -u -m ...` what `ForkedProcess` is to a command, for torchrun's `PYTHON_EXEC`."""
    program = Path(_server()).with_name("python")
    stand_in = Path(__file__).with_name("stand_in.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{stand_in}" "{_server()}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)


_KEPT: list[subprocess.Popen[bytes]] = []  # its pipe would be closed if it were collected


def main() -> None:
    """Serve until the tests have ended, or be one of the commands."""
    for module in PRELOADED:
        importlib.import_module(module)
    with contextlib.suppress(ImportError):  # accelerate imports it where it is installed
        builders = importlib.import_module("deepspeed.ops.op_builder.cpu")
        # It takes a compiler two minutes on a new machine; all-reduces of training do not use it.
        builders.ShareMemCommBuilder.is_compatible = lambda *_, **__: False
    gc.freeze()  # no collection in a fork looks at what is imported
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        request = next_request(listener)
        if request is None:
            shutil.rmtree(Path(listener.getsockname()).parent)
            return
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, (path, flags) in enumerate(
        [
            (os.devnull, os.O_RDONLY),
            *((request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("stdout", "stderr")),
        ]
    ):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # who is killed has said what it said
    module, *sys.argv[1:] = request["arguments"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)  # sets argv[0]


def next_request(listener: socket.socket) -> dict[str, Any] | None:
    """What to run, in the process that is to run it; in the server's own None, once the tests have ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for watchers
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        with connection:
            if os.fork():
                continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            request: dict[str, Any] = json.loads(connection.makefile("r", encoding="utf-8").readline())
            command = os.fork()
            if not command:
                return request
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(b"%d\n" % command)
            if connection in select.select([connection, os.pidfd_open(command)], [], [])[0]:
                os.kill(command, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(b"%d\n" % code)
            os._exit(0)
    return None


if __name__ == "__main__":
    main()
