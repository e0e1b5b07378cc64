"""The REST routes: every verb of the command line that a page has use for, typed. ``/docs`` shows them."""

# no postponed annotations here: FastAPI reads them

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

import kantor
from kantor.studio import bodies
from kantor.studio.gate import MAX_UPLOAD, TOO_LARGE
from kantor.studio.hub import Hub
from kantor.studio.messages import PieceJson
from kantor.studio.pool import Pool, Refused, Sent

__all__ = ["ERRORS", "RETRY", "SHAPES", "failed", "routes"]

RETRY = {"Retry-After": "10"}  # seconds
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": bodies.ErrorJson, "description": "What was asked for cannot be followed."},
    404: {"model": bodies.ErrorJson, "description": "There is no such model."},
    413: {"model": bodies.ErrorJson, "description": "Too large."},
    422: {"model": bodies.ErrorJson, "description": "Another shape than this route takes."},
    503: {"model": bodies.ErrorJson, "description": "The studio is busy."},
}
FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FORM = {"schema": {"type": "object", "properties": {"file": FILE["schema"]}, "required": ["file"]}}
UPLOAD: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": FORM, "application/octet-stream": FILE}}
}


class Post(NamedTuple):
    """A route: its path, the function of the desk behind it, the shape of its body, and of its answer."""

    path: str
    function: str
    shape: str
    answers: Any
    about: str


POSTS = (
    Post("generate", "generate", "Generate", bodies.Pieces, "Compose pieces from nothing."),
    Post("continue", "continue_", "Continue", bodies.Pieces, "Go on from a score; it stays as it is."),
    Post("harmonize", "harmonize", "Harmonize", bodies.Pieces, "Set a line for four voices; the line stays as it is."),
    Post("infill", "infill", "Infill", bodies.Pieces, "Compose what is selected anew; all else stays to the tick."),
    Post("variations", "variations", "Variations", bodies.Pieces, "Several takes of one request."),
    Post("replay", "replay", "Replay", PieceJson, "Make a piece again from its recipe: the same notes."),
    Post("check", "check", "Check", bodies.Checked, "The faults of a score under rules."),
    Post("surprise", "surprise", "SurpriseOf", bodies.Surprise, "How unlikely each note was to a model."),
    Post("choices", "choices", "ChoicesOf", bodies.Choices, "What a model might have chosen in place of a note."),
    Post(
        "engrave", "engrave", "Engrave", bodies.Engraved, "A score as engraved SVG pages, with the times of its notes."
    ),
)
#: The shapes of all JSON bodies, by their routes.
SHAPES = {**{f"/api/{post.path}": post.shape for post in POSTS}, "/api/save/{kind}": "Save"}


def failed(status: int, text: str) -> Response:
    """An error as every route has it: one sentence."""
    said = text.encode("utf-8", "replace").decode()
    return JSONResponse({"error": said}, status, headers=RETRY if status == 503 else None)


def _answered(answer: Any) -> Response:
    if isinstance(answer, Refused):
        return failed(*answer)
    return Response(answer, media_type="application/json")


def routes(pool: Pool, hub: Hub, soundfont: str | None) -> APIRouter:
    """All of them, at work in ``pool``."""
    router = APIRouter(prefix="/api", responses=ERRORS)
    kept: dict[str, bytes] = {}

    async def once(name: str) -> Response:
        """What does not change while the server runs."""
        if name not in kept:
            kept[name] = await asyncio.to_thread(_listed, name)
        return Response(kept[name], media_type="application/json")

    @router.get("/models", response_model=list[bodies.ModelJson])
    async def models() -> Response:
        """The models in the package."""
        return await once("models")

    @router.get("/rules", response_model=list[bodies.RuleJson])
    async def rules() -> Response:
        """Every rule that may be asked for."""
        return await once("rules")

    @router.get("/instruments", response_model=list[bodies.InstrumentJson])
    async def instruments() -> Response:
        """The instruments of General MIDI."""
        return await once("instruments")

    @router.get("/presets", response_model=list[bodies.PresetJson])
    async def presets() -> list[bodies.PresetJson]:
        """One-click beginnings."""
        from kantor.studio.presets import PRESETS

        return list(PRESETS)

    @router.get("/status", response_model=bodies.Status)
    async def status() -> bodies.Status:
        """Whether there is room for another session."""
        return bodies.Status(version=kantor.__version__, sessions=len(hub), room=hub.room)

    for path, function, shape, answers, about in POSTS:
        router.add_api_route(
            f"/{path}",
            _route(pool, function, shape),
            methods=["POST"],
            name=function,
            response_model=answers,
            description=about,
        )

    @router.post("/read", response_model=bodies.Read, openapi_extra=UPLOAD)
    async def read(
        request: Request,
        name: Annotated[str | None, Query(max_length=200, description="of a file sent as bytes")] = None,
    ) -> Response:
        """The score in a MIDI, MusicXML or grid CSV file."""
        data, called = await _uploaded(request, name)
        if len(data) > MAX_UPLOAD:
            return failed(413, TOO_LARGE)
        return _answered(await pool.run("read", data, called))

    @router.post(
        "/save/{kind}", response_class=Response, responses={200: {"content": {"application/octet-stream": FILE}}}
    )
    async def save(request: Request, kind: Literal["mid", "musicxml", "wav", "mp3", "svg", "csv"]) -> Response:
        """A score as a file; its recipe goes along where the format can carry it."""
        answer = await pool.run("save", await _sent(request, "Save"), kind, soundfont)
        if isinstance(answer, Refused):
            return failed(*answer)
        data, media = answer
        return Response(
            data, media_type=media, headers={"Content-Disposition": f'attachment; filename="kantor.{kind}"'}
        )

    return router


def _route(pool: Pool, function: str, shape: str) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        return _answered(await pool.run(function, await _sent(request, shape)))

    return route


async def _sent(request: Request, shape: str) -> Sent:
    """A body of JSON, unread: that is the desk's work."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(422, f"expected a body of application/json, got {kind[:60] or 'none that is named'}.")
    return Sent(shape, await request.body())


def _listed(name: str) -> bytes:
    """A list of the catalogue's, as JSON."""
    from kantor.studio import catalog
    from kantor.studio.pool import as_json

    answer: bytes = as_json(getattr(catalog, name)())
    return answer


async def _uploaded(request: Request, name: str | None) -> tuple[bytes, str]:
    """The bytes of a file and its name, from a form or as they are."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body(), name or ""
    try:
        async with request.form(max_files=1, max_fields=8) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise HTTPException(422, "expected a form with a file in its field 'file', got none.")
            return await file.read(), file.filename or name or ""
    except MultiPartException as error:
        raise HTTPException(400, f"expected a form with a file, got a damaged one: {error.message}") from error


def font_route(soundfont: str | None) -> APIRouter:
    """``/soundfont``: what the page plays on."""
    router = APIRouter()

    @router.get("/soundfont", response_class=FileResponse, responses={404: ERRORS[404]})
    async def font(request: Request) -> Response:
        """The SoundFont: the one that was named, else the first that is found."""
        from kantor.errors import FileFormatError
        from kantor.render.audio import find_soundfont

        try:
            path = await asyncio.to_thread(find_soundfont, soundfont)
        except FileFormatError as error:
            return failed(404, str(error))
        tag = f'"{_tag(path)}"'
        headers = {"ETag": tag, "Cache-Control": "private, max-age=86400"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    return router


def _tag(path: Path) -> str:
    """What tells this file from another, or from what it was."""
    known = path.stat()
    return hashlib.sha256(f"{path}:{known.st_size}:{known.st_mtime_ns}".encode()).hexdigest()[:24]
