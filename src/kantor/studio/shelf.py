"""The models that the studio plays: those of the package, each opened and loaded once in a process."""

from __future__ import annotations

from functools import cache

from kantor import bundle as bundles
from kantor.bundle import Bundle
from kantor.errors import UnknownNameError
from kantor.runtime import Model
from kantor.verbs._models import model_of, opened

__all__ = ["model_named", "names", "runtime_of"]


def names() -> tuple[str, ...]:
    """What can be asked for. Never a path: what a stranger asks for is no file of this machine."""
    return tuple(bundles.shipped())


@cache
def _opened(name: str) -> Bundle:
    return opened(name)


@cache
def _loaded(name: str) -> Model:
    return model_of(_opened(name))


def model_named(name: str) -> Bundle:
    """The model, opened.

    Raises
    ------
    UnknownNameError
        If the package has none of this name.
    """
    if name not in names():
        raise UnknownNameError("model", name[:60], names())
    return _opened(name)


def runtime_of(bundle: Bundle) -> Model:
    """What runs it; shared by all pieces of a thread."""
    return _loaded(bundle.name)
