import hashlib
import io
import zipfile
from collections import Counter
from dataclasses import replace

import mido
import numpy as np
import pytest

from kantor.corpora import load, maestro
from kantor.errors import FileFormatError, InputError

TOP = "maestro-v3.0.0"
HEADER = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration\n"


def midi(*pitches):
    """A performance as a Disklavier writes it: one second a note, by mido."""
    file = mido.MidiFile(ticks_per_beat=384)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    for pitch in pitches:
        track += [mido.Message("note_on", note=pitch, velocity=70), mido.Message("note_off", note=pitch, time=768)]
    file.tracks += [mido.MidiTrack([mido.MetaMessage("track_name", name="about")]), track]
    file.save(file=(buffer := io.BytesIO()))
    return buffer.getvalue()


def row(split, name):
    return f'Frédéric Chopin,"Nocturne, Op. 9",{split},2018,{name},{name}.wav,1.5\n'


@pytest.fixture
def offer(cache, tmp_path, monkeypatch):
    """Offers an archive of files as if it were the published one."""
    monkeypatch.setenv("KANTOR_MIRROR", str(tmp_path))

    def offered(files, table, known=True):
        with zipfile.ZipFile(tmp_path / f"{TOP}-midi.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(f"{TOP}/{name}", data)
            archive.writestr(f"{TOP}/{TOP}.csv", HEADER + "".join(table))
            archive.writestr(f"{TOP}/LICENSE", "CC")
        if known:
            checksum = hashlib.sha256((tmp_path / f"{TOP}-midi.zip").read_bytes()).hexdigest()
            monkeypatch.setattr(maestro, "SOURCE", replace(maestro.SOURCE, sha256=checksum, size_bytes=100))

    return offered


def test_the_published_split_is_kept(offer):
    names = ["2004/a.midi", "2018/b--1.midi", "2018/c.midi", "2018/d.midi"]
    splits = ["test", "train", "validation", "train"]
    offer({name: midi(60 + i, 64) for i, name in enumerate(names)}, map(row, splits, names))
    corpus = load("maestro", progress=False)
    assert {piece.name: piece.split for piece in corpus.pieces()} == dict(
        zip(names, ["test", "train", "valid", "train"], strict=True)
    )
    assert corpus.name == "maestro"
    assert "CC BY-NC-SA 4.0" in corpus.licence
    assert corpus.report == ()
    score = corpus.split("valid")[0].score
    assert score.notes["pitch"].tolist() == [62, 64]
    assert score.ticks_to_seconds(score.notes["onset"]) == pytest.approx(np.array([0.0, 2.0]) / 2)
    assert score.seconds == pytest.approx(2.0)


def test_what_table_and_archive_do_not_share_is_reported(offer):
    files = {"2004/a.midi": midi(60), "2004/extra.midi": midi(61), "2004/broken.midi": b"MThd, but no more"}
    offer(files, [row("train", "2004/a.midi"), row("test", "2004/gone.midi"), row("test", "2004/broken.midi")])
    with pytest.warns(UserWarning, match="1 of 3 files"):
        corpus = load("maestro", progress=False)
    assert Counter(piece.split for piece in corpus.pieces()) == {"train": 1}
    report = dict(corpus.report)
    assert report["2004/gone.midi"] == "the archive does not hold it"
    assert report["2004/extra.midi"] == "the table of MAESTRO does not name it"
    assert report.keys() == {"2004/gone.midi", "2004/extra.midi", "2004/broken.midi"}


@pytest.mark.parametrize("table", [[], [row("dev", "2004/a.midi")]])
def test_a_table_without_splits_is_one_sentence(offer, monkeypatch, table):
    if not table:
        monkeypatch.setattr(f"{__name__}.HEADER", "other,columns\n1,2\n")
    offer({"2004/a.midi": midi(60)}, table)
    with pytest.raises(FileFormatError, match=r"columns midi_filename and split .*; try deleting"):
        load("maestro", progress=False)


def test_another_archive_than_the_published_one_is_refused(offer, cache):
    offer({"2004/a.midi": midi(60)}, [row("train", "2004/a.midi")], known=False)
    with pytest.raises(InputError, match=r"SHA-256 70470ee2.*; the file is removed"):
        load("maestro", progress=False)
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == []


def test_the_second_use_needs_no_archive(offer, tmp_path):
    offer({"2004/a.midi": midi(60)}, [row("train", "2004/a.midi")])
    first = load("maestro", progress=False)
    (tmp_path / f"{TOP}-midi.zip").unlink()
    assert load("maestro", progress=False).hash == first.hash
