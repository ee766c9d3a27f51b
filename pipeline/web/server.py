"""The studio as a server: its one page, the frames in it, and who may see them."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import warnings
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse
from nicegui import ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pipeline.errors import UnderstudyError
from pipeline.terminal import print_line
from pipeline.web.access import Access, is_this_machine
from pipeline.web.model_queue import ModelQueue
from pipeline.web.page import show_studio
from pipeline.web.run_pages import StudioRun

STYLE = Path(__file__).with_name("studio.css")
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
PATIENCE = 60.0  # seconds without an answer until a page is taken for closed: a model being loaded may hold all else up
THIS_MACHINE = ["127.0.0.1", "localhost", "[::1]"]


def run_studio(runs: Sequence[StudioRun], *, host: str, port: int, password: str | None = None) -> None:
    """The studio of these runs is served until it is stopped.

    Raises:
        UnderstudyError: the port is taken, or other machines could come without a password.
    """
    if password is None and not is_this_machine(host):
        raise UnderstudyError(
            f"--host {host}", "lets other machines in, and there is no password",
            fix="write one into a file, and add --password_file FILE",
        )  # fmt: skip
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise UnderstudyError(f"{host}:{port}", f"cannot be used ({error})", fix="try another --port") from error
    base = next((run.base for run in runs), None)  # one for all, as the command line gives it
    queue = ModelQueue([run.folder for run in runs if run.is_finished], base)
    application = _app(runs, queue, host, password)
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
    shown = f"[{host}]" if ":" in host else host
    print_line(f"http://{shown}:{listening.getsockname()[1]} is the studio; Ctrl-C stops it")
    try:
        with contextlib.suppress(KeyboardInterrupt), warnings.catch_warnings():
            # NiceGUI looks through all objects of the process for its server, deprecated ones of torch among them.
            warnings.simplefilter("ignore", FutureWarning)
            server.run(sockets=[listening])
    finally:
        queue.close()


def _app(runs: Sequence[StudioRun], queue: ModelQueue, host: str, password: str | None) -> FastAPI:
    application = FastAPI(openapi_url=None)
    frames: dict[str, Path] = {}  # the only files that are served, by a digest of their path

    def address(page: Path) -> str:
        key = hashlib.blake2b(str(page.resolve()).encode(), digest_size=12).hexdigest()
        frames[key] = page
        return f"/frames/{key}?{page.stat().st_mtime_ns}"

    @application.get("/frames/{key}")
    def frame(key: str) -> FileResponse:
        if key not in frames or not frames[key].is_file():
            raise HTTPException(404)
        return FileResponse(frames[key], media_type="text/html", headers={"Content-Security-Policy": FRAME_POLICY})

    @ui.page("/")
    def studio() -> None:
        ui.add_css(STYLE.read_text(encoding="utf-8"))
        ui.colors(primary="#0d665f", negative="#a5281b")
        show_studio(runs, queue, address)

    ui.run_with(
        application, title="Understudy studio", favicon="🎭", dark=None, tailwind=False, reconnect_timeout=PATIENCE
    )  # fmt: skip
    application.add_middleware(Access, password=password)
    if is_this_machine(host):  # else a site of another name, pointed at this machine, could read along
        application.add_middleware(TrustedHostMiddleware, allowed_hosts=[*THIS_MACHINE, host])
    return application
