"""The page of a listening test, served by Python's own HTTP server: a few files, the sounds, and answers as they come.

It listens on this machine alone unless told otherwise. What is served is named in the test; what is taken is JSON of a
few hundred bytes, and each value is checked before it is kept. Nothing is logged, not even what goes wrong, such as a
listener who closes the page while it loads: an address is nobody's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

from kantor.errors import KantorError, OptionError
from kantor.listening.answers import FILE, Answer, Answers
from kantor.listening.design import Test
from kantor.listening.folder import AUDIO

__all__ = ["HOST", "PORT", "Server"]

HOST, PORT = "127.0.0.1", 8402
LARGEST = 4096  # bytes of an answer
_PAGES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
_SOUNDS = (("mp3", "audio/mpeg"), ("wav", "audio/wav"))
_NAME = re.compile(r"[0-9a-z]{1,40}")
_SIZE = re.compile(r"[0-9]{1,6}")
#: What a browser may load: this page's own files, nothing from elsewhere.
_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Server(ThreadingHTTPServer):
    """Serves the test in ``folder``; ``serve_forever`` runs it, ``url`` says where.

    Parameters
    ----------
    host  an address of this machine; "0.0.0.0" lets others in.
    port  0 takes a free one.

    Raises
    ------
    InputError
        If there is no test in the folder.
    OptionError
        If the address or the port cannot be used.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path, host: str = HOST, port: int = PORT) -> None:
        self.test = Test.load(folder)
        self.answers = Answers(folder / FILE, self.test)
        self.sounds = folder / AUDIO
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OptionError(f"cannot serve at {host}:{port} ({reason.lower()}); try another --port.") from error

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: the traceback that would be printed names the listener's address."""

    @property
    def url(self) -> str:
        """Where the page is."""
        host, port = self.server_address[:2]
        return f"http://{str(host).replace('0.0.0.0', 'localhost')}:{port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a silent connection may take

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
        """Nothing: who asked for what is not kept."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path in _PAGES:
            name, kind = _PAGES[path]
            data = resources.files("kantor.listening").joinpath(name).read_bytes()
            self._send(data, f"{kind}; charset=utf-8")
        elif path == "/api/test":
            self._json(self.server.test.shown())
        elif path.startswith("/sound/"):
            self._sound(path.removeprefix("/sound/"))
        else:
            self._json({"error": "there is no such page"}, HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        known: dict[str, Callable[[dict[str, Any]], Any]] = {
            "/api/begin": self._begin,
            "/api/level": self._level,
            "/api/headphones": self._headphones,
            "/api/answer": self._answer,
        }
        said = self._said()
        if isinstance(said, HTTPStatus) or self.path not in known:
            self.close_connection = True  # what is left of the request is not read
            status = said if isinstance(said, HTTPStatus) else HTTPStatus.BAD_REQUEST
            self._json({"error": f"expected an answer as JSON, of {LARGEST} bytes at most"}, status)
            return
        try:
            self._json(known[self.path](said))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            words = str(error) if isinstance(error, KantorError) else "expected an answer of this test's"
            self._json({"error": words}, HTTPStatus.BAD_REQUEST)

    def _said(self) -> dict[str, Any] | HTTPStatus:
        """The body, if it is one short JSON object, or what is wrong; a page from elsewhere cannot send that type."""
        size = self.headers.get("Content-Length", "")
        kind = self.headers.get("Content-Type", "").split(";")[0].strip()
        if kind != "application/json" or not _SIZE.fullmatch(size):
            return HTTPStatus.BAD_REQUEST
        if int(size) > LARGEST:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        try:
            said = json.loads(self.rfile.read(int(size)))
        except (ValueError, RecursionError):
            return HTTPStatus.BAD_REQUEST
        return said if isinstance(said, dict) else HTTPStatus.BAD_REQUEST

    def _begin(self, said: dict[str, Any]) -> dict[str, Any]:
        rater = said.get("rater")
        return self.server.answers.begin(rater if isinstance(rater, str) else None)

    def _level(self, said: dict[str, Any]) -> dict[str, Any]:
        self.server.answers.tell_level(str(said["rater"]), str(said["level"]))
        return {"kept": True}

    def _headphones(self, said: dict[str, Any]) -> dict[str, Any]:
        right = self.server.answers.tell_headphones(str(said["rater"]), [int(one) for one in said["said"]])
        return {"right": right, "of": len(self.server.test.headphones)}

    def _answer(self, said: dict[str, Any]) -> dict[str, Any]:
        value, heard = said["value"], float(said.get("heard", 0))
        if not isinstance(value, int) or not heard == heard:
            raise ValueError
        rater, item, question = (str(said[name]) for name in ("rater", "item", "question"))
        self.server.answers.answer(Answer(rater, item, question, value, heard))
        return {"kept": True}

    def _sound(self, name: str) -> None:
        for suffix, kind in _SOUNDS if _NAME.fullmatch(name) else ():
            file = self.server.sounds / f"{name}.{suffix}"
            if file.is_file():
                self._send(file.read_bytes(), kind, ranges=True)
                return
        self._json({"error": "there is no such sound"}, HTTPStatus.NOT_FOUND)

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        text = json.dumps(value)  # ASCII: half a surrogate pair goes back, too
        self._send(text.encode(), "application/json", status)

    def _send(self, data: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, *, ranges: bool = False) -> None:
        whole, span = len(data), self.headers.get("Range", "") if ranges else ""
        found = re.fullmatch(r"bytes=(\d{1,12})-(\d{0,12})", span)
        first = int(found[1]) if found else 0
        if found and first < whole:
            last = min(int(found[2]), whole - 1) if found[2] else whole - 1
            data, status = data[first : last + 1], HTTPStatus.PARTIAL_CONTENT
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "private, max-age=3600" if ranges else "no-store")
        if ranges:
            self.send_header("Accept-Ranges", "bytes")
        if status == HTTPStatus.PARTIAL_CONTENT:
            self.send_header("Content-Range", f"bytes {first}-{first + len(data) - 1}/{whole}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
