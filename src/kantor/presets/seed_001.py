"""Seed 001: note-or-chord, offset and duration in three streams, an LSTM for each and two that join them."""

from kantor.networks import BranchedLstm
from kantor.presets import Preset
from kantor.representations.events import Events
from kantor.training.recipe import Recipe

PART = Preset(
    name="seed-001",
    about="The piano generator's network as it was: three streams of classes from vocabularies of the music itself.",
    representation=Events(),
    network=BranchedLstm(),
    recipe=Recipe(
        epochs=200,
        batch_size=64,
        window=100,
        optimizer="adam",
        learning_rate=1e-3,
        schedule="constant",
        clip=0.0,
        weight_decay=0.0,
    ),
    seed="001",
)
