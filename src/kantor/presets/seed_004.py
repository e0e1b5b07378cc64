"""Seed 004: the tutorial's network on Bach, with a lower learning rate and longer windows."""

from dataclasses import replace

from kantor.presets import Preset
from kantor.presets.seed_003 import PART as TUTORIAL

PART: Preset = replace(
    TUTORIAL,
    name="seed-004",
    about="The tutorial's network on Bach as the paper has it, polyphony flattened from the lowest note up.",
    recipe=replace(TUTORIAL.recipe, epochs=100, window=50, learning_rate=2.5e-3, transpose=5),
    seed="004",
)
