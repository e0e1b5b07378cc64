"""One line: the highest voice of whatever it learns from."""

from dataclasses import replace

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.presets.notes import PART as NOTES
from kantor.representations.notes import Notes

PART: Preset = replace(
    NOTES,
    name="melody",
    about="Melodies of eight or sixteen bars: a line in a key and a meter, that knows how far it is from its end.",
    representation=Notes(inputs=("beat", "meter", "key", "remaining", "phase")),
    tracks="melody",
    # Some 9,500 notes are all there is to learn from: a small network, much dropout, many epochs.
    network=Lstm(embedding=64, hidden=128, layers=2, dropout=0.5, head=96, chained=True),
    recipe=replace(NOTES.recipe, epochs=150, window=0, batch_size=16, transpose=6, weight_decay=0.2),
)
