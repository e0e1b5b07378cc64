"""Several tracks in one stream of tokens, each note with its instrument, velocity and duration."""

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.representations.tokens import Tokens
from kantor.training.recipe import Recipe

PART = Preset(
    name="tokens",
    about="Several tracks and instruments, drums among them, note by note; to train it, install the extra 'tokens'.",
    representation=Tokens(inputs=("beat", "meter", "key", "remaining", "position", "bar")),
    network=Lstm(embedding=256, hidden=384, layers=2, dropout=0.25, head=256),
    recipe=Recipe(
        epochs=40,
        batch_size=16,
        window=512,
        learning_rate=3e-3,
        transpose=5,
        bare=0.2,
        unknown=0.2,
        precision="bf16-mixed",
    ),
)
