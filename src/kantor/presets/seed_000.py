"""Seed 000, exactly: a notebook's Conv1D + LSTM on windows of 33 chords, note by note, with Keras's Nadam."""

from kantor.networks import ConvLstm
from kantor.presets import Preset
from kantor.representations.chorale import Chorale
from kantor.training.recipe import Recipe

PART = Preset(
    name="seed-000",
    about="The Bach notebook's network as it was: dilated convolutions and one LSTM over bare notes; a baseline.",
    representation=Chorale(spelling="plain", order="SATB"),
    network=ConvLstm(),
    recipe=Recipe(
        epochs=20,
        batch_size=32,
        window=32,
        optimizer="nadam",
        learning_rate=1e-3,
        schedule="constant",
        clip=0.0,
        weight_decay=0.0,
    ),
    seed="000",
)
