"""Notes one after another, each a joint distribution of pitch, duration and the time until the next."""

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.representations.notes import Notes
from kantor.training.recipe import Recipe

PART = Preset(
    name="notes",
    about="Piano music note by note, with velocity: times are distributions, and beats are known where there are any.",
    representation=Notes(inputs=("beat", "meter", "key", "remaining", "phase", "stacked"), velocity=True),
    network=Lstm(embedding=96, hidden=192, layers=2, dropout=0.25, head=96, chained=True),
    recipe=Recipe(
        epochs=40,
        batch_size=16,
        window=128,
        learning_rate=4e-3,
        transpose=5,
        bare=0.2,
        unknown=0.2,
        precision="bf16-mixed",
    ),
)
