"""What stands over the bass? The pitch classes above the lowest note that sounds, sixteenth by sixteenth."""

from __future__ import annotations

import numpy as np

from kantor.metrics import Figure, Hearing, Histogram, Metric

__all__ = ["PART"]

NAMES = ("1", "b2", "2", "b3", "3", "4", "#4", "5", "b6", "6", "b7", "7")


def _above(hearing: Hearing) -> tuple[Histogram]:
    lowest = hearing.lowest
    there = lowest < 128
    rolled = (np.arange(12) + lowest[there, None]) % 12
    heard = np.take_along_axis(hearing.sounding[there] > 0, rolled, axis=1)
    return (Histogram(heard.sum(axis=0).astype(np.float64)),)


PART = Metric(
    name="above-bass",
    about="which intervals stand over the bass",
    source="figured bass, as C. P. E. Bach has it (Versuch, 1762)",
    figures=(
        Figure(
            "above-bass", "sixteenths by pitch classes above the bass", "sixteenths", kind="histogram", labels=NAMES
        ),
    ),
    of=_above,
)
