"""Who may see the studio, and what its pages may load."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.errors import UnderstudyError
from pipeline.pages import page_templates

LOGIN, COOKIE = "/login", "understudy"
AFTER_A_WRONG_PASSWORD = 1.0  # seconds to wait
LONGEST_FORM = 4096  # bytes
# Vue compiles its templates in the browser, hence unsafe-eval; nothing is loaded from another machine.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'self'; form-action 'self'"
)


def is_this_machine(host: str) -> bool:
    """Whether only this machine's own programs reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_password(file: Path) -> str:
    """The password in a file: its first line.

    Raises:
        UnderstudyError: it cannot be read, or there is none in it.
    """
    try:
        password = next(iter(file.read_text(encoding="utf-8").splitlines()), "").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnderstudyError(file, f"cannot be read ({error})", fix="name a text file with a password in it") from None
    if not password:
        raise UnderstudyError(file, "has no password in its first line", fix="write one")
    return password


class Access:
    """ASGI middleware: a password where there is one, no requests of other sites' pages, nothing from elsewhere."""

    def __init__(self, app: ASGIApp, *, password: str | None) -> None:
        self.app = app
        self.password = password
        self.sessions: set[str] = set()
        self.guessing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may be seen; all else gets the page that asks for the password."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        is_own = _is_same_origin(connection)
        if scope["type"] == "websocket":
            if is_own and self._is_known(connection):
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        if not is_own:  # NiceGUI also polls where there are no WebSockets, and lets every origin do so
            await PlainTextResponse("not from another site", 403)(scope, receive, send)
            return
        if self.password is not None and (connection.url.path == LOGIN or not self._is_known(connection)):
            answer = await self._log_in(Request(scope, receive))
            await answer(scope, receive, _with_policy(send))
            return
        await self.app(scope, receive, _with_policy(send))

    def _is_known(self, connection: HTTPConnection) -> bool:
        return self.password is None or connection.cookies.get(COOKIE) in self.sessions

    async def _log_in(self, request: Request) -> Response:
        if request.url.path != LOGIN:
            return RedirectResponse(LOGIN, status_code=303)
        wrong = False
        if request.method == "POST":
            form = parse_qs((await _beginning_of(request)).decode(errors="replace"))
            given = form.get("password", [""])[0]
            async with self.guessing:  # one wrong guess a second, however many guess at once
                wrong = not hmac.compare_digest(given.encode(errors="replace"), str(self.password).encode())
                if wrong:
                    await asyncio.sleep(AFTER_A_WRONG_PASSWORD)
            if not wrong:
                answer = RedirectResponse("/", status_code=303)
                session = secrets.token_urlsafe()
                self.sessions.add(session)
                answer.set_cookie(COOKIE, session, httponly=True, samesite="strict")
                return answer
        page = page_templates(Path(__file__).parent).get_template("login.html.jinja").render(wrong=wrong)
        return HTMLResponse(page, status_code=401 if wrong else 200)


async def _beginning_of(request: Request) -> bytes:
    """What a form sends, or as much of it as a password may take."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            break
    return body[:LONGEST_FORM]


def _is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a page of the studio itself opens the connection; programs that are no browser name no origin."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")


def _with_policy(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", POLICY)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "same-origin"  # without any, a form names no origin
        await send(message)

    return sending
