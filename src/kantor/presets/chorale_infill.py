"""Chorales of which something is given: a melody, a voice, the bars around a gap; the rest is filled in."""

from kantor.networks import TwoSided
from kantor.presets import Preset
from kantor.representations.cells import Cells
from kantor.training.recipe import Recipe

PART = Preset(
    name="chorale-infill",
    about="Harmonises a melody and fills gaps in four-part chorales: it sees what comes before, after and beside.",
    representation=Cells(inputs=("phase", "meter", "beat", "key", "fermata", "remaining")),
    network=TwoSided(embedding=128, hidden=224, layers=2, dropout=0.3, head=256),
    recipe=Recipe(
        epochs=200,
        batch_size=16,
        window=128,
        learning_rate=3e-3,
        transpose=5,
        bare=0.4,
        unknown=0.2,
        precision="bf16-mixed",
    ),
)
