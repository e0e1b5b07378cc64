"""Seed 002: a binary piano roll of sixteenths, two LSTMs of 512, 88 sigmoids, keys that sound weighing ten times."""

from kantor.networks import PlainLstm
from kantor.presets import Preset
from kantor.representations.frames import Frames
from kantor.training.recipe import Recipe

PART = Preset(
    name="seed-002",
    about="The piano-roll plan's network as it was, its sigmoids read as they are meant: any key, in any number.",
    representation=Frames(),
    network=PlainLstm(hidden=512, layers=2, dropout=0.3, dense=256, dense_dropout=0.4),
    recipe=Recipe(
        epochs=30,
        batch_size=64,
        window=64,
        optimizer="adam",
        learning_rate=1e-3,
        schedule="plateau",
        patience=5,
        clip=0.0,
        weight_decay=0.0,
        positive_weight=10.0,
        transpose=2,
    ),
    seed="002",
    sampling={"temperature": 0.8},
)
