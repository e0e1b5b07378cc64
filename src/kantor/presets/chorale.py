"""Chorales with all that the sources tell: holds and repeated notes, meter, bar lines, key, fermatas, the end."""

from kantor.networks import AttentiveLstm
from kantor.presets import Preset
from kantor.representations.choir import Choir
from kantor.training.recipe import Recipe

PART = Preset(
    name="chorale",
    about="Four-part chorales in any key and meter: phrases end under fermatas, the piece on a cadence.",
    representation=Choir(
        spelling="full",
        order="SBAT",
        inputs=(
            *("last", "phase", "held", "lag-2", "lag-4", "lag-8", "lag-16", "lag-32"),
            *("meter", "beat", "key", "fermata", "remaining"),
        ),
    ),
    network=AttentiveLstm(recurrent_dropout=0.3, counterpoint=True),
    recipe=Recipe(
        epochs=120,
        batch_size=8,
        learning_rate=3e-3,
        transpose=6,
        ranges="all",
        bare=0.25,
        unknown=0.25,
        precision="bf16-mixed",
        store="float16",
    ),
)
