"""A whole piece at once, with all that is taken home: a MIDI file, its sound, its piano roll. No page is in here.

What is asked for is a ``start`` message, as the studio's live socket has it; so the studio's presets are asked for as
they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from kantor import io
from kantor.errors import ScoreError
from kantor.score import Score
from kantor.studio import desk, shelf
from kantor.studio.messages import Start
from kantor.studio.scores import score_of
from kantor.verbs.piece import Piece

__all__ = ["MOST_GIVEN", "SAMPLE_RATE", "Finished", "finished", "given_in"]

MOST_GIVEN = 64  # bars of somebody's music that are gone on from
SAMPLE_RATE = 44_100  # Hz


@dataclass(frozen=True)
class Finished:
    """A piece and its files.

    Attributes
    ----------
    piece    as composed, with its recipe and what there is to say of it.
    midi     a MIDI file.
    wav      a WAV file, 44,100 Hz, two channels.
    picture  a PNG file.
    """

    piece: Piece
    midi: bytes
    wav: bytes
    picture: bytes


def finished(start: Start, given: Score | None = None) -> Finished:
    """Compose, play and draw what ``start`` asks for; ``ahead`` and ``prompt`` mean nothing here.

    Parameters
    ----------
    given  music to go on from, which stays as it is; the piece then has its key, meter and tempo, and ``start.bars``
           are added. All parts but drums play the first of ``start.instruments``, where there is one.

    Raises
    ------
    KantorError
        As :func:`kantor.generate` and :func:`kantor.continue_`; UnknownNameError for a model that the package lacks.
    """
    from kantor.render import audio, pianoroll

    piece = _composed(start, given)
    score = audio.played_on(piece.score, start.instruments[0]) if start.instruments else piece.score
    samples = audio.sound(score, sample_rate=SAMPLE_RATE)
    return Finished(
        piece, io.encode(score, ".mid"), audio.encode(samples, SAMPLE_RATE, ".wav"), pianoroll.draw(score, "png")
    )


def _composed(start: Start, given: Score | None) -> Piece:
    """The piece alone, by the verbs of the command line."""
    from kantor.verbs.continue_ import continue_
    from kantor.verbs.generate import generate

    bundle = shelf.model_named(start.model)
    options = start.model_dump(include={"bars", "temperature", "top_p", "soft", "seed"})
    options["rules"] = [*start.rules, *([f"density={start.density}"] if start.density else [])]
    if given is not None:
        return continue_(given, bundle, **options)[0]
    return generate(bundle, **options, **start.model_dump(include={"key", "in_key", "meter", "pickup", "tempo"}))[0]


def given_in(data: bytes, name: str) -> tuple[Score, str]:
    """The music in a file of this name, and what to say of it; of a long one the last :data:`MOST_GIVEN` bars.

    Raises
    ------
    FileFormatError, ScoreError
        If it cannot be read, is too long even to be looked at, or has no notes.
    """
    score = score_of(desk.read(data, name).score).replace(recipe="")
    if not len(score.pitched):
        raise ScoreError("expected music with notes to begin with, got a file without any; try another.")
    starts = score.bars["start"]
    if len(starts) <= MOST_GIVEN:
        return score, ""
    said = f"Of these {len(starts)} bars the last {MOST_GIVEN} are gone on from."
    return score.cut(int(starts[-MOST_GIVEN]), score.length_ticks), said
