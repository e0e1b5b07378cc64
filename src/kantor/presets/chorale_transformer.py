"""The rival of the LSTMs: chorales a step a sixteenth, by relative attention to the last sixteen bars."""

from kantor.networks import Transformer
from kantor.presets import Preset
from kantor.representations.choir import Choir
from kantor.training.recipe import Recipe

PART = Preset(
    name="chorale-transformer",
    about="Four-part chorales by a Transformer instead of LSTMs; for comparing families.",
    representation=Choir(
        spelling="full", order="SBAT", inputs=("phase", "held", "meter", "beat", "key", "fermata", "remaining")
    ),
    network=Transformer(),
    recipe=Recipe(
        epochs=100,
        batch_size=8,
        learning_rate=1e-3,
        transpose=6,
        bare=0.25,
        unknown=0.25,
        precision="bf16-mixed",
        store="float16",
    ),
)
