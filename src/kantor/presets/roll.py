"""A piano roll of sixteenths, struck and held apart, the keys of a frame one joint distribution."""

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.representations.roll import Roll
from kantor.training.recipe import Recipe

PART = Preset(
    name="roll",
    about="Polyphony on a grid of sixteenths, chord by chord: any number of notes at once, each in view of the others.",
    representation=Roll(
        inputs=("rank", "above", "age", "last", "lag-4", "lag-16", "beat", "meter", "key", "remaining", "phase")
    ),
    network=Lstm(embedding=128, hidden=192, layers=2, dropout=0.3, head=128),
    recipe=Recipe(
        epochs=60,
        batch_size=8,
        window=64,
        learning_rate=3e-3,
        transpose=5,
        bare=0.2,
        unknown=0.2,
        precision="bf16-mixed",
    ),
)
