"""A two-sided network of a few lines, and what must hold of any filled grid, written out by plain loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

CLASSES, HELD, OPEN = 93, 46, 93
NAMES = ("Soprano", "Alto", "Tenor", "Bass")


def alike(shown: np.ndarray) -> np.ndarray:
    """Every class alike, whatever is seen."""
    return np.zeros((*shown.shape, CLASSES))


def rambling(shown: np.ndarray) -> np.ndarray:
    """Anything, but by all that is seen, before and after, and much of it holds."""
    whole = (shown * (1 + np.arange(shown.shape[2]))).sum((1, 2), keepdims=True)[..., None]
    place = np.arange(shown.shape[1])[None, :, None, None]
    voice = np.arange(shown.shape[2])[None, None, :, None]
    logits = 3 * np.sin(whole * 0.37 + place * 1.7 + voice * 0.9 + np.arange(CLASSES) * (2 + voice))
    logits[..., HELD + 1 :] += 3
    logits[..., 0] -= 6
    return logits


@dataclass
class TwoSided:
    """A :class:`kantor.runtime.Model` without a state; ``seen`` are the cells (batch, frames, voices) of each call."""

    rule: Callable[[np.ndarray], np.ndarray] = rambling
    voices: int = 4
    seen: list[np.ndarray] = field(default_factory=list)
    told: list[np.ndarray] = field(default_factory=list)

    def initial(self, batch):
        return []

    def run(self, inputs, state):
        assert list(state) == []
        shown = inputs[:, :, : self.voices]
        self.seen.append(shown.copy())
        self.told.append(inputs[:, :, self.voices :].copy())
        logits = self.rule(shown).astype(np.float32)
        return [logits[:, :, voice] for voice in range(self.voices)], []

    def field(self, features, values, k):
        return features[k]


def pitch(cell: int) -> int | None:
    """The MIDI pitch that a cell sounds."""
    return None if cell in (0, OPEN) else 35 + (cell - HELD if cell > HELD else cell)


def broken_holds(cells: np.ndarray) -> list[tuple[int, int]]:
    """(frame, voice) of holds of what did not sound in the frame before."""
    return [
        (frame, voice)
        for frame in range(len(cells))
        for voice in range(cells.shape[1])
        if cells[frame, voice] > HELD and (frame == 0 or pitch(cells[frame - 1, voice]) != pitch(cells[frame, voice]))
    ]


def crossings(cells: np.ndarray) -> list[tuple[int, int, int]]:
    """(frame, upper, lower) where the lower voice sounds above the upper one."""
    found = []
    for frame, row in enumerate(cells):
        sounding = [(voice, pitch(cell)) for voice, cell in enumerate(row) if pitch(cell) is not None]
        found += [(frame, a, b) for i, (a, p) in enumerate(sounding) for b, q in sounding[i + 1 :] if q > p]
    return found


def parallels(cells: np.ndarray) -> list[tuple[int, int, int]]:
    """(frame, upper, lower) where both move from a fifth to a fifth, or from an octave to an octave."""
    found = []
    for frame in range(1, len(cells)):
        for a in range(cells.shape[1]):
            for b in range(a + 1, cells.shape[1]):
                p, q = pitch(cells[frame - 1, a]), pitch(cells[frame - 1, b])
                r, s = pitch(cells[frame, a]), pitch(cells[frame, b])
                if None in (p, q, r, s) or p == r or q == s:
                    continue
                if abs(p - q) % 12 == abs(r - s) % 12 and abs(p - q) % 12 in (0, 7):
                    found.append((frame, a, b))
    return found
