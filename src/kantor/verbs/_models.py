"""Which model a verb works with."""

from __future__ import annotations

from pathlib import Path

from kantor import bundle as bundles
from kantor.bundle import Bundle
from kantor.runtime import Model, Runtime

__all__ = ["model_of", "opened"]


def opened(model: str | Path | Bundle) -> Bundle:
    """A shipped model by name, a model folder, or a bundle that is open already.

    Raises
    ------
    UnknownNameError, BundleError
        If there is no such model, or its parts do not belong together.
    """
    return model if isinstance(model, Bundle) else bundles.load(model)


def model_of(bundle: Bundle, threads: int = 1) -> Model:
    """What runs it; one thread is quickest for a stream, 0 takes every core, for whole pieces."""
    return Runtime(bundle, threads)
