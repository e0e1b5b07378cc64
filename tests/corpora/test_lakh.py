import hashlib
import io
import tarfile
from dataclasses import replace

import mido
import pytest

from kantor.corpora import CorpusPiece, lakh, load
from kantor.errors import InputError
from kantor.score import Score

NOTHING = Score.from_notes([])


def midi(*pitches):
    file = mido.MidiFile()
    track = mido.MidiTrack()
    for pitch in pitches:
        track += [mido.Message("note_on", note=pitch), mido.Message("note_off", note=pitch, time=480)]
    file.tracks.append(track)
    file.save(file=(buffer := io.BytesIO()))
    return buffer.getvalue()


@pytest.fixture
def offer(cache, tmp_path, monkeypatch):
    """Offers an archive of songs as if it were the published one."""
    monkeypatch.setenv("KANTOR_MIRROR", str(tmp_path))

    def offered(files, known=True):
        place = tmp_path / "clean_midi.tar.gz"
        with tarfile.open(place, "w:gz") as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(f"clean_midi/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        if known:
            checksum = hashlib.sha256(place.read_bytes()).hexdigest()
            monkeypatch.setattr(lakh, "SOURCE", replace(lakh.SOURCE, sha256=checksum, size_bytes=100))

    return offered


def test_songs_are_read_and_broken_ones_reported(offer):
    songs = {"ABBA/Waterloo.mid": midi(60), "a-ha/Take On Me.1.mid": midi(62), "ABBA/Broken.mid": b"MThd", "x.txt": b""}
    offer(songs)
    with pytest.warns(UserWarning, match="1 of 3 files"):
        corpus = load("lakh", progress=False)
    assert [piece.name for piece in corpus.pieces()] == ["ABBA/Waterloo.mid", "a-ha/Take On Me.1.mid"]
    assert [name for name, _ in corpus.report] == ["ABBA/Broken.mid"]
    assert corpus.name == "lakh"
    assert "CC BY 4.0" in corpus.licence
    assert corpus.pieces()[1].score.notes["pitch"].tolist() == [62]


def test_copies_of_one_song_lie_on_one_side(offer):
    tune = [60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60, 55, 60, 62, 59, 60] * 4
    offer({f"Band {i}/Song.mid": midi(*tune) for i in range(20)})
    corpus = load("lakh", progress=False)
    assert len(corpus) == 20
    assert len({piece.split for piece in corpus.pieces()}) == 1
    assert {piece.group for piece in corpus.pieces()} == {"Band 0/Song.mid"}


def split(name, group=""):
    return lakh.split_of(CorpusPiece(name, NOTHING, "train", group))


def test_an_artist_stays_together_and_about_a_seventh_each_is_valid_and_test():
    for artist in range(50):
        assert len({split(f"{name} {artist}/Song {i}.mid") for name in ("Band", "BAND") for i in range(5)}) == 1
    chosen = [split(f"Band {artist}/Song.mid") for artist in range(4000)]
    shares = [chosen.count(name) / 4000 for name in ("train", "valid", "test")]
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.02)


def test_a_version_goes_with_the_first_one():
    for artist in range(50):
        first = f"Band {artist}/Song.mid"
        assert split("Choir/Song.mid", first) == split(first, first)


def test_another_archive_than_the_known_one_is_refused(offer):
    offer({"A/Song.mid": midi(60)}, known=False)
    with pytest.raises(InputError, match=r"SHA-256 de1bb64c.*; the file is removed"):
        load("lakh", progress=False)
