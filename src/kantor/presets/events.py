"""Notes and chords one after another: what begins and ends together is one event, if it is common."""

from dataclasses import replace

from kantor.networks import Lstm
from kantor.presets import Preset
from kantor.presets.notes import INPUTS
from kantor.presets.notes import PART as NOTES
from kantor.representations.notes import Notes

PART: Preset = replace(
    NOTES,
    name="events",
    about="Notes and chords as single events, octaves kept; a chord that is not common is written as several.",
    representation=Notes(inputs=INPUTS, most=300),
    network=Lstm(embedding=72, hidden=168, layers=2, dropout=0.25, head=96, chained=True),
)
