import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import io
from kantor.corpora import SPLITS, Corpus, CorpusPiece, Folder, Selection, select, sift
from kantor.errors import InputError, OptionError
from kantor.score import Key, Meter, Part, Score
from strategies import scores

ROWS = [(i * 480, 480, 60 + i % 5, 80, i % 2) for i in range(8)]
PARTS = (Part("Flute", 73), Part("Drums", is_drum=True))


def music(rows=ROWS, parts=PARTS, **known):
    return Score.from_notes(rows, parts=parts, **known)


def corpus(**pieces):
    members = tuple(CorpusPiece(name, score, "train", name) for name, score in sorted(pieces.items()))
    return Corpus("pieces", "free", members, (("broken", "it is damaged"),))


def test_the_default_leaves_everything_as_it_is():
    some = corpus(a=music())
    assert select(some, Selection()) is some


def test_keys_are_those_of_signatures_and_else_of_the_notes():
    tonic = [(i * 480, 480, pitch, 80, 0) for i, pitch in enumerate((60, 64, 67, 65, 62, 59, 60))]
    some = corpus(
        said=music(keys=(Key(0, 0, "major"),)),
        other=music(keys=(Key(0, 0, "minor"), Key(480, 0, "major"))),
        sounds=music(tonic),
        unknown=music(ROWS[1::2]),
    )
    kept = select(some, Selection(key="C major"))
    assert [piece.name for piece in kept.pieces()] == ["said", "sounds"]
    assert kept.report == (
        ("broken", "it is damaged"),
        ("other", "it is in A minor, expected C major"),
        ("unknown", "its key is not known"),
    )


@pytest.mark.parametrize(("asked", "signature"), [("Am", Key(0, 0, "minor")), ("Db", Key(0, 7, "major"))])
def test_a_key_is_a_key_however_it_is_written(asked, signature):
    assert len(select(corpus(a=music(keys=(signature,))), Selection(key=asked))) == 1


def test_a_meter_holds_throughout():
    some = corpus(
        plain=music(meters=(Meter(0, 3, 4),)),
        again=music(meters=(Meter(0, 3, 4), Meter(1440, 3, 4))),
        changing=music(meters=(Meter(0, 3, 4), Meter(1440, 4, 4))),
        halves=music(meters=(Meter(0, 6, 8),)),
        unknown=music(),
    )
    kept = select(some, Selection(meter=" 3 / 4"))
    assert [piece.name for piece in kept.pieces()] == ["again", "plain"]
    assert dict(kept.report) == {
        "broken": "it is damaged",
        "changing": "it is in 3/4, 4/4, expected 3/4 throughout",
        "halves": "it is in 6/8, expected 3/4 throughout",
        "unknown": "its meter is not known",
    }


def test_notes_are_counted_after_the_tracks_are_chosen():
    some = corpus(a=music(), b=music(ROWS[::2]))
    assert len(select(some, Selection(min_notes=4))) == 2
    kept = select(some, Selection(min_notes=8))
    assert [piece.name for piece in kept.pieces()] == ["a"]
    with pytest.raises(InputError, match=r"none of 2 does \(a: it has 4 notes, expected 5 or more\)"):
        select(some, Selection(tracks="all", min_notes=5))


def test_tracks_that_are_not_there_are_reported():
    some = corpus(flute=music(), piano=music(parts=(Part("Piano"), Part("Flute", 73))))
    kept = select(some, Selection(tracks="piano"))
    (piece,) = kept.pieces()
    assert (piece.name, piece.split, piece.group) == ("piano", "train", "piano")
    assert piece.score.parts == (Part("Piano"),)
    assert dict(kept.report)["flute"].startswith("expected notes of a piano")


def numbered(*counts):
    members = [
        CorpusPiece(f"{split}{i:03}", music(), split)
        for split, count in zip(SPLITS, counts, strict=True)
        for i in range(count)
    ]
    return Corpus("many", "", tuple(sorted(members, key=lambda piece: piece.name)))


@given(st.tuples(*[st.integers(0, 40)] * 3).filter(any), st.integers(1, 60))
def test_a_limit_takes_each_split_by_its_share_and_a_higher_one_takes_more(counts, limit):
    some = numbered(*counts)
    kept = select(some, Selection(limit=limit))
    assert len(kept) == min(limit, len(some))
    more = select(some, Selection(limit=limit + 1))
    assert {piece.name for piece in kept.pieces()} <= {piece.name for piece in more.pieces()}
    for split, count in zip(SPLITS, counts, strict=True):
        assert abs(kept.counts[split] - len(kept) * count / len(some)) < 3
        assert kept.counts[split] or not count or limit < 3
    assert len(kept) + len(kept.report) == len(some)


def test_a_limit_does_not_follow_the_alphabet():
    kept = select(numbered(100, 0, 0), Selection(limit=10)).pieces()
    assert [piece.name for piece in kept] != [f"train{i:03}" for i in range(10)]
    assert kept == sorted(kept, key=lambda piece: piece.name)


@given(st.lists(scores(), min_size=1, max_size=5), st.data())
def test_every_piece_is_kept_or_reported(drawn, data):
    some = Corpus("drawn", "", tuple(CorpusPiece(f"{i}", score, "train") for i, score in enumerate(drawn)))
    selection = Selection(
        tracks=data.draw(st.sampled_from(["", "all", "piano", "melody"])),
        key=data.draw(st.sampled_from(["", "C", "Gm"])),
        meter=data.draw(st.sampled_from(["", "4/4"])),
        limit=data.draw(st.sampled_from([None, 1, 3])),
        min_notes=data.draw(st.sampled_from([0, 5])),
    )
    kept = sift(some, selection)
    names = [piece.name for piece in kept.members] + [name for name, _ in kept.report]
    assert sorted(names) == [piece.name for piece in some.members]
    assert all(reason for _, reason in kept.report)
    assert sift(kept, Selection(key=selection.key, meter=selection.meter)).members == kept.members or selection.tracks


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tracks": "drums"}, "no choice of tracks named 'drums'"),
        ({"key": "H major"}, "expected a key, got 'H major'"),
        ({"meter": "4/5"}, "expected a meter"),
        ({"limit": 0}, "expected a limit of 1 piece or more, got 0"),
        ({"min_notes": -1}, "expected min-notes of 0 or more, got -1"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_at_once(wrong, said):
    with pytest.raises(OptionError, match=said):
        Selection(**wrong)


def test_a_folder_is_a_corpus_like_any_other(tmp_path):
    for name, meter in (("waltz", Meter(0, 3, 4)), ("march", Meter(0, 4, 4))):
        io.save(music(meters=(meter,)), tmp_path / f"{name}.mid")
    folder = Folder(tmp_path, progress=False)
    kept = select(folder, Selection(meter="3/4"))
    assert [piece.name for piece in kept.pieces()] == ["waltz.mid"]
    assert (kept.name, kept.licence) == (folder.name, folder.licence)
