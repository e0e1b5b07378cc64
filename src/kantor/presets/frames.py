"""A binary piano roll with independent keys, done well: for comparing with the published figures on rolls."""

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.representations.frames import Frames
from kantor.training.recipe import Recipe

PART = Preset(
    name="frames",
    about="A piano roll whose keys are independent of each other, as published figures have it; to compare with those.",
    representation=Frames(),
    network=Lstm(embedding=128, hidden=256, layers=1, dropout=0.3, head=160),
    recipe=Recipe(epochs=60, batch_size=8, learning_rate=3e-3, transpose=5, precision="bf16-mixed"),
)
