"""The clean subset of the Lakh MIDI dataset: some 17,000 files of popular music, in folders of their artists.

Files by many hands: parts of any number, drums among them, meters and keys often wrong, some files broken (they are
in the report). No split is published. Here an artist decides, by the hash of the name, 70 : 15 : 15, the same on every
machine; and whatever was found to be a version of another song, a copy or a transposition, goes with that one
(``_kinship.py``). So neither an artist's manner nor a song is met again on the other side, as far as it can be told.

The archive is downloaded once, 234 MB, and takes several times as much when unpacked. Its makers publish no SHA-256;
the one here is what three projects independently recorded for their own downloads. Source: Raffel 2016,
"Learning-Based Methods for Comparing Sequences, with Applications to Audio-to-MIDI Alignment and Matching",
https://colinraffel.com/projects/lmd.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from kantor.corpora._corpus import Corpus, CorpusPiece, Split
from kantor.corpora._download import Source, fetch_folder
from kantor.corpora._folder import Folder

__all__ = ["LICENCE", "PART", "SOURCE", "load"]

LICENCE = (
    "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/): the Lakh MIDI dataset by Colin Raffel, who asks to be "
    "referenced (PhD thesis, 2016). The songs belong to others: what is made of them may need their permission."
)

SOURCE = Source(
    url="http://hog.ee.columbia.edu/craffel/lmd/clean_midi.tar.gz",  # not encrypted: what is fetched is the checksum's
    licence=LICENCE,
    size_bytes=234_283_029,
    sha256="de1bb64cbc0cf35545a05b5c3e786aa6890cfa144edffc4b827ff41bf8c33dc5",
)

_LIMIT_BYTES = 3_000_000_000


def load(*, progress: bool = True) -> Corpus:
    """The songs, downloaded the first time; ``progress`` shows bars on stderr.

    A piece bears the name of its file, ``ARTIST/TITLE.mid``, versions of one song as ``TITLE.1.mid`` and so on.

    Raises
    ------
    InputError
        If the archive cannot be had, or is not the right one.
    OutputError
        If there is no room to keep it.
    """
    folder = fetch_folder(SOURCE, {".mid": "music"}, limit_bytes=_LIMIT_BYTES, progress=progress)
    found = Folder(folder / "music" / "clean_midi", progress=progress)
    members = tuple(replace(piece, split=split_of(piece)) for piece in found.members)
    return Corpus("lakh", LICENCE, members, found.report)


PART = load


def split_of(piece: CorpusPiece) -> Split:
    """The split of a song: that of the artist of its first version, letter case apart."""
    artist = (piece.group or piece.name).split("/")[0].casefold()
    place = int.from_bytes(hashlib.sha256(artist.encode("utf-8", "surrogateescape")).digest()[:8]) / 2**64
    return "train" if place < 0.70 else "valid" if place < 0.85 else "test"
