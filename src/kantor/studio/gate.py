"""What comes before every route: who may ask, how much may come, and what a browser may do with the answer.

A page of another site cannot use the studio behind its user's back: a request that names another origin is refused,
sockets as well; and unless the studio has been opened to others, so is one that calls it by another name than this
machine's, as DNS rebinding does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LOCAL", "MAX_BODY", "POLICY", "Gate"]

LOCAL = ("localhost", "127.0.0.1", "[::1]")
MAX_UPLOAD = 10 * 2**20
MAX_BODY = MAX_UPLOAD + 2**16  # a form around an upload
TOO_LARGE = f"expected {MAX_UPLOAD >> 20} MB at most, got more; cut it, or use the command line."

#: Nothing from anywhere else; WebAssembly and blobs for the synthesiser's worklet, styles as engraved pages have them.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval' blob:",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Gate:
    """The gate before an application.

    Parameters
    ----------
    hosts  names that the studio may be called by; any where there are none.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = LOCAL) -> None:
        self._app, self._hosts = app, frozenset(hosts)

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
        length = headers.get(b"content-length", "0")
        body = await _whole(receive) if length.isdigit() and int(length) <= MAX_BODY else None
        if body is None:
            await _refuse(scope, send, 413, TOO_LARGE)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return messages.pop() if messages else await receive()

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message.get("headers", ())}
                more = [(name, value) for name, value in HEADERS if name not in own]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await self._app(scope, replayed, dressed)


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
    await send({"type": f"{kind}.start", "status": status, "headers": [*headers, *HEADERS, (b"connection", b"close")]})
    await send({"type": f"{kind}.body", "body": body})
