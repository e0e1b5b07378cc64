"""A grid as text: one row a sixteenth, one column a voice, MIDI numbers, 0 for silence.

The format of the JSB chorale grids (Boulanger-Lewandowski 2012, as CSV: header ``note0,note1,note2,note3``, soprano to
bass). It cannot tell a held note from a repeated one, so equal rows in succession are read as one held note; metre, key
and tempo are unknown.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re

import numpy as np
from numpy.typing import NDArray

from kantor.errors import FileFormatError, ScoreError
from kantor.io.notation import UNMARKED_VELOCITY
from kantor.score import NOTE, TICKS_PER_QUARTER, VOICES, Part, Score

__all__ = ["SUFFIXES", "read", "read_recipe", "write", "write_recipe"]

SUFFIXES = (".csv",)

_ROW_TICKS = TICKS_PER_QUARTER // 4


def read(data: bytes, name: str) -> Score:
    """The score in the bytes of a CSV grid; ``name`` is what messages call it.

    Columns ``note0``, ``note1``, ... from the top voice down, one to any number, after an unnamed column of row numbers
    if there is one. A tick is 1/480 quarter, a row 120 ticks; the length is that of all rows, silence included.

    Raises
    ------
    FileFormatError
        If a column is missing or unknown, or a cell is no whole number from 0 to 127; row and column are named.
    """
    grid = _read_grid(data, name)
    notes = np.concatenate([_held_notes(column, voice) for voice, column in enumerate(grid.T)])
    names = VOICES if grid.shape[1] <= len(VOICES) else tuple(f"Voice {v + 1}" for v in range(grid.shape[1]))
    parts = tuple(Part(names[voice]) for voice in range(grid.shape[1]))
    return Score(notes, parts=parts, length_ticks=len(grid) * _ROW_TICKS)


def write(score: Score) -> bytes:
    """The bytes of a CSV grid: what each part sounds at every sixteenth, a column a part, for all of the length.

    Raises
    ------
    ScoreError
        If the score has no or more than four parts, or a part is not one voice on the grid of sixteenths.
    """
    voices = len(score.parts)
    if not 1 <= voices <= len(VOICES):
        raise ScoreError(f"a CSV grid holds 1 to {len(VOICES)} voices, got {voices}; save as MIDI or MusicXML instead.")
    grid = _sample(score)
    lines = [",".join(f"note{voice}" for voice in range(voices)), *(",".join(map(str, row)) for row in grid.tolist())]
    return ("\n".join(lines) + "\n").encode("ascii")


def write_recipe(recipe: str, data: bytes) -> bytes:
    """The JSON file that lies beside a CSV of bytes ``data``: the recipe, and the hash of what it made."""
    beside = {"csv_sha256": hashlib.sha256(data).hexdigest(), "recipe": recipe}
    return (json.dumps(beside, indent=1) + "\n").encode("ascii")


def read_recipe(beside: bytes, data: bytes) -> str:
    """The recipe in the JSON file beside a CSV of bytes ``data``; empty where it belongs to other bytes."""
    try:
        found = json.loads(beside)
        matches = found["csv_sha256"] == hashlib.sha256(data).hexdigest()
        return found["recipe"] if matches and isinstance(found["recipe"], str) else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _read_grid(data: bytes, name: str) -> NDArray[np.int64]:
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{name!r} is not a text of comma-separated values ({error}).") from error
    while lines and not any(lines[-1][1]):
        lines.pop()
    if len(lines) < 2:
        raise FileFormatError(f"{name!r} has no rows, expected a header and a row for each sixteenth.")
    (_, header), *rows = lines
    skipped = int(header[0] == "") if header else 0
    columns = header[skipped:]
    expected = [f"note{voice}" for voice in range(max(len(columns), 1))]
    if columns != expected:
        came, want = ",".join(header)[:80], ",".join(expected)
        raise FileFormatError(
            f"{name!r} has the header {came!r}, expected {want!r}; name the columns so, top voice first."
        )
    return np.array([_row(cells, skipped, columns, f"{name!r}, line {line}") for line, cells in rows], dtype=np.int64)


def _row(cells: list[str], skipped: int, columns: list[str], where: str) -> list[int]:
    if len(cells) != skipped + len(columns):
        raise FileFormatError(f"{where}: {len(cells)} cells, expected {skipped + len(columns)} as in the header.")
    for cell, column in zip(cells[skipped:], columns, strict=True):
        if not re.fullmatch(r"-?[0-9]{1,9}", cell):
            raise FileFormatError(
                f"{where}, {column}: expected a whole MIDI number, or 0 for silence, got {cell[:20]!r}."
            )
        if not 0 <= int(cell) <= 127:
            raise FileFormatError(f"{where}, {column}: expected a pitch within 0..127 (0 is silence), got {cell}.")
    return [int(cell) for cell in cells[skipped:]]


def _held_notes(column: NDArray[np.int64], voice: int) -> NDArray[np.void]:
    """One voice of a grid, (rows,) pitches, as notes: each as long as its pitch stays."""
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    notes = np.zeros(len(starts), dtype=NOTE)
    notes["onset"] = starts * _ROW_TICKS
    notes["duration"] = np.diff(starts, append=len(column)) * _ROW_TICKS
    notes["pitch"], notes["velocity"], notes["part"] = column[starts], UNMARKED_VELOCITY, voice
    return notes[notes["pitch"] > 0]


def _sample(score: Score) -> NDArray[np.int64]:
    """(rows, parts) pitches at every sixteenth, 0 where a part is silent."""
    onsets, off_onset = np.divmod(score.notes["onset"] * 4, score.ticks_per_quarter)
    lengths, off_length = np.divmod(score.notes["duration"] * 4, score.ticks_per_quarter)
    rows, rest = divmod(score.length_ticks * 4, score.ticks_per_quarter)
    if off_onset.any() or off_length.any() or rest or not lengths.all():
        raise ScoreError(
            "a CSV grid holds sixteenths, and this score has notes between them; quantise it, or save as MIDI."
        )
    if (score.notes["pitch"] == 0).any():
        raise ScoreError(
            "a CSV grid writes silence as 0, so it cannot hold MIDI pitch 0; save as MIDI or MusicXML instead."
        )
    grid = np.zeros((rows, len(score.parts)), dtype=np.int64)
    for onset, length, note in zip(onsets.tolist(), lengths.tolist(), score.notes, strict=True):
        if grid[onset : onset + length, note["part"]].any():
            part = score.parts[note["part"]].name or f"part {note['part'] + 1}"
            raise ScoreError(
                f"a CSV column is one voice, but {part} sounds two notes at once; split it, or save as MIDI."
            )
        grid[onset : onset + length, note["part"]] = note["pitch"]
    if not rows:
        raise ScoreError("this score has no length, and a CSV grid needs at least one sixteenth.")
    return grid
