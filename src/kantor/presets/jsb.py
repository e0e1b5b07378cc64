"""The plain grid, done better: a step a sixteenth, LSTMs that know the last bars and look back at how they went on."""

from kantor.networks import AttentiveLstm
from kantor.presets import Preset
from kantor.representations.choir import Choir
from kantor.training.recipe import Recipe

PART = Preset(
    name="jsb",
    about="Four-part chorales on the published grid, where held and repeated notes look alike; for comparing figures.",
    representation=Choir(
        spelling="plain", order="SBAT", inputs=("last", "phase", "held", "lag-2", "lag-4", "lag-8", "lag-16", "lag-32")
    ),
    network=AttentiveLstm(recurrent_dropout=0.3, counterpoint=True),
    recipe=Recipe(
        epochs=160, batch_size=8, learning_rate=3e-3, transpose=6, ranges="all", precision="bf16-mixed", store="float16"
    ),
)
