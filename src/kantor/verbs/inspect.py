"""``kantor inspect``: what became of each file of a folder, and why.

Whoever trains on a folder of their own wants to know what was used: which files could not be read, which were left
out, what their notes are like, which are versions of one piece, and on which side of the split they are. Nothing here
changes anything; :class:`~kantor.corpora.Folder` and :func:`~kantor.corpora.select` do as this report says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kantor import io
from kantor.corpora import SPLITS, Corpus, CorpusPiece, Selection, Survey, key_of, sift, survey
from kantor.errors import FileFormatError, InputError, OptionError
from kantor.score import Score
from kantor.theory import key_name, note_in
from kantor.verbs._prompts import lost as lost_of

__all__ = ["GRID", "inspect"]

GRID = 24  # ticks a quarter: sixteenths and their triplets
STATUSES = ("kept", "left out", "unreadable")
PIANO = (21, 108)  # the keys of a piano, as MIDI numbers

Reasons = Mapping[str, str]


def inspect(
    path: str | Path,
    *,
    notes: int | None = None,
    selection: Selection | None = None,
    progress: bool = False,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """The ingest report of a folder or of a file.

    Parameters
    ----------
    path       a folder, or one file.
    notes      list the first so many notes of each file that is kept, >= 1.
    selection  what of it would be kept; everything unless given.
    progress   show a bar on stderr where reading takes longer than a second.
    advance    called with how many files are done, and of how many.

    Returns
    -------
    ``files``, an object for each file that should be music, by path; ``others``, the paths and reasons of those that
    are something else; ``totals``. See docs/json.md for the keys.

    Raises
    ------
    InputError
        If there is nothing at ``path``, no music in the folder, or the one file is of no kind that can be read.
    OptionError
        If ``notes`` is below 1.
    """
    if notes is not None and notes < 1:
        raise OptionError(f"expected 1 note or more to list, got {notes}.")
    place = Path(path)
    found = survey(place, progress=progress) if place.is_dir() else _alone(place)
    if not found.files:
        raise InputError(f"expected music in '{place}', got no file that ends in {', '.join(io.SUFFIXES)}.")
    chosen = sift(Corpus(found.name, "", found.members), selection or Selection())
    used = {piece.name: piece.score for piece in chosen.members}
    left_out = dict(chosen.report) | dict(found.left_out)
    unreadable = dict(found.unreadable)
    pieces = {piece.name: piece for piece in found.members}
    files = []
    for name in sorted(pieces.keys() | left_out.keys() | unreadable.keys()):
        source = place / name if place.is_dir() else place
        entry = _entry(name, pieces.get(name), used.get(name), left_out, unreadable, source)
        if notes is not None:
            entry["first_notes"] = _first_notes(used[name], notes) if name in used else []
        files.append(entry)
        advance(len(files), found.files)
    if not place.is_dir():
        files[0]["split"] = files[0]["piece"] = None
    others = [{"path": _shown(name), "reason": reason} for name, reason in found.others]
    return {"files": files, "others": others, "totals": _totals(files, len(others))}


def _alone(path: Path) -> Survey:
    """One file, as a folder that holds nothing else."""
    if not path.exists() and not path.is_symlink():
        raise InputError(f"expected a folder or a file of music at '{path}', got nothing; is the path right?")
    try:
        score = io.load(path)
    except FileFormatError as error:
        if path.suffix.lower() not in io.READABLE:
            raise
        return Survey(path.name, (), (), ((path.name, str(error)),), ())
    if not len(score):
        lost = lost_of(path)
        ends = f"no note that ends: {lost.never_ending} only begin" if lost and lost.never_ending else "no notes"
        return Survey(path.name, (), ((path.name, f"{path.name!r} has {ends}."),), (), ())
    return Survey(path.name, (CorpusPiece(path.name, score, "train"),), (), (), ())


def _entry(
    name: str, piece: CorpusPiece | None, used: Score | None, left_out: Reasons, unreadable: Reasons, source: Path
) -> dict[str, Any]:
    """Everything about one file; what is not known is None."""
    status = "unreadable" if name in unreadable else "left out" if name in left_out else "kept"
    entry: dict[str, Any] = {
        "path": _shown(name),
        "status": status,
        "reason": unreadable.get(name) or left_out.get(name),
        "split": piece.split if piece and status == "kept" else None,
        "piece": _shown(piece.group) if piece else None,
        "notes_used": len(used) if used else 0,
    }
    facts = _facts(piece.score) if piece else dict.fromkeys(_facts(Score.from_notes([])))
    lost = lost_of(source) if status != "unreadable" else None
    counts = ("never_ending", "no_length", "no_tempo")
    entry |= facts | {count: getattr(lost, count, None) for count in counts}
    return entry | {"remarks": _remarks(entry)}


def _facts(score: Score) -> dict[str, Any]:
    """What a score is like, before anything is chosen or quantised."""
    pitches = score.pitched["pitch"]
    key = key_of(score)
    off_grid, shift = _off_grid(score)
    return {
        "notes": len(score),
        "parts": _parts(score),
        "drums": len(score) - len(pitches),
        "meter": str(score.meters[0]) if score.meters else None,
        "meter_changes": len({str(meter) for meter in score.meters}) > 1,
        "tempo": round(score.tempi[0].quarters_per_minute, 2) if score.tempi else None,
        "tempo_changes": max(len(score.tempi) - 1, 0),
        "key": key_name(key) if key else None,
        "key_is": None if key is None else "signature" if score.keys else "estimate",
        "seconds": round(score.seconds, 2),
        "lowest": int(pitches.min()) if len(pitches) else None,
        "highest": int(pitches.max()) if len(pitches) else None,
        "outside_piano": int(((pitches < PIANO[0]) | (pitches > PIANO[1])).sum()),
        "off_grid": off_grid,
        "largest_shift": shift,
        "overlapping": _overlapping(score.notes),
    }


def _parts(score: Score) -> list[dict[str, Any]]:
    counts = np.bincount(score.notes["part"], minlength=len(score.parts)).tolist()
    return [
        {"name": part.name, "program": part.program, "is_drum": part.is_drum, "notes": count}
        for part, count in zip(score.parts, counts, strict=True)
    ]


def _off_grid(score: Score) -> tuple[float, float]:
    """The share of onsets that do not lie on the grid, and how far the worst is from it, in ticks of the grid."""
    if not len(score):
        return 0.0, 0.0
    ticks = score.notes["onset"] * GRID
    rest = ticks % score.ticks_per_quarter
    away = np.minimum(rest, score.ticks_per_quarter - rest)
    return round(float((away > 0).mean()), 4), round(float(away.max()) / score.ticks_per_quarter, 4)


def _overlapping(notes: NDArray[np.void]) -> int:
    """How many notes begin while their own part still sounds their pitch."""
    order = np.lexsort((notes["onset"], notes["pitch"], notes["part"]))
    part, pitch, onset = (notes[name][order].astype(np.int64) for name in ("part", "pitch", "onset"))
    end = onset + notes["duration"][order]
    key = np.cumsum(np.diff(part * 128 + pitch, prepend=-1) != 0)
    apart = key * (int(end.max(initial=0)) + 1)  # so that no key's end reaches into the next key
    until = np.maximum.accumulate(end + apart)
    return int((until[:-1] > (onset + apart)[1:]).sum())


_REMARKS = {  # of one note, and of several
    "never_ending": ("1 note never ends and is left out", "{} notes never end and are left out"),
    "no_length": ("1 note has no length and lasts one tick", "{} notes have no length and last one tick"),
    "outside_piano": (
        "1 note lies outside the piano (A0 to C8) and is kept",
        "{} notes lie outside the piano (A0 to C8) and are kept",
    ),
    "overlapping": (
        "1 note begins while its part still sounds its pitch",
        "{} notes begin while their part still sounds their pitch",
    ),
    "drums": ("1 note is a drum's", "{} notes are those of drums"),
    "no_tempo": ("1 tempo of 0 is passed over", "{} tempi of 0 are passed over"),
}


def _remarks(entry: Mapping[str, Any]) -> list[str]:
    """What a reader of the report should not miss, in words."""
    counts = {name: entry[name] for name in _REMARKS if entry[name]}
    remarks = [_REMARKS[name][count > 1].format(count) for name, count in counts.items()]
    if entry["piece"] not in (None, "", entry["path"]):
        remarks.append(f"it is a version of {entry['piece']}")
    return remarks


def _first_notes(score: Score, count: int) -> list[dict[str, Any]]:
    """The first notes as they sound; ``step`` is the time since the note before began."""
    notes, key = score.notes[:count], key_of(score)
    start = score.ticks_to_seconds(notes["onset"])
    end = score.ticks_to_seconds(notes["onset"] + notes["duration"])
    step = np.diff(start, prepend=0.0)
    return [
        {
            "name": note_in(int(note["pitch"]), key),
            "pitch": int(note["pitch"]),
            "start": round(float(start[i]), 4),
            "end": round(float(end[i]), 4),
            "step": round(float(step[i]), 4),
            "duration": round(float(end[i] - start[i]), 4),
            "velocity": int(note["velocity"]),
            "part": int(note["part"]),
        }
        for i, note in enumerate(notes)
    ]


def _totals(files: list[dict[str, Any]], others: int) -> dict[str, Any]:
    kept = [file for file in files if file["status"] == "kept"]
    sides: dict[str, set[str]] = {}
    for file in kept:
        sides.setdefault(file["piece"] or file["path"], set()).add(file["split"])
    counted = ("notes_used", "seconds", "drums", "outside_piano", "overlapping", "never_ending", "no_length")
    return {
        "files": len(files),
        **{status.replace(" ", "_"): sum(f["status"] == status for f in files) for status in STATUSES},
        "others": others,
        "pieces": len(sides),
        "pieces_on_two_sides": sum(len(splits) > 1 for splits in sides.values()),
        "splits": {
            split: {
                "files": sum(file["split"] == split for file in kept),
                "pieces": sum(split in splits for splits in sides.values()),
            }
            for split in SPLITS
        },
        **{name: round(sum(file[name] or 0 for file in kept), 2) for name in counted},
    }


def _shown(name: str) -> str:
    """A path as text: names of files need not be."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
