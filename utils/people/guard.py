"""Who may speak to the desk: the browser that was given the token, from the desk's own page, and nobody else.

The server listens on 127.0.0.1 alone, but every page that is open in a browser can send requests there, and so can
every program of every user of the machine. So the address holds a token, which is exchanged for a cookie that no
script and no other site sees; the Host must be exact, against names that were made to point here; and what changes
anything must come from the desk's own page (Origin) and hold the page's second token.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LONGEST_BODY = 16_384


class Guard:
    """The door in front of the application.

    Args:
        app: what answers those who may speak.
        port: on which the server listens.
    """

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self.port = port
        self.token = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)
        self.page_token = secrets.token_urlsafe(32)
        self.cookie_name = f"medqdeg-people-{port}"  # a cookie is of the host, not of the port

    @property
    def address(self) -> str:
        """What the browser is to open."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        if (refusal := self._refusal(scope, headers)) is not None:
            await _plain(send, *refusal)
        elif scope["path"] == "/" and scope["query_string"]:
            await self._exchange(scope, send)
        elif not _same(self._cookie, _cookies(headers).get(self.cookie_name, "")):
            await _plain(send, 403, "open the address that the terminal shows")
        else:
            await self._app(scope, _limited(receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str] | None:
        hosts = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        if headers.get("host") not in hosts:
            return 421, "not for this server"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "not from another site"
        if scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] != "POST":
            return 405, "GET or POST"
        if headers.get("origin") not in [f"http://{host}" for host in hosts]:
            return 403, "not from another site"
        if not _same(self.page_token, headers.get("x-token", "")):
            return 403, "not without the page's token"
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            return 413, "too long"
        return None

    async def _exchange(self, scope: Scope, send: Send) -> None:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not _same(self.token, given):
            await _plain(send, 403, "open the address that the terminal shows")
            return
        cookie = f"{self.cookie_name}={self._cookie}; Path=/; HttpOnly; SameSite=Strict"
        await _plain(send, 303, "", {"Location": "/", "Set-Cookie": cookie})


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers; one that comes twice counts as its values together, so that it equals nothing expected."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def _same(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogateescape"))


async def _plain(send: Send, status: int, text: str, more: Mapping[str, str] | None = None) -> None:
    headers = {**HEADERS, "Content-Type": "text/plain; charset=utf-8", **(more or {})}
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": text.encode()})


def _with_headers(send: Send) -> Send:
    async def outgoing(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            raw = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *raw]}
        await send(message)

    return outgoing


def _limited(receive: Receive) -> Receive:
    """Refuse a body that is longer than it said."""
    taken = 0

    async def incoming() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > LONGEST_BODY else message

    return incoming
