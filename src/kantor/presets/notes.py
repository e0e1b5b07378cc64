"""Notes one after another, each a joint distribution of pitch, duration and the time until the next."""

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.representations.notes import Notes
from kantor.training.recipe import Recipe

INPUTS = (
    *("beat", "meter", "key", "remaining", "phase", "stacked"),
    *("before", "above", "sounding", "left", "here", "soonest"),
)
PART = Preset(
    name="notes",
    about="Piano music note by note, with velocity: times are distributions, and beats are known where there are any.",
    representation=Notes(inputs=INPUTS, velocity=True),
    network=Lstm(embedding=72, hidden=184, layers=2, dropout=0.25, head=96, chained=True),
    recipe=Recipe(
        epochs=150,
        batch_size=8,
        window=128,
        learning_rate=3e-3,
        transpose=5,
        bare=0.2,
        unknown=0.2,
        precision="bf16-mixed",
    ),
)
