"""Files of public corpora: fetched once, checked, and kept in the cache. Later uses never touch the network.

What is trusted
---------------
- Where a file's SHA-256 is known, it stands in the code, and nothing of the file is used before it agrees. Then it
  does not matter where the bytes come from.
- Where nobody publishes one, the file is trusted at its first use: its SHA-256 is written beside it, in the format of
  ``sha256sum``, said so on screen, and has to agree at every later use, and when the file is ever fetched again.

What comes is written to ``NAME.part`` and moved to its name when it is whole and right. A download that is cut short
goes on where it stopped (RFC 9110, sections 13.1.5 and 14: ``Range`` and ``If-Range``), or begins again where the
server cannot or the file has changed. The licence is shown before the first byte is asked for.

Elsewhere
---------
``KANTOR_MIRROR`` names a place that holds the same files under the same names: an address
(``https://my.host/kantor``), or a folder, for machines without a network. It stands in for the servers of all
corpora. Proxies are those of the usual variables (``HTTPS_PROXY``). The cache is that of ``KANTOR_CACHE``; the files
lie in its folder ``corpora``.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kantor.corpora._progress import progress as patience
from kantor.corpora._store import cache_dir
from kantor.corpora._unpack import unpack
from kantor.errors import InputError, OptionError, OutputError

if sys.platform != "win32":
    import fcntl

__all__ = ["Source", "fetch", "fetch_folder"]

_TIMEOUT_SECONDS = 30.0  # of silence
_CHUNK = 2**16
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Source:
    """A file on the net.

    Attributes
    ----------
    url         where it is; the last part of the path is its name in the cache.
    licence     who owns it and what may be done with it; shown before it is downloaded.
    size_bytes  its size, or about.
    sha256      its checksum in hexadecimal, or None where none is published: trust on first use.
    """

    url: str
    licence: str
    size_bytes: int
    sha256: str | None = None

    @property
    def name(self) -> str:
        """What the file is called."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.url).path.rsplit("/", 1)[-1])


def fetch(source: Source, *, progress: bool = True, vet: Callable[[Path], object] | None = None) -> Path:
    """Where the file of ``source`` lies, downloaded if it is not there yet; ``progress`` shows a bar on stderr.

    ``vet`` is called with the path of a file that has just come, before it is kept or trusted. If it raises InputError,
    the file is removed.

    Raises
    ------
    InputError
        If the file cannot be had, came only in part (the same command goes on then), or is not the right one (then it
        is removed).
    OutputError
        If it cannot be written.
    """
    place = _room() / source.name
    if not _is_kept(place, source):
        with _alone(place):
            if not _is_kept(place, source):
                _download(source, place, progress, vet)
    return place


def fetch_folder(source: Source, keep: Mapping[str, str], *, limit_bytes: int, progress: bool = True) -> Path:
    """The folder with the files out of the archive ``source``, downloaded and unpacked if it is not there yet.

    ``keep`` says which files, by suffix, and into which subfolder each kind goes; ``limit_bytes`` is the most that may
    come out (see :func:`~kantor.corpora._unpack.unpack`). The archive itself is not kept.

    Raises
    ------
    InputError
        As for :func:`fetch`, or if the archive is damaged, larger than it may be, or reaches out of its folder.
    OutputError
        If something cannot be written.
    """
    place = _room() / source.name
    folder = place.with_name(source.name.split(".tar")[0].removesuffix(".zip"))

    def empty_out(archive: Path) -> None:
        _say(f"Unpacking {source.name} ...")
        unpack(archive, folder, keep, name=source.name, limit_bytes=limit_bytes)

    if not folder.is_dir():
        with _alone(place):
            if not folder.is_dir():
                _download(source, place, progress, empty_out)
                with contextlib.suppress(OSError):
                    place.unlink()
    return folder


# ---- what is kept, and what it is checked against ----


def _room() -> Path:
    return cache_dir() / "corpora"


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _is_kept(place: Path, source: Source) -> bool:
    """Whether the right file is in the cache; a wrong one is fetched again, if it is known what would be right."""
    expected = source.sha256 or _recorded(place)
    if expected is None or not place.is_file():
        return False
    if _sha256(place) == expected:
        return True
    if source.sha256:
        return False
    text = f"expected in '{place}' the file whose SHA-256 was recorded at its first use, got another"
    raise InputError(f"{text}; try deleting it: it is then downloaded again, and has to agree with the record.")


def _recorded(place: Path) -> str | None:
    """The checksum written down when the file was first used."""
    with contextlib.suppress(OSError, UnicodeDecodeError, IndexError):
        return _beside(place, ".sha256").read_text(encoding="ascii").split()[0]
    return None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"expected to read '{path}', got: {_reason(error)}; try deleting it.") from error


def _download(source: Source, place: Path, progress: bool, vet: Callable[[Path], object] | None) -> None:
    """Fetch, check, vet, keep: in this order, so that whatever bears its own name is right."""
    part = _beside(place, ".part")
    url = _address(source)
    if not _is_whole(part, url):
        _receive(source, url, part, progress)
    digest = _sha256(part)
    try:
        _check(digest, source, url, place)
        if vet is not None:
            vet(part)
    except InputError:
        _forget(part)
        raise
    try:
        if not source.sha256:
            _beside(place, ".sha256").write_text(f"{digest}  {place.name}\n", encoding="ascii", newline="\n")
        part.replace(place)
    except OSError as error:
        raise _cannot_keep(place, error) from error
    _forget(part)


def _check(digest: str, source: Source, url: str, place: Path) -> None:
    expected = source.sha256 or _recorded(place)
    if expected in (None, digest):
        return
    came = f"'{source.name}' with the SHA-256 {expected}, got {digest} from {url}"
    if source.sha256:
        raise InputError(f"expected {came}; the file is removed: try again, or another KANTOR_MIRROR.")
    record = _beside(place, ".sha256")
    text = f"expected {came}, not the file that was first used; it is removed"
    raise InputError(f"{text}: try again, or delete '{record}' if its makers are known to have changed it.")


def _forget(part: Path) -> None:
    for path in (part, _beside(part, ".json")):
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Hold a lock that no other download of the same file has; wait for it where another one is under way."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = _beside(place, ".lock").open("ab")
    except OSError as error:
        raise _cannot_keep(place, error) from error
    with lock:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # file systems without locks
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    _say(f"Waiting for another download of {place.name} ...")
                    fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---- what comes over the net ----


def _address(source: Source) -> str:
    """Where to fetch from: the file's own place, or that of the same name on the mirror."""
    mirror = os.environ.get("KANTOR_MIRROR", "").strip()
    if not mirror:
        return source.url
    if urllib.parse.urlsplit(mirror).scheme in ("https", "http", "file"):
        return f"{mirror.rstrip('/')}/{urllib.parse.quote(source.name)}"
    if Path(mirror).is_dir():
        return (Path(mirror).resolve() / source.name).as_uri()
    raise OptionError(f"expected an address (https://...) or a folder in KANTOR_MIRROR, got '{mirror}'.")


def _receive(source: Source, url: str, part: Path, progress: bool) -> None:
    """Write what is missing to ``part``."""
    begun, validator = _begun(source, url, part)
    _announce(source, url, part, begun)
    with _answer(source, url, begun, validator) as (response, begun):
        total = _total(response, begun)
        _make_room(source, part, (total or source.size_bytes) - begun)
        try:
            with part.open("ab" if begun else "wb") as file:
                if not begun:
                    state = {"url": url, "validator": _validator(response), "size_bytes": total}
                    _beside(part, ".json").write_text(json.dumps(state), encoding="utf-8")
                done = _copy(source, response, file, begun, total or source.size_bytes, progress)
        except OSError as error:
            raise _cannot_keep(part, error, " What came is kept: the same command goes on.") from error
    if total is not None and done < total:
        raise _cut_short(source, done, total, "the connection closed")


def _begun(source: Source, url: str, part: Path) -> tuple[int, str]:
    """Bytes that can be kept of an earlier attempt, and what tells whether the file is still the same."""
    state = _state(part)
    validator = str(state.get("validator") or "")
    if state.get("url") != url or not (validator or source.sha256):
        return 0, ""
    return part.stat().st_size, validator


def _is_whole(part: Path, url: str) -> bool:
    """Whether all has come already, and only what follows did not succeed, as on a full disk."""
    state = _state(part)
    return state.get("url") == url and state.get("size_bytes") == part.stat().st_size


def _state(part: Path) -> dict[str, Any]:
    """What is known of an earlier attempt; empty where there was none."""
    with contextlib.suppress(OSError, ValueError):
        state = json.loads(_beside(part, ".json").read_text(encoding="utf-8"))
        if isinstance(state, dict) and part.is_file():
            return state
    return {}


@contextlib.contextmanager
def _answer(source: Source, url: str, begun: int, validator: str) -> Iterator[tuple[Any, int]]:
    """The server's answer, and the byte at which it starts: ``begun``, or 0 where the server begins again."""
    try:
        response = _open(url, begun, validator)
        if begun and not _goes_on(response, begun):
            if response.status == http.client.PARTIAL_CONTENT:  # a part that was not asked for
                response.close()
                response = _open(url, 0, "")
            begun = 0
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(source, url, f"{error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _refused(source, url, _reason(error)) from error
    with response:
        yield response, begun


def _open(url: str, begun: int, validator: str) -> Any:
    headers = {"User-Agent": "kantor", "Accept-Encoding": "identity"}
    if begun:
        headers |= {"Range": f"bytes={begun}-"} | ({"If-Range": validator} if validator else {})
    opener = urllib.request.build_opener(_StayEncrypted)
    try:
        return opener.open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if not begun or error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        return _open(url, 0, "")


class _StayEncrypted(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but never from an encrypted address to one that is not."""

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:
        """The request to send next; ``rest`` ends with its address."""
        if req.type == "https" and urllib.parse.urlsplit(rest[-1]).scheme != "https":
            raise urllib.error.URLError("it leads to an address that is not encrypted")
        return super().redirect_request(req, *rest)


def _goes_on(response: Any, begun: int) -> bool:
    range_ = str(response.headers.get("Content-Range", ""))
    return response.status == http.client.PARTIAL_CONTENT and range_.startswith(f"bytes {begun}-")


def _total(response: Any, begun: int) -> int | None:
    """Size of the whole file in bytes, if the server says."""
    length = response.headers.get("Content-Length", "")
    return begun + int(length) if str(length).isdecimal() else None


def _validator(response: Any) -> str:
    """What ``If-Range`` may be asked with: a strong entity tag, or the date of the last change."""
    tag = response.headers.get("ETag", "")
    return str(tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", ""))


def _copy(source: Source, response: Any, file: IO[bytes], begun: int, total: int, progress: bool) -> int:
    """Write all of ``response`` to ``file`` under a bar that counts megabytes; the bytes now there."""
    done, shown = begun, 0
    with patience(f"downloading {source.name}, MB", -(-total // _MEGABYTE), shown=progress) as advance:
        while True:
            try:
                chunk = response.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise _cut_short(source, done, total, _reason(error)) from error
            if not chunk:
                return done
            file.write(chunk)
            done += len(chunk)
            if done > 2 * max(total, source.size_bytes):  # where the server says no size
                raise _refused(source, response.url, f"more than {_megabytes(done)}")
            for _ in range(done // _MEGABYTE - shown):
                advance()
            shown = done // _MEGABYTE


# ---- what is said ----


def _announce(source: Source, url: str, part: Path, begun: int) -> None:
    verb = f"Going on after {_megabytes(begun)} with" if begun else "Downloading"
    host = urllib.parse.urlsplit(url).hostname or "the folder in KANTOR_MIRROR"
    _say(f"{verb} {source.name} ({_megabytes(source.size_bytes)}) from {host} into {part.parent}.")
    _say(f"Licence: {source.licence}")
    if not source.sha256:
        _say("Nobody publishes its checksum: its SHA-256 is recorded at this first use, and checked from then on.")


def _say(text: str) -> None:
    from rich.console import Console  # not before it is needed: reading from the cache says nothing

    Console(stderr=True, soft_wrap=True).print(text, markup=False, highlight=False)


def _make_room(source: Source, part: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < size_bytes:
        text = f"expected {_megabytes(size_bytes)} free for '{source.name}' in '{part.parent}', got {_megabytes(free)}"
        raise OutputError(f"{text}; try another folder by KANTOR_CACHE.")


def _cut_short(source: Source, done: int, total: int, reason: str) -> InputError:
    text = f"expected {_megabytes(total)} of '{source.name}', got {_megabytes(done)} and then: {reason}"
    return InputError(f"{text}; try the same command again: it goes on from there if the server can.")


def _refused(source: Source, url: str, reason: str) -> InputError:
    text = f"expected '{source.name}' at {url}, got: {reason}"
    return InputError(f"{text}; try again when it can be had, or name another place that has it by KANTOR_MIRROR.")


def _cannot_keep(path: Path, error: OSError, more: str = "") -> OutputError:
    text = f"expected to keep '{path.name}' in '{path.parent}', got: {_reason(error)}"
    return OutputError(f"{text}; try another folder by KANTOR_CACHE.{more}")


def _reason(error: Exception) -> str:
    """What the system says, without its number: "connection refused"."""
    inner = getattr(error, "reason", error)
    return str(getattr(inner, "strerror", None) or inner or type(error).__name__).lower()


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MEGABYTE:.1f} MB"
