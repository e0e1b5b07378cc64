"""The server: the page, its socket, the REST routes and their documentation, behind one gate."""

# no postponed annotations here: FastAPI reads them

import asyncio
import contextlib
import functools
import html
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

import kantor
from kantor.studio.described import described
from kantor.studio.gate import LOCAL, Gate
from kantor.studio.hub import PATIENCE, Hub, Link
from kantor.studio.pool import DEADLINE, Pool, misshapen
from kantor.studio.rest import RETRY, SHAPES, failed, font_route, routes

__all__ = ["STATIC", "Settings", "create"]

STATIC = Path(__file__).parent / "static"
ABOUT = (
    "Compose with models that learn from scores. Times are ticks, pitches MIDI numbers, nats surprises. "
    "The live socket is `/api/live`; docs/studio.md in the repository says what goes over it."
)
NO_PAGE = (
    "The studio's page has not been built: install the package (<code>pip install .</code>), or run "
    "<code>python hatch_build.py</code> in a clone. "
    "The <a href='/docs'>routes</a> work without it."
)
SWAGGER = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Kantor's studio: routes</title>
<link rel="stylesheet" href="/swagger/swagger-ui.css"></head><body><div id="swagger-ui"></div>
<script src="/swagger/swagger-ui-bundle.js"></script><script src="/docs/begin.js"></script></body></html>"""
BEGIN = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", validatorUrl: null, deepLinking: true});'


@dataclass(frozen=True)
class Settings:
    """How the server is run.

    Attributes
    ----------
    hosts      names it may be called by; none: any.
    workers    processes that compose live.
    threads    whether all work is done in threads: for tests.
    most       sessions at a time.
    keep       seconds that a session waits for its page.
    patience   seconds that a page may take to begin a piece.
    deadline   seconds that a REST request may take.
    warm       models to load before anybody asks.
    soundfont  a file to play on.
    static     where the built page lies.
    """

    hosts: tuple[str, ...] = LOCAL
    workers: int = 2
    threads: bool = False
    most: int = 1000
    keep: float = 600.0
    patience: float = PATIENCE
    deadline: float = DEADLINE
    warm: Sequence[str] = ("chorale", "melody", "roll", "notes")
    soundfont: str | None = None
    static: Path = STATIC


def create(settings: Settings = Settings()) -> Gate:
    """The application."""
    hub = Hub(
        settings.workers,
        threads=settings.threads,
        most=settings.most,
        keep=settings.keep,
        patience=settings.patience,
        warm=tuple(settings.warm),
    )
    pool = Pool(1 if settings.threads else 2, threads=settings.threads, deadline=settings.deadline)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        tasks = [asyncio.create_task(_sweep(hub, pool))]
        if not settings.threads:
            tasks.append(asyncio.create_task(pool.warm()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            pool.stop()
            await hub.stop()

    app = FastAPI(
        title="Kantor's studio",
        version=kantor.__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.include_router(routes(pool, hub, settings.soundfont))
    app.include_router(font_route(settings.soundfont))
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.add_exception_handler(HTTPException, _refused)

    @app.websocket("/api/live")
    async def live(socket: WebSocket, session: str = "") -> None:
        if hub.full and not hub.knows(session):
            full = JSONResponse({"error": "the studio is full; try again in a minute"}, 503, headers=RETRY)
            await socket.send_denial_response(full)
            return
        await socket.accept()
        await _converse(socket, hub)

    plain = app.openapi
    app.openapi = functools.cache(lambda: described(plain(), SHAPES))  # type: ignore[method-assign]
    _pages(app, settings.static)
    return Gate(app, settings.hosts, ending=pool.stop)


async def _sweep(hub: Hub, pool: Pool) -> None:
    while True:
        await asyncio.sleep(min(5.0, hub.keep / 4, hub.patience / 4, pool.deadline / 4))
        hub.expire()
        pool.expire()


# -- the socket --------------------------------------------------------------------------------------------------------


async def _converse(socket: WebSocket, hub: Hub) -> None:
    """Both directions of a socket, until one of them ends."""
    link = Link()
    hub.come(link)

    async def until_it_ends(direction: Callable[[WebSocket, Hub, Link], Awaitable[None]]) -> None:
        await direction(socket, hub, link)
        both.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as both:
            both.start_soon(until_it_ends, _send)
            both.start_soon(until_it_ends, _receive)
    finally:
        hub.leave(link)


async def _receive(socket: WebSocket, hub: Hub, link: Link) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await socket.receive()
            if message["type"] != "websocket.receive":
                return
            await link.room.acquire()
            text = message.get("text")
            # bytes are no message: what stands for them is refused as any garbage is
            hub.receive(link, text if text is not None else "bytes")


async def _send(socket: WebSocket, hub: Hub, link: Link) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            what = await link.outbox.get()
            if what is None:
                link.room.release()
            elif isinstance(what, str):
                await socket.send_text(what)
            else:
                await socket.close(*what)
                return
            hub.sent(link)


# -- errors ------------------------------------------------------------------------------------------------------------


async def _misshapen(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return failed(422, misshapen(error.errors()))


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = str(error.detail)
    plain = said == HTTPStatus(error.status_code).phrase  # the framework's own, which is no sentence
    response = failed(
        error.status_code, f"expected a route of the studio's, got none ({said}); see /docs." if plain else said
    )
    response.headers.update(error.headers or {})
    return response


# -- pages -------------------------------------------------------------------------------------------------------------


class _Built(StaticFiles):
    """The built page: names with a hash in them never change, all others are asked for anew."""

    def file_response(self, full_path: Any, *args: Any, **options: Any) -> Response:
        response = super().file_response(full_path, *args, **options)
        hashed = "/assets/" in Path(full_path).as_posix()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


def _pages(app: FastAPI, static: Path) -> None:
    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        if (static / "swagger" / "swagger-ui-bundle.js").is_file():
            return HTMLResponse(SWAGGER)
        rows = "".join(f"<li><code>{html.escape(path)}</code></li>" for path in app.openapi()["paths"])
        return HTMLResponse(f"<!doctype html><title>Routes</title><p>{NO_PAGE}</p><ul>{rows}</ul>")

    @app.get("/docs/begin.js", include_in_schema=False)
    async def begin() -> Response:
        return Response(BEGIN, media_type="text/javascript")

    if (static / "index.html").is_file():
        app.mount("/", _Built(directory=static, html=True))
        return

    @app.get("/", include_in_schema=False)
    async def missing() -> Response:
        return HTMLResponse(f"<!doctype html><title>Kantor's studio</title><p>{NO_PAGE}</p>", 503, headers=RETRY)
