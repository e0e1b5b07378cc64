from pathlib import Path

import pytest

from kantor import corpora, registry
from kantor.corpora import Corpus, CorpusPiece
from kantor.errors import InputError, UnknownNameError
from kantor.score import Meter, Score

SCALE = Score.from_notes([(i * 480, 480, 60 + i, 64, 0) for i in range(8)], meters=(Meter(0, 4, 4),))


def corpus(*splits, score=SCALE):
    pieces = tuple(CorpusPiece(f"piece {i}", score, split) for i, split in enumerate(splits))
    return Corpus("scales", "public domain", pieces)


def test_named_corpora_are_those_of_the_public_files():
    files = {path.stem for path in Path(corpora.__file__).parent.glob("*.py")}
    assert set(registry.names("corpora")) == {name for name in files if not name.startswith("_")}
    assert "bach" in registry.names("corpora")
    with pytest.raises(UnknownNameError, match="Did you mean 'bach'"):
        corpora.load("back")


def test_pieces_come_by_split():
    some = corpus("train", "train", "valid")
    assert [piece.name for piece in some.split("train")] == ["piece 0", "piece 1"]
    assert some.pieces("valid") == some.split("valid")
    assert len(some.pieces()) == len(some) == 3
    assert some.counts == {"train": 2, "valid": 1, "test": 0}


def test_a_split_that_is_unknown_or_empty_is_one_sentence():
    with pytest.raises(UnknownNameError, match=r"no split named 'vaild'. Did you mean 'valid'"):
        corpus("train").split("vaild")
    with pytest.raises(InputError, match=r"split 'test' of scales, got none \(train has 1\)"):
        corpus("train").split("test")


def test_the_hash_follows_the_contents():
    same = corpus("train", "valid").hash
    assert same == corpus("train", "valid").hash
    assert len({same, corpus("train", "test").hash, corpus("train").hash}) == 3
    assert same != corpus("train", "valid", score=SCALE.replace(meters=(Meter(0, 3, 4),))).hash
    assert same != corpus("train", "valid", score=SCALE.replace(notes=SCALE.notes[:-1], length_ticks=3840)).hash


def test_names_that_are_no_text_do_not_keep_a_corpus_from_having_a_hash():
    piece = CorpusPiece("\udcff.mid", SCALE, "train")
    assert Corpus("odd", "", (piece,)).hash != corpus("train").hash


def test_a_piece_belongs_to_no_group_unless_somebody_has_looked():
    assert CorpusPiece("piece", SCALE, "train").group == ""
