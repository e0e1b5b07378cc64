"""Archives from the net, emptied into a folder with care: zip, and tar packed by gzip.

An archive is written by somebody else. So none of its paths is followed out of the folder ("zip slip"), links and
devices are passed over, and no more comes out than was expected ("zip bomb"). The folder appears when all is in it,
or not at all.
"""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from kantor.errors import FileFormatError, OutputError

__all__ = ["unpack"]

_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError, ValueError)
_OUTLAWED = re.compile(r'[<>:"|?*\x00-\x1f]')  # what no file on Windows may be called: names are the same everywhere


def unpack(archive: Path, folder: Path, keep: Mapping[str, str], *, name: str, limit_bytes: int) -> None:
    """Put the files of ``archive`` that end in one of ``keep`` into the new ``folder``, each kind in its subfolder.

    Parameters
    ----------
    archive      a zip or a tar.gz, told by its first bytes.
    folder       where to; it does not exist yet.
    keep         suffix in lower case, with its dot -> subfolder; paths within the archive are kept below it.
    name         what messages call the archive.
    limit_bytes  the most that all files of the archive may take together.

    Raises
    ------
    FileFormatError
        If the archive is damaged, too large, or has a path that leads out of it; ``folder`` is not there then.
    OutputError
        If ``folder`` cannot be written; it is not there then.
    """
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as place:
            filled = Path(place) / "filled"
            filled.mkdir()
            try:
                for path, stream in _files(archive, name, limit_bytes):
                    if (suffix := PurePosixPath(path).suffix.lower()) in keep:
                        _write(stream, filled / keep[suffix] / path)
            except FileFormatError:
                raise
            except _DAMAGE as error:
                text = f"expected a whole archive in '{name}', got a damaged one ({error})"
                raise FileFormatError(f"{text}; try downloading it again.") from error
            filled.rename(folder)
    except OSError as error:
        text = f"expected to unpack '{name}' into '{folder}', got: {(error.strerror or str(error)).lower()}"
        raise OutputError(f"{text}; try another folder by KANTOR_CACHE.") from error


def _files(archive: Path, name: str, limit_bytes: int) -> Iterator[tuple[str, IO[bytes]]]:
    """Path and contents of each file; the contents are to be read before the next."""
    with archive.open("rb") as raw:
        start = raw.read(2)
    if start == b"PK":
        yield from _zipped(archive, name, limit_bytes)
    elif start == b"\x1f\x8b":
        yield from _tarred(archive, name, limit_bytes)
    else:
        raise FileFormatError(f"expected a zip or a tar.gz in '{name}', got something else; try downloading it again.")


def _zipped(archive: Path, name: str, limit_bytes: int) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as packed:
        members = [member for member in packed.infolist() if not member.is_dir()]
        if sum(member.file_size for member in members) > limit_bytes:  # no more than file_size is ever read
            raise _too_large(name, limit_bytes)
        paths = [_inside(member.filename, name) for member in members]
        for member, path in zip(members, paths, strict=True):
            if (member.external_attr >> 16) & 0o170000 in (0, 0o100000):  # a regular file, or nobody knows
                with packed.open(member) as stream:
                    yield path, stream


def _tarred(archive: Path, name: str, limit_bytes: int) -> Iterator[tuple[str, IO[bytes]]]:
    with gzip.open(archive) as unzipped:
        limited: Any = _Limited(unzipped, name, limit_bytes)
        with tarfile.open(fileobj=limited, mode="r|") as packed:
            for member in packed:
                path = _inside(member.name, name)
                if not member.isreg() or member.issparse():
                    continue
                stream = packed.extractfile(member)
                if stream is not None:
                    yield path, stream


class _Limited:
    """A stream that gives no more than it may: what is read of a tar is all that can come out of it."""

    def __init__(self, stream: gzip.GzipFile, name: str, limit_bytes: int) -> None:
        self._stream, self._name, self._limit, self._left = stream, name, limit_bytes, limit_bytes

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._name, self._limit)
        return data


def _inside(path: str, name: str) -> str:
    """A path of the archive as one below the folder, of characters that every system has."""
    path = path.replace("\\", "/").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts:
        text = f"expected in '{name}' only files of its own folder, got the path '{path}'"
        raise FileFormatError(f"{text}, which leads out of it; nothing of it is used.")
    return "/".join(_OUTLAWED.sub("_", part) for part in parts)


def _write(stream: IO[bytes], target: Path) -> None:
    while target.exists():  # names that differ only where this system sees no difference
        target = target.with_stem(target.stem + "~")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(stream, file)


def _too_large(name: str, limit_bytes: int) -> FileFormatError:
    text = f"expected no more than {limit_bytes / 1e6:.0f} MB in '{name}', got an archive that holds more"
    return FileFormatError(f"{text}; nothing of it is used.")
