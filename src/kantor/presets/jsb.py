"""The plain grid, done better: two LSTMs that know who sings, how long everyone has held, and what came a bar ago."""

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.representations.chorale import Chorale
from kantor.training.recipe import Recipe

PART = Preset(
    name="jsb",
    about="Four-part chorales on the published grid, where held and repeated notes look alike; for comparing figures.",
    representation=Chorale(
        spelling="plain",
        order="SBAT",
        inputs=("voice", "phase", "own", "now", "held", "lag-4", "lag-8", "lag-16", "remaining"),
    ),
    network=Lstm(),
    recipe=Recipe(epochs=100, batch_size=16, transpose=6, unknown=0.7, precision="bf16-mixed"),
)
