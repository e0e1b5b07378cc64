"""What may sound. A rule is one predicate: given what sounds, where are its faults? Written once, used everywhere.

From the predicate follow the mask of a single decision (try every class; what makes a new fault is not admitted), the
verdict on a finished score (its faults), and a soft rule's price (so many nats for each fault).

A rule sees a :class:`View`: the pitches that sound in some frames of a grid, a column for each voice (or, where the
music has no voices, for each note that sounds), and which of them are struck there. What is not decided yet is OPEN,
and no fault: so a rule judges as soon as nothing that comes can mend what is wrong, whichever cell comes last.

Adding a rule is adding a file with a ``PART``: a frozen dataclass whose fields are its options (the first is what
stands behind "=" in ``--rule in-key=Gm``), of the shape of :class:`Rule`. The laws in ``tests/laws`` then hold for it.
What a rule reads off the plan it keeps in a table, made by ``bound`` (:mod:`kantor.rules._tables`). The dataclasses can
be had from here: ``from kantor.rules import NoParallels`` imports ``no_parallels.py``, and nothing else.
"""

from __future__ import annotations

from typing import Any

from kantor import registry
from kantor.rules._agreement import check_agreement
from kantor.rules._judge import faults, view_of
from kantor.rules._view import OPEN, SILENT, Fault, Mask, Pitches, Rule, View

__all__ = [
    "OPEN",
    "SILENT",
    "Fault",
    "Mask",
    "Pitches",
    "Rule",
    "View",
    "check_agreement",
    "faults",
    "view_of",
]


def __getattr__(name: str) -> Any:
    """The rule whose class bears this name: ``InKey`` is the part "in-key"."""
    for part in registry.names("rules") if name[:1].isupper() else ():
        if name == part.title().replace("-", ""):
            return registry.part("rules", part)
    raise AttributeError(f"module 'kantor.rules' has no attribute '{name}'")
