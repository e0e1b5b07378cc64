"""What is no number, or no text, is refused in one sentence before a verb begins: Python lets anything be given.

The annotations of a verb say what its options are; only plain ones are looked at. Numbers of NumPy become Python's, as
recipes are JSON.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

from kantor.errors import OptionError

__all__ = ["plain"]

P = ParamSpec("P")
R = TypeVar("R")

#: How an annotation begins -> what is expected, of which type, and which type it becomes where it is not that.
KINDS: dict[str, tuple[str, type, type]] = {
    "int": ("a whole number, as 8", Integral, int),
    "float": ("a number, as 1.5", Real, float),
    "str": ("text", str, str),
}


def plain(verb: Callable[P, R]) -> Callable[P, R]:
    """The verb, which refuses options that are not of the plain type that it says, with an :class:`OptionError`."""
    kinds = {name: said.removesuffix(" | None") for name, said in verb.__annotations__.items()}
    optional = {name for name, said in verb.__annotations__.items() if said.endswith(" | None")}
    signature = inspect.signature(verb)

    @functools.wraps(verb)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        bound = signature.bind(*args, **options)
        for name, value in bound.arguments.items():
            if kinds.get(name) in KINDS and not (value is None and name in optional):
                bound.arguments[name] = _checked(name, value, *KINDS[kinds[name]])
        return verb(*bound.args, **bound.kwargs)

    return checked


def _checked(name: str, value: Any, expected: str, kind: type, plain_kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise OptionError(f"expected {expected}, for {name}, got {value!r}.")
    return value if isinstance(value, (int, plain_kind)) else plain_kind(value)
