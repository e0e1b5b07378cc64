"""What comes before every route: who may ask, how much may come, and what a browser may do with the answer.

A page of another site cannot use the studio behind its user's back: a request that names another origin is refused,
sockets as well; and unless the studio has been opened to others, so is one that calls it by another name than this
machine's, as DNS rebinding does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LOCAL", "MAX_BODY", "MAX_HELD", "POLICY", "READING", "Gate"]

LOCAL = ("localhost", "127.0.0.1", "[::1]")
MAX_UPLOAD = 10 * 2**20
MAX_BODY = MAX_UPLOAD + 2**16  # a form around an upload
MAX_HELD = 32 * MAX_BODY  # bytes of bodies at a time
READING = 60.0  # seconds that a body may take to come
TOO_LARGE = f"expected {MAX_UPLOAD >> 20} MB at most, got more; cut it, or use the command line."
TOO_SLOW = "expected the whole of this request within {:g} s, got a part of it; try again, or with less."
TOO_MANY = "the studio is busy; try again in a few seconds."

#: Nothing from anywhere else, and nothing within a page but what its files say; WebAssembly for the synthesiser.
_PLAIN = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self'",
    "img-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
POLICY = "; ".join(f"{name} {value}" for name, value in _PLAIN.items())
#: The page of the routes is Swagger's own, which has pictures and styles within it.
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Gate:
    """The gate before an application.

    Parameters
    ----------
    hosts    names that the studio may be called by; any where there are none.
    reading  seconds that a body may take to come.
    ending   ends the work that is being done, so that who waits for it is answered before the server goes.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = LOCAL,
        *,
        reading: float = READING,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        self.ending = ending
        self._app, self._hosts, self._reading = app, frozenset(hosts), reading
        self._held = 0  # bytes of the bodies that are here, or may come

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if refused := self._refused(headers):
            await _refuse(scope, send, 403, refused)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._http(scope, receive, send, headers)

    def _refused(self, headers: dict[bytes, str]) -> str:
        """Why it is refused; empty where it is not."""
        host = headers.get(b"host", "")
        name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
        if self._hosts and name.lower() not in self._hosts:
            return "expected to be called by this machine's own name; open the address that kantor studio printed."
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return "expected a request of the studio's own page, got one of another site."
        return ""

    async def _http(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, str]) -> None:
        size = _promised(headers)
        if size > MAX_BODY:
            await _refuse(scope, send, 413, TOO_LARGE)
        elif self._held + size > MAX_HELD:
            await _refuse(scope, send, 503, TOO_MANY)
        else:
            self._held += size
            try:
                await self._answered(scope, receive, send)
            finally:
                self._held -= size

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._reading):
                body = await _whole(receive)
        except TimeoutError:
            await _refuse(scope, send, 408, TOO_SLOW.format(self._reading))
            return
        if body is None:
            await _refuse(scope, send, 413, TOO_LARGE)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return messages.pop() if messages else await receive()

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message.get("headers", ())}
                more = [(name, value) for name, value in _dress(scope) if name not in own]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await self._app(scope, replayed, dressed)


def _dress(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers that every answer has."""
    policy = DOCS_POLICY if scope["path"].rstrip("/") == "/docs" else POLICY
    return [(b"content-security-policy", policy.encode()), *HEADERS]


def _promised(headers: dict[bytes, str]) -> int:
    """How many bytes a body has at most, as its headers say."""
    if b"transfer-encoding" in headers:
        return MAX_BODY
    length = headers.get(b"content-length", "0")
    return int(length) if length.isdigit() and len(length) < 20 else MAX_BODY + 1


async def _whole(receive: Receive) -> bytes | None:
    """The body of a request; None if it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _refuse(scope: Scope, send: Send, status: int, text: str) -> None:
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    body = json.dumps({"error": text}).encode()
    headers: list[Any] = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"retry-after", b"10")] if status == 503 else []
    await send(
        {"type": f"{kind}.start", "status": status, "headers": [*headers, *_dress(scope), (b"connection", b"close")]}
    )
    await send({"type": f"{kind}.body", "body": body})
