"""One line: the highest voice of whatever it learns from."""

from dataclasses import replace

from kantor.presets import Preset
from kantor.presets.notes import PART as NOTES
from kantor.representations.notes import Notes

PART: Preset = replace(
    NOTES,
    name="melody",
    about="Melodies of eight or sixteen bars: a line in a key and a meter, that knows how far it is from its end.",
    representation=Notes(inputs=("beat", "meter", "key", "remaining", "phase")),
    tracks="melody",
    recipe=replace(NOTES.recipe, window=0, batch_size=16),
)
