import json
import math
from pathlib import Path

import numpy as np
import pytest

from kantor.corpora import Folder, jsb, load
from kantor.errors import FileFormatError, InputError
from kantor.score import VOICES

TINY = {
    "train": [[[72, 67, 64, 48]] * 4 + [[74, -1, 65, 50]] * 2, [[60, 55, 52, 48]] * 4],
    "valid": [[[71, 67, 62, 55]] * 8],
    "test": [[[69, 64, 60, 45]] * 3],
}


@pytest.fixture
def offer(server, cache, monkeypatch):
    """Offers a JSON, by default as if it were the published one."""
    monkeypatch.setenv("KANTOR_MIRROR", server.address)

    def offered(splits, published=True):
        server.files["/Jsb16thSeparated.json"] = json.dumps(splits).encode()
        if published:
            known = {split: (len(grids), sum(map(len, grids)), "") for split, grids in splits.items()}
            monkeypatch.setattr(jsb, "PUBLISHED", known)

    return offered


def test_a_grid_becomes_four_voices(offer):
    offer(TINY)
    corpus = load("jsb", progress=False)
    assert corpus.counts == {"train": 2, "valid": 1, "test": 1}
    assert [piece.name for piece in corpus.pieces()] == [f"chorale_{i:03}" for i in range(4)]
    assert "public domain" in corpus.licence
    score = corpus.split("train")[0].score
    assert tuple(part.name for part in score.parts) == VOICES
    alto = score.notes[score.notes["part"] == 1]
    assert (alto["pitch"].tolist(), alto["onset"].tolist(), alto["duration"].tolist()) == ([67], [0], [480])
    assert score.notes["pitch"][score.notes["part"] == 0].tolist() == [72, 74]
    assert score.length_ticks == 720
    assert not score.meters


@pytest.mark.parametrize("silence", [0, -1, -1.0, math.nan, None])
def test_silence_is_written_in_many_ways(offer, silence):
    offer(TINY | {"test": [[[69, silence, 60.0, 45]] * 3]})
    score = load("jsb", progress=False).split("test")[0].score
    assert score.notes["part"].tolist() == [0, 2, 3]


def test_the_second_use_asks_nobody_and_is_checked(offer, server, cache):
    offer(TINY)
    first = load("jsb", progress=False)
    assert load("jsb", progress=False).hash == first.hash
    assert len(server.asked) == 1
    place = cache / "Jsb16thSeparated.json"
    place.write_bytes(place.read_bytes().replace(b"72", b"73"))
    with pytest.raises(InputError, match="recorded at its first use, got another"):
        load("jsb", progress=False)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"train": [], "valid": []},
        TINY | {"test": [[[69, 64, 60]]]},
        TINY | {"test": [[]]},
        TINY | {"test": [[["C4", 64, 60, 45]]]},
        TINY | {"test": [[[128, 64, 60, 45]]]},
        TINY | {"test": [[[60.5, 64, 60, 45]]]},
        TINY | {"test": [[[math.inf, 64, 60, 45]]]},
        TINY | {"test": [[[-2, 64, 60, 45]]]},
        TINY | {"test": 3},
    ],
)
def test_what_is_no_such_json_is_refused_and_not_kept(offer, cache, wrong):
    offer(wrong, published=False)
    with pytest.raises(FileFormatError, match=r"expected the JSB chorales as JSON in .*; try again"):
        load("jsb", progress=False)
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == []


def test_a_page_that_asks_to_log_in_is_refused(offer, server, cache):
    server.files["/Jsb16thSeparated.json"] = b"<html>Please log in</html>"
    with pytest.raises(FileFormatError, match="got something else"):
        load("jsb", progress=False)


def test_other_chorales_than_the_published_ones_are_refused(offer, cache):
    offer(TINY, published=False)
    with pytest.raises(FileFormatError, match="the 229 published chorales of train, got 2 others; try again"):
        load("jsb", progress=False)
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == []


# ---- against the CSV edition of the same grids, made by others ----


def csv_edition(folder: Path) -> dict[str, list]:
    """The CSV files as the JSON has them; the 77 pieces of test are stand-ins of the right size."""
    splits = {"test": [[[60, 55, 52, 48]] * 245] * 76 + [[[60, 55, 52, 48]] * 280]}
    for split in ("train", "valid"):
        grids = [np.loadtxt(file, int, delimiter=",", skiprows=1) for file in sorted((folder / split).glob("*.csv"))]
        splits[split] = [np.where(grid == 0, -1, grid).tolist() for grid in grids]
    return splits


def test_the_json_edition_gives_the_scores_of_the_csv_edition(offer, shared_data):
    offer(csv_edition(shared_data / "jsb"), published=False)  # what is published is what is checked
    corpus = load("jsb", progress=False)
    assert corpus.counts == {"train": 229, "valid": 76, "test": 77}
    theirs = Folder(shared_data / "jsb", progress=False)
    for split in ("train", "valid"):
        mine = {f"{split}/{piece.name}.csv": piece.score for piece in corpus.split(split)}
        assert mine == {piece.name: piece.score for piece in theirs.split(split)}


def test_one_other_note_is_found_out(offer, shared_data):
    splits = csv_edition(shared_data / "jsb")
    splits["valid"][40][-1][0] += 1
    offer(splits, published=False)
    with pytest.raises(FileFormatError, match="the 76 published chorales of valid, got 76 others"):
        load("jsb", progress=False)


def test_the_size_of_the_file_is_that_of_the_published_one(shared_data):
    """1 666 444 bytes: what json.dump makes of these grids, in which every number takes two characters."""
    assert len(json.dumps(csv_edition(shared_data / "jsb"))) == jsb.SOURCE.size_bytes
