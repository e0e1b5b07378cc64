"""Which pieces of a corpus, and which of their parts: a choice that is made before anything is learned or measured."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from kantor.corpora._corpus import SPLITS, Corpus, CorpusPiece
from kantor.corpora._keys import key_of
from kantor.corpora._tracks import TRACKS, tracks_of
from kantor.errors import InputError, OptionError, ScoreError, UnknownNameError
from kantor.score import Score
from kantor.theory import key_name, parse_key, parse_meter, tonic

__all__ = ["Selection", "select", "sift"]


@dataclass(frozen=True)
class Selection:
    """What to keep of a corpus; the default keeps everything as it is.

    Attributes
    ----------
    tracks     "all", "piano" or "melody" merge parts, as :func:`~kantor.corpora.tracks_of` does; "" leaves them.
    key        "C major", "Am": pieces in that key alone. A piece's key is its first signature; where it has none, the
               estimate of its notes; where its notes tell none either, the piece is left out. Files of MIDI tend to
               call minor keys by their relative major, and are believed.
    meter      "4/4": pieces that are in this meter throughout, and say so.
    limit      so many pieces at most, >= 1: an order by a hash of their names decides, so that they come from anywhere
               in the alphabet, each split by its share and, from three pieces on, none without; what a lower limit
               keeps, a higher one keeps too.
    min_notes  pieces of so many notes at least, >= 0, counted after ``tracks``.
    quantise   move onsets and ends to a grid of so many a quarter, 1..96; None leaves them where they are.

    Raises
    ------
    OptionError
        If a value is none of these.
    """

    tracks: str = ""
    key: str = ""
    meter: str = ""
    limit: int | None = None
    min_notes: int = 0
    quantise: int | None = None

    def __post_init__(self) -> None:
        if self.tracks not in TRACKS:
            raise UnknownNameError("choice of tracks", self.tracks, TRACKS[1:])
        if self.key:
            parse_key(self.key)
        if self.meter:
            parse_meter(self.meter)
        if self.limit is not None and self.limit < 1:
            raise OptionError(f"expected a limit of 1 piece or more, got {self.limit}; leave it out to keep all.")
        if self.min_notes < 0:
            raise OptionError(f"expected min-notes of 0 or more, got {self.min_notes}.")
        if self.quantise is not None and not 1 <= self.quantise <= 96:
            raise OptionError(f"expected a grid of 1 to 96 a quarter, got {self.quantise}; 4 are sixteenths.")


def select(corpus: Corpus, selection: Selection) -> Corpus:
    """What ``selection`` keeps of ``corpus``; what it leaves out is in ``report``, a reason each.

    Raises
    ------
    InputError
        If nothing is left.
    """
    kept = sift(corpus, selection)
    if corpus.members and not kept.members:
        name, reason = next(row for row in kept.report if row not in corpus.report)
        count = len(corpus.members)
        raise InputError(
            f"expected a piece of {corpus.name} that fits the selection, none of {count} does "
            f"({name}: {reason.rstrip('.')}); try to select less narrowly."
        )
    return kept


def sift(corpus: Corpus, selection: Selection) -> Corpus:
    """As :func:`select`, for who wants the reasons even if nothing is left."""
    if selection == Selection():
        return corpus
    kept: list[CorpusPiece] = []
    left_out = list(corpus.report)
    for piece in corpus.members:
        try:
            score = tracks_of(piece.score, selection.tracks)
            if selection.quantise is not None:
                score = quantised(score, selection.quantise)
            reason = _misfit(piece.score, len(score), selection)
        except ScoreError as error:
            score, reason = piece.score, str(error)
        if reason:
            left_out.append((piece.name, reason))
        else:
            kept.append(replace(piece, score=score))
    if selection.limit is not None:
        order = _in_order(kept)
        chosen = set(order[: selection.limit])
        text = f"it is beyond the limit of {selection.limit} of {len(kept)} pieces"
        left_out += [(piece.name, text) for index, piece in enumerate(kept) if index not in chosen]
        kept = [piece for index, piece in enumerate(kept) if index in chosen]
    return Corpus(corpus.name, corpus.licence, tuple(kept), tuple(sorted(left_out)))


def quantised(score: Score, per_quarter: int) -> Score:
    """The score with onsets and ends on a grid of so many a quarter; every note keeps a step of it at least."""
    step = score.ticks_per_quarter / per_quarter
    notes = score.notes.copy()
    end = np.rint(np.floor((notes["onset"] + notes["duration"]) / step + 0.5) * step)
    notes["onset"] = np.rint(np.floor(notes["onset"] / step + 0.5) * step)
    notes["duration"] = np.maximum(end - notes["onset"], max(round(step), 1))
    last = int((notes["onset"] + notes["duration"]).max(initial=0))
    return score.replace(notes=notes, length_ticks=max(score.length_ticks, last))


def _misfit(score: Score, notes: int, selection: Selection) -> str:
    """Why a score does not fit, or nothing."""
    if selection.key:
        wanted, found = parse_key(selection.key), key_of(score)
        if found is None:
            return "its key is not known"
        if (tonic(found), found.mode) != (tonic(wanted), wanted.mode):
            said = "" if score.keys else ", as far as its notes tell"
            return f"it is in {key_name(found)}{said}, expected {key_name(wanted)}"
    if selection.meter:
        meter = str(parse_meter(selection.meter))
        found_meters = list(dict.fromkeys(str(one) for one in score.meters))
        if not found_meters:
            return "its meter is not known"
        if found_meters != [meter]:
            return f"it is in {', '.join(found_meters)}, expected {meter} throughout"
    if notes < selection.min_notes:
        return f"it has {notes} notes, expected {selection.min_notes} or more"
    return ""


def _in_order(pieces: list[CorpusPiece]) -> list[int]:
    """Numbers of the pieces, the first to keep first: by a hash of the name, the splits taking turns by their size."""
    size = Counter(piece.split for piece in pieces)
    done: Counter[str] = Counter()
    keys = {}
    for index in sorted(range(len(pieces)), key=lambda i: hashlib.sha256(_bytes(pieces[i].name)).digest()):
        split = pieces[index].split
        keys[index] = (done[split] / size[split], SPLITS.index(split))
        done[split] += 1
    return sorted(keys, key=lambda index: keys[index])


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")  # names of files need not be text
