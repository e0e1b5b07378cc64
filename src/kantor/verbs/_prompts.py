"""The music a composition begins with: a file, a part of it, or a fragment of some file of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kantor import io
from kantor.errors import InputError, KantorError, OptionError
from kantor.score import Score

__all__ = ["FRAGMENT", "first_notes", "prompted"]

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
