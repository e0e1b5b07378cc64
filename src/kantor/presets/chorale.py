"""Chorales with all that the sources tell: holds and repeated notes, meter, bar lines, key, fermatas, the end."""

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.representations.chorale import Chorale
from kantor.training.recipe import Recipe

PART = Preset(
    name="chorale",
    about="Four-part chorales in any key and meter: phrases end under fermatas, the piece on a cadence.",
    representation=Chorale(
        spelling="full",
        order="SBAT",
        inputs=(
            *("voice", "phase", "own", "now", "held", "lag-4", "lag-8", "lag-16"),
            *("meter", "beat", "key", "fermata", "remaining"),
        ),
    ),
    network=Lstm(),
    recipe=Recipe(epochs=100, batch_size=16, transpose=6, bare=0.25, unknown=0.25, precision="bf16-mixed"),
)
