import hashlib

from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora import SPLITS
from kantor.corpora._split import by_contents


def digests(count, salt=""):
    return {str(i): hashlib.sha256(f"{salt}{i}".encode()).hexdigest() for i in range(count)}


hexadecimal = st.text("0123456789abcdef", min_size=16, max_size=16)


@given(st.dictionaries(st.text(max_size=4), hexadecimal, min_size=3, max_size=60))
def test_from_three_pieces_on_no_split_is_empty_nor_below_two_thirds_of_its_share(pieces):
    chosen = list(by_contents(pieces).values())
    assert set(chosen) == set(SPLITS)
    for split, share in zip(SPLITS, (70, 15, 15), strict=True):
        assert chosen.count(split) >= len(pieces) * share * 2 // 300


@given(st.dictionaries(st.text(max_size=4), hexadecimal, max_size=2))
def test_one_or_two_pieces_go_somewhere(pieces):
    assert by_contents(pieces).keys() == pieces.keys()


def test_pieces_that_are_evenly_spread_are_split_70_15_15():
    chosen = list(by_contents({str(i): f"{i * (2**64 // 1000):016x}" for i in range(1000)}).values())
    assert [chosen.count(split) for split in SPLITS] == [700, 150, 150]


def test_shares_are_70_15_15_but_for_chance():
    for salt in "abc":
        chosen = list(by_contents(digests(2000, salt)).values())
        for split, share in zip(SPLITS, (0.7, 0.15, 0.15), strict=True):
            assert abs(chosen.count(split) / 2000 - share) < 0.03


def test_a_piece_stays_where_it_is_when_others_come():
    few, many = by_contents(digests(100)), by_contents(digests(300))
    assert sum(few[piece] != many[piece] for piece in few) <= 5  # those next to a cut that had to move
    assert {piece: split for piece, split in by_contents(digests(3000)).items() if piece in many} == many


def test_names_have_no_say():
    some = digests(50)
    renamed = {f"new {name}": digest for name, digest in some.items()}
    assert [by_contents(some)[name] for name in some] == [by_contents(renamed)[f"new {name}"] for name in some]
