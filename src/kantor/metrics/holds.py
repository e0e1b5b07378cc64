"""How much moves? Of four voices, how many cells hold the pitch of the sixteenth before, and how many notes begin.

A held and a repeated note are alike here, as in the grids of the literature. Onsets are counted after the first frame,
in which all begin; there a repeated note is one.
"""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Metric, Rate
from kantor.rules import SILENT

__all__ = ["PART"]


def _holds(hearing: Hearing) -> tuple[Rate, Rate]:
    now, before = hearing.cells[1:], hearing.cells[:-1]
    heard = np.minimum(now, before) > SILENT
    held = Rate(float(((now == before) & heard).sum()), float(heard.sum()))
    return held, Rate(float(hearing.view.struck[1:].sum()), float(hearing.frames))


PART = Metric(
    name="holds",
    about="how many cells of four voices hold, and how many notes begin in a sixteenth",
    source="Boulanger-Lewandowski et al. 2012 (the grid of the chorales)",
    figures=(
        Figure("hold-share", "share of sounding cells with the pitch of the sixteenth before", kind="rate"),
        Figure("onsets-per-frame", "notes that begin in a sixteenth, after the first", "notes", 0, 4, kind="rate"),
    ),
    of=_holds,
    needs=frozenset({"voices"}),
)
