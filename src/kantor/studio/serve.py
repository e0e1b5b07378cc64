"""``kantor studio``: the server, its address, and the browser that opens it."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import webbrowser
from collections.abc import Callable
from typing import Any

from kantor.errors import OptionError
from kantor.studio.cores import cores

__all__ = ["PORT", "serve"]

PORT = 7420
MAX_MESSAGE = 4 * 2**20  # bytes: a prompt of 20,000 notes has half of it
CONNECTIONS = 2_500  # at a time: a thousand pages that play, and what they ask for beside
PING = 2.0  # seconds between a socket's signs of life, and
PONG = 2.5  # how long one may take: a lost socket is known of within 5 s


def serve(
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    browser: bool = True,
    soundfont: str | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the studio until it is interrupted.

    Parameters
    ----------
    host       an address of this machine; whatever is not this machine's loopback opens the studio to others.
    port       0 takes any that is free.
    browser    open the page in one.
    soundfont  a SoundFont to play on; see :func:`kantor.render.audio.find_soundfont`.
    workers    processes that compose; as many as there are cores, up to 4, unless given.
    say        told the address, and what is open to whom.

    Raises
    ------
    OptionError
        If the address is not this machine's, or the port is taken.
    FileFormatError
        If the SoundFont is not there.
    """
    import uvicorn

    from kantor.studio.app import Settings, create
    from kantor.studio.gate import LOCAL

    if soundfont is not None:
        from kantor.render.audio import find_soundfont

        find_soundfont(soundfont)
    listening = _bound(host, port)
    port = int(listening.getsockname()[1])
    local = _is_local(host)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}/"
    count = workers or min(cores(), 4)
    settings = Settings(hosts=(*LOCAL, shown.lower()) if local else (), workers=count, soundfont=soundfont)
    options: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False, "lifespan": "on"}
    options |= {
        "limit_concurrency": CONNECTIONS,
        "ws_max_size": MAX_MESSAGE,
        "ws_ping_interval": PING,
        "ws_ping_timeout": PONG,
    }
    options |= {"ws_per_message_deflate": False, "timeout_graceful_shutdown": 1}
    application = create(settings)
    config = uvicorn.Config(application, **options)

    # uvicorn calls it an error when a socket is refused
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing handshake" not in record.msg)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            say(f"Kantor's studio: {address}   (Ctrl-C ends it)")
            if not local:
                say(f"It is open to every machine that reaches {shown}:{port}; whoever does can compose on this one.")
            if browser:
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            application.ending()
            await super().shutdown(sockets)

    try:
        Server(config).run([listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there."""
    if not 0 <= port <= 65535:
        raise OptionError(f"expected a port within 0..65535, got {port}; try {PORT}.")
    try:
        family, kind, proto, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, proto)
    except (OSError, UnicodeError) as error:
        raise OptionError(f"expected an address of this machine as --host, got '{host}'; try 127.0.0.1.") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise OptionError(
            f"expected a port that is free and an address of this machine, got {host}:{port} ({error.strerror}); "
            f"try --port {min(port + 1, 65535)}."
        ) from error
    return listening


def _is_local(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
