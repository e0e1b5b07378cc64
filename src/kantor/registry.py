"""Names -> parts. A room is a package; each of its public files holds one part, and bears its name.

The listing comes from the files alone, so asking what exists imports nothing (start-up stays short, an absent extra
harms nobody); a part's module is imported when it is asked for. The part is what the module calls ``PART``.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from kantor.errors import UnknownNameError

__all__ = ["names", "part"]


SINGULAR = {"corpora": "corpus"}


@cache
def names(room: str) -> tuple[str, ...]:
    """Names of the parts in ``kantor.<room>``, sorted; ``seed_000.py`` is named ``seed-000``."""
    package = importlib.import_module(f"kantor.{room}")
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(package.__path__) if m.name[0] != "_"))


def part(room: str, name: str) -> Any:
    """The part ``name`` of ``kantor.<room>``.

    Raises
    ------
    UnknownNameError
        If no file of the room bears that name; the nearest name and the whole list are offered.
    """
    if name not in names(room):
        raise UnknownNameError(SINGULAR.get(room, room.removesuffix("s")), name, names(room))
    return importlib.import_module(f"kantor.{room}.{name.replace('-', '_')}").PART
