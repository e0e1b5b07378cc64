"""Heads that know counterpoint: how two voices move against each other weighs on what the later one may do.

Every textbook of two-part writing is a table: from this interval, one voice going up, to that interval, the other
staying. A network of some hundred pieces finds that table badly: it would have to learn for each pair of pitches alone
that fifths do not follow fifths. So it is given the table, its entries to be learned, one for each pair of voices:

    interval before x motion of the voice decided (down, none, up) x interval now x motion of the voice to decide

An interval is one within an octave, whoever is above, or none where one of the two is silent. What an entry says is
added to the logit of every class that leads there. The heads are then a log-linear model on top of the network, and at
the best likelihood such a model expects each kind of motion just as often as it occurs in what was learned (Berger,
Della Pietra and Della Pietra 1996). That holds after true music; after its own, a model errs more often.

The tables know no keys, so a piece tells them the same in all twelve, and they would be learned by heart long before
the network is done: they are learned at the end (``Recipe.tables_after``).

The features' last columns are what each field's voice sang in the last step, in the fields' order: 0 silence, then the
pitches, and "before the start". Classes mean the same of this step; one more is *hold*.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

from kantor.errors import OptionError
from kantor.models._heads import Deep

__all__ = ["Counterpoint"]

INTERVALS, MOTIONS = 13, 3  # those within an octave, and none; down, none, up
OCTAVE = 12


class Counterpoint(Deep):
    """Chained heads two layers deep, and for each pair of voices a table of motions; see the module's docstring."""

    def __init__(
        self, seen: int, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str], dropout: float
    ) -> None:
        super().__init__(seen, inputs, outputs, kinds, dropout)
        fields, lasts = len(outputs), set(inputs[len(outputs) : 2 * len(outputs)])
        (self.before_the_start,) = (size - 1 for size in lasts) if len(lasts) == 1 else (-1,)
        if not all(0 <= size - self.before_the_start <= 1 for size in outputs):
            raise OptionError(
                "expected of counterpoint a field for each voice, and 'last' as the first of the inputs; "
                "try --set counterpoint=false."
            )
        self.seen = seen
        self.firsts = [0, *accumulate(range(fields))]  # of each field's pairs, with the fields before it
        self.motions = nn.Parameter(torch.zeros(fields * (fields - 1) // 2 * (INTERVALS * MOTIONS) ** 2, 1))

    @property
    def tables(self) -> list[nn.Parameter]:
        """See :class:`Heads`."""
        return [self.motions]

    def forward(self, features: Tensor, values: Tensor | None = None) -> tuple[Tensor, ...]:
        """See :class:`Chained`."""
        if values is None:
            raise ValueError("chained heads need the fields that are decided before theirs")
        last = features[..., self.seen :].round().long()
        now = torch.where(values < self.before_the_start, values, last)  # hold: as it was
        plain = super().forward(features[..., : self.seen], values)
        return plain[:1] + tuple(self._weighed(k, raw, last, now) for k, raw in enumerate(plain) if k)

    def _weighed(self, k: int, logits: Tensor, last: Tensor, now: Tensor) -> Tensor:
        """Logits of field ``k`` with what the tables add to them for each of the fields before."""
        classes = torch.arange(logits.shape[-1], device=logits.device)
        own = last[..., k : k + 1]
        mine = torch.where(classes < self.before_the_start, classes, own)[..., None, :]  # (..., 1, classes)
        others, were = now[..., :k, None], last[..., :k, None]  # (..., k, 1)
        own = own[..., None]
        before = self._interval(own, were) * MOTIONS + self._motion(were, others)
        after = self._interval(mine, others) * MOTIONS + self._motion(own, mine)
        pair = torch.arange(self.firsts[k], self.firsts[k] + k, device=logits.device)[:, None]
        places = (pair * (INTERVALS * MOTIONS) + before) * (INTERVALS * MOTIONS) + after
        return logits + functional.embedding(places, self.motions).squeeze(-1).sum(-2)

    def _sound(self, pitch: Tensor) -> Tensor:
        return (pitch > 0) & (pitch < self.before_the_start)

    def _interval(self, one: Tensor, other: Tensor) -> Tensor:
        """0..11, compound or not, whichever is above; 12 where one is silent."""
        both = self._sound(one) & self._sound(other)
        return torch.where(both, (one - other).abs() % OCTAVE, INTERVALS - 1)

    def _motion(self, before: Tensor, after: Tensor) -> Tensor:
        """0 down, 1 none, 2 up; none too from silence and into it."""
        both = self._sound(before) & self._sound(after)
        return torch.where(both, (after - before).sign() + 1, 1)
