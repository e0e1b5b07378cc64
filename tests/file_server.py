"""A file server on this machine that can do what servers on the net do: go on, begin again, break off, refuse."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class FileServer:
    """Serves ``files`` by path; the other attributes say how well."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    tag: str | None = '"first"'  # of all files
    says_length: bool = True
    first_half: bool = False  # whatever part is asked for
    cuts: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    hangs: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent_bytes: int = 0
    address: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, request):
        self.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
        if self.hangs:
            self.over.wait()
            return
        data = self.files.get(request.path)
        if data is None:
            request.send_error(404)
            return
        if self.first_half and "Range" in request.headers:
            request.send_response(206)
            request.send_header("Content-Range", f"bytes 0-{len(data) // 2 - 1}/{len(data)}")
            request.end_headers()
            request.wfile.write(data[: len(data) // 2])
            return
        start = self.start(request, len(data))
        if start >= len(data) > 0:
            request.send_error(416)
            return
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if self.tag:
            request.send_header("ETag", self.tag)
        if self.says_length:
            request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        body = data[start:]
        if self.cuts:
            body = body[: self.cuts.pop(0)]
        self.sent_bytes += len(body)  # before the client can know
        request.wfile.write(body)

    def start(self, request, size):
        """The byte from which a client may have the file that it asks for."""
        wanted = request.headers.get("Range", "")
        same = request.headers.get("If-Range", self.tag) == self.tag
        return int(wanted.removeprefix("bytes=").removesuffix("-")) if self.ranges and wanted and same else 0


class Server(http.server.ThreadingHTTPServer):
    """A running server whose behaviour is its ``place``, a new one each time it is asked for."""

    daemon_threads = True
    place = FileServer()

    def fresh(self):
        """A place without files, in which nothing has been asked for."""
        self.place = FileServer(address=f"http://127.0.0.1:{self.server_port}")
        return self.place


@contextmanager
def running() -> Iterator[Server]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.place.answer(self)

        def log_message(self, *args):
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
