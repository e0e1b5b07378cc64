"""The music a composition begins with: a file, a part of it, or a fragment of some file of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kantor import io
from kantor.corpora import Losses, losses
from kantor.errors import InputError, KantorError, OptionError
from kantor.io import midi
from kantor.score import Score

__all__ = ["FRAGMENT", "first_notes", "lost", "notes_in", "passed_over", "prompted"]

FRAGMENT = 100  # notes of a random fragment, unless told
RANDOM = "random:"


def prompted(prompt: str | Path | Score, notes: int | None, rng: np.random.Generator) -> Score:
    """The score of a prompt.

    Parameters
    ----------
    prompt  a file, a score, or ``random:FOLDER``: a fragment from anywhere in any file of the folder.
    notes   how many notes of it; all of a file, 100 of a folder's, unless given.
    rng     chooses file and place.

    Raises
    ------
    InputError
        If a file cannot be read, or no file of the folder has notes.
    OptionError
        For fewer notes than 1.
    """
    if notes is not None and notes < 1:
        raise OptionError(f"expected --prompt-notes of 1 or more, got {notes}; leave out the prompt to have none.")
    if isinstance(prompt, Score):
        return prompt if notes is None else first_notes(prompt, notes)
    if not str(prompt).startswith(RANDOM):
        score = io.load(prompt)
        return score if notes is None else first_notes(score, notes)
    name = str(prompt).removeprefix(RANDOM)
    folder = Path(name)
    if not (name and folder.is_dir()):
        raise InputError(f"expected a folder of music after '{RANDOM}', found none at '{folder}'.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in io.SUFFIXES and path.is_file())
    for index in rng.permutation(len(files)):
        try:
            score = io.load(files[index])
        except (KantorError, OSError):
            continue
        if len(score.pitched):
            length = notes or FRAGMENT
            start = int(rng.integers(max(len(score.pitched) - length, 0) + 1))
            return first_notes(score, length, start)
    raise InputError(f"expected music in '{folder}' to begin with, got no file with notes.")


def first_notes(score: Score, count: int, start: int = 0) -> Score:
    """``count`` notes of a score from number ``start`` on, by onset, drums left out; the piece begins where they do."""
    chosen = score.pitched[start : start + count]
    if not len(chosen):
        return score
    begin = int(chosen["onset"][0]) if start else 0
    end = int((chosen["onset"] + chosen["duration"]).max())
    return score.replace(notes=chosen).cut(begin, end)


def lost(source: str | Path | Score) -> Losses | None:
    """What is lost of a MIDI file; None for others, and for files that nobody has read and that cannot be."""
    path = Path() if isinstance(source, Score) else Path(source)
    if path.suffix.lower() not in midi.SUFFIXES:
        return None
    try:
        return losses(path.read_bytes()) if path.stat().st_size <= io.MAX_BYTES else None
    except OSError:
        return None


def notes_in(score: Score, source: str | Path | Score) -> str:
    """What a score without pitches has in the place of notes, for a sentence: "none", "only drums"."""
    if len(score):
        return "only drums"
    found = lost(source)
    return f"none that ends: {found.never_ending} only begin" if found and found.never_ending else "none"


def passed_over(source: str | Path | Score) -> tuple[str, ...]:
    """Remarks on what of a file is not in its score."""
    found = lost(source) or Losses()
    counts = (
        (found.never_ending, "1 note never ends and is left out", "{} notes never end and are left out"),
        (found.no_tempo, "1 tempo of 0 is passed over", "{} tempi of 0 are passed over"),
    )
    return tuple((one if count == 1 else many).format(count) for count, one, many in counts if count)
