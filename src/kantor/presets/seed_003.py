"""Seed 003: TensorFlow's tutorial: pitch as a class, step and duration as regressions, one LSTM of 128."""

from kantor.networks import PlainLstm
from kantor.presets import Preset
from kantor.representations.regression import Regression
from kantor.training.recipe import Recipe

PART = Preset(
    name="seed-003",
    about="The tutorial's network as it was, fed at last what it was trained on; its times are regressions.",
    representation=Regression(),
    network=PlainLstm(hidden=128),
    recipe=Recipe(
        epochs=50,
        batch_size=64,
        window=25,
        optimizer="adam",
        learning_rate=5e-3,
        schedule="constant",
        patience=5,
        clip=0.0,
        weight_decay=0.0,
        loss_weights=(0.05, 1.0, 1.0),
    ),
    seed="003",
)
