"""A desk whose work lasts for as long as a test wants: until something is written into a named pipe."""

from __future__ import annotations

import os
from pathlib import Path


def until(path: str) -> bytes:
    return Path(path).read_bytes()


def niceness() -> bytes:
    return str(os.nice(0)).encode()


def falls() -> None:
    os._exit(3)


def defect() -> None:
    raise ZeroDivisionError
