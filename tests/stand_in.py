"""Stands in for `python -u -m MODULE ...` where a launcher starts its processes: a fork runs the module (`forkserver`).

It has the fork's exit code, and the fork its signals. It imports next to nothing, since it is there to save imports.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path


def main() -> None:
    address, *arguments = sys.argv[1:]
    assert arguments[:2] == ["-u", "-m"], arguments
    server = socket.socket(socket.AF_UNIX)
    server.connect(address)
    request = {
        "arguments": arguments[2:],
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "stdout": str(Path("/proc/self/fd/1").readlink()),
        "stderr": str(Path("/proc/self/fd/2").readlink()),
    }
    server.sendall(json.dumps(request).encode() + b"\n")
    answers = server.makefile("r", encoding="ascii", buffering=1)
    command = int(answers.readline())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(command, number))
    code = int(answers.readline())
    if code < 0:
        if -code in (signal.SIGTERM, signal.SIGINT):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
