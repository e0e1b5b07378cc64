"""How a network is trained, in numbers; free of torch, so that presets and bundles can hold one."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from kantor.errors import OptionError

__all__ = ["Recipe"]

SEEDS = 2**31  # an epoch's own seed is made of this one and must fit what torch and NumPy take


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training.

    One seed is one curve, on one machine, unless the training is given a time (``--max-minutes``): the schedule then
    follows the clock, and no two runs have the same learning rates.

    Parameters
    ----------
    epochs         passes over the training pieces, >= 1.
    batch_size     pieces (or windows) a step, >= 1.
    window         0: whole pieces. Else frames (steps, where there are none) of a training window, its first step
                   given and the others predicted (but a piece's own beginning is predicted too, unless steps are
                   cells: seed 000's windows leave it out); windows overlap by half.
    optimizer      "adamw", or as Keras has them "adam" and "nadam" (Kingma & Ba 2015, Dozat 2016).
    learning_rate  the highest, > 0.
    schedule       "one-cycle" (Smith 2018: up for a tenth of the way, then down a half cosine), "plateau" (halved
                   after three epochs without a better validation) or "constant".
    weight_decay   of "adamw", >= 0.
    clip           gradients are scaled down to this norm; 0: never.
    loss_weights   what each field's loss counts; empty: 1 each.
    positive_weight  of a key that sounds against one that does not, in a multi-hot field's loss.
    faults         what -log of the probability that breaks no rule counts beside the likelihood (:mod:`kantor.training
                   .blame`); 0: rules are not taught. The best epoch is then the one whose sum of both is least.
    fault_rules    the rules that are taught.
    tables_after   share of the training, 0 up to 1, after which tables of counterpoint are learned, where the network
                   has any (:mod:`kantor.models._counterpoint`); by "one-cycle" alone, else they are from the first.
    tables_rate    their highest learning rate, > 0: an entry is to move by whole nats.
    transpose      pieces are moved by up to this many semitones, as far as every voice stays in its range; 0: never.
    ranges         whose range that is: "parts", each voice's own in the training pieces, where a choir could still sing
                   it, or "all", that of all voices together: more keys, for likelihoods.
    vary_tempo     pieces are stretched or squeezed by up to this share, 0..1: for performances, whose times lie on no
                   grid anyway.
    vary_velocity  pieces are made louder or softer by up to this share, 0..1.
    bare           share of pieces shown as a bare grid would be: repeats merged, all planned conditions unknown, 0..1.
    unknown        share of pieces that lose a planned condition, each on its own, 0..1.
    patience       epochs without a better validation after which training ends. 0, the default: never, for the epochs
                   of "one-cycle" are planned ahead and its last, slow ones are the best; it suits the other schedules.
    precision      "32-true", or "bf16-mixed": products in bfloat16, weights and sums in float32.
    store          how a bundle keeps the weights: "float32", or "float16", half the size.
    seed           of weights, order, transpositions and dropout, 0..2**31 - 1.
    """

    epochs: int = 20
    batch_size: int = 16
    window: int = 0
    optimizer: str = "adamw"
    learning_rate: float = 3e-3
    schedule: str = "one-cycle"
    weight_decay: float = 0.01
    clip: float = 1.0
    loss_weights: tuple[float, ...] = ()
    positive_weight: float = 1.0
    faults: float = 0.0
    fault_rules: tuple[str, ...] = ("no-parallels",)
    tables_after: float = 0.9
    tables_rate: float = 0.015
    transpose: int = 0
    ranges: str = "parts"
    vary_tempo: float = 0.0
    vary_velocity: float = 0.0
    bare: float = 0.0
    unknown: float = 0.0
    patience: int = 0
    precision: str = "32-true"
    store: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "loss_weights", tuple(map(_weight, self.loss_weights)))
        object.__setattr__(self, "fault_rules", _names(self.fault_rules, self.faults))
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise OptionError(f"expected {name} to be at least 1, got {getattr(self, name)}.")
        for name in ("window", "transpose", "patience", "weight_decay", "clip", "faults", "seed"):
            if not getattr(self, name) >= 0:
                raise OptionError(f"expected {name} to be 0 or more, got {getattr(self, name)}.")
        if self.seed >= SEEDS:
            raise OptionError(f"expected seed within 0..{SEEDS - 1}, got {self.seed}.")
        for name in ("bare", "unknown", "vary_tempo", "vary_velocity"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"expected {name} within 0..1, got {getattr(self, name)}.")
        if not 0 <= self.tables_after < 1:
            raise OptionError(f"expected tables_after from 0 up to but not including 1, got {self.tables_after}.")
        for name in ("learning_rate", "tables_rate", "positive_weight"):
            if not getattr(self, name) > 0:
                raise OptionError(f"expected a {name.replace('_', ' ')} above 0, got {getattr(self, name)}.")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise OptionError(f"expected {field.name} to be a finite number, got {value}.")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise OptionError(f"expected {name} to be one of {', '.join(known)}; got '{getattr(self, name)}'.")

    @property
    def judged_by(self) -> str:
        """The figure of the validation that chooses the best epoch."""
        return "valid_loss" if self.faults else "valid_nats"


def _names(rules: Any, weight: float) -> tuple[str, ...]:
    """The rules that are taught; a text would be taken for its letters."""
    if isinstance(rules, str) or (weight and not rules):
        raise OptionError(f"expected fault_rules as a list of names, got {rules!r}; try ['no-parallels'].")
    return tuple(rules)


def _weight(value: float | str) -> float:
    """A field's weight; as text where it comes from the command line."""
    try:
        weight = float(value)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight >= 0):
        raise OptionError(f"expected loss_weights of 0 or more, got '{value}'; 1 is as usual.")
    return weight


CHOICES = {
    "optimizer": ("adamw", "adam", "nadam"),
    "schedule": ("one-cycle", "plateau", "constant"),
    "precision": ("32-true", "bf16-mixed"),
    "ranges": ("parts", "all"),
    "store": ("float32", "float16"),
}
assert set(CHOICES) < {field.name for field in fields(Recipe)}
