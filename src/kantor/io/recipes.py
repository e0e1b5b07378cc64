"""A recipe as a line of text that any file can carry: as it is where it is plain ASCII, in base64 where not."""

from __future__ import annotations

import base64
import binascii

__all__ = ["pack", "unpack"]

_ENCODED = "base64,"


def pack(recipe: str) -> str:
    """``recipe`` as one line of printable ASCII; a recipe that is that already stays readable."""
    if recipe.isascii() and recipe.isprintable() and recipe == recipe.strip() and not recipe.startswith(_ENCODED):
        return recipe
    return _ENCODED + base64.b64encode(recipe.encode("utf-8", "replace")).decode("ascii")


def unpack(text: str) -> str:
    """The recipe that :func:`pack` made ``text`` of; empty where the text has been damaged."""
    if not text.startswith(_ENCODED):
        return text
    try:
        return base64.b64decode(text.removeprefix(_ENCODED), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
