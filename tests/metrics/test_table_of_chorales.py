"""The figures that are published of the chorales, and of those that a neural model made, come out to their digits.

Definitions: every pair of the four voices, frame to frame on the grid of sixteenths; parallels and direct intervals per
1,000 pairs in which both voices change pitch. Entropy and scale consistency are weighed by duration.
"""

import pickletools
import zipfile

import numpy as np
import pytest

from kantor.evaluation.features import hear_set
from kantor.evaluation.sets import against, estimates
from kantor.io import load
from kantor.io.grid_csv import read

#: figure -> (train, valid, fakes), as many digits as are published.
TABLE = {
    "hold-share": (".780", ".787", ".771"),
    "onsets-per-frame": (".876", ".847", ".909"),
    "parallel-fifths": (".67", ".80", "4.92"),
    "parallel-octaves": (".61", ".40", "5.05"),
    "moving-pairs": (".144", ".137", ".146"),
    "direct-fifths": ("1.5", "1.4", "1.9"),
    "direct-octaves": (".6", ".7", ".7"),
    "crossing": (".79", ".98", ".38"),
    "overlap": ("1.01", "1.18", ".53"),
    "wide-spacing": (".66", ".56", ".39"),
    "outside-range": ("0", "0", ".17"),
    "step-share": (".742", ".758", ".772"),
    "wide-leap-share": (".026", ".021", ".021"),
    "triad-share": (".687", ".682", ".673"),
    "pitch-class-entropy": ("2.94", "2.92", "2.95"),
    "scale-consistency": (".937", ".940", ".940"),
}
#: Standard deviations over pieces: (train, valid, fakes).
DEVIATIONS = {"pitch-class-entropy": (".12", ".13", ".12")}


def fakes(path):
    """The 500 generated chorales, whose archive holds an array of objects; it is looked at before it is unpickled."""
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".npy")][:1]
        with archive.open(name) as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            called = [argument for code, argument, _ in pickletools.genops(file.read()) if code.name == "GLOBAL"]
    assert {argument.split()[0].split(".")[0] for argument in called} <= {"numpy", "_codecs"}
    grids = np.load(path, allow_pickle=True, encoding="latin1")[name.removesuffix(".npy")]
    for number, grid in enumerate(grids):
        cells = np.nan_to_num(np.asarray(grid, dtype=float)).astype(int)
        lines = [",".join(map(str, row)) for row in np.maximum(cells, 0).tolist()]
        yield f"fake {number}", read("\n".join(["note0,note1,note2,note3", *lines]).encode(), "fake")


@pytest.fixture(scope="module")
def sets(shared_data):
    def split(name):
        return [(path.name, load(path)) for path in sorted((shared_data / "jsb" / name).glob("*.csv"))]

    made = list(fakes(shared_data / "js-fakes-16thSeparated.npz"))
    return hear_set(split("train")), hear_set(split("valid")), hear_set(made)


def rounded(value, text):
    """The value with as many digits as ``text`` has, as a number."""
    return round(value, len(text.partition(".")[2]))


def test_the_table_comes_out(sets):
    assert [len(heard) for heard in sets] == [229, 76, 500]
    for column, heard in enumerate(sets):
        found = estimates(heard, resamples=50)
        ours = {name: rounded(found[name].value, row[column]) for name, row in TABLE.items()}
        assert ours == {name: float(row[column]) for name, row in TABLE.items()}
        spread = {name: rounded(found[name].deviation, row[column]) for name, row in DEVIATIONS.items()}
        assert spread == {name: float(row[column]) for name, row in DEVIATIONS.items()}


def test_a_classifier_tells_generated_chorales_from_bachs_and_bach_not_from_bach(sets):
    train, valid, made = sets
    alike = against(valid, train, resamples=50)
    assert alike.two_sample.low <= 0.5 <= alike.two_sample.high
    other = against(made, train, resamples=50)
    assert other.two_sample.low > 0.8
    assert other.frechet > 2 * alike.frechet
    parallels = other.figures["parallel-octaves"]
    assert parallels.low > 3  # 4.4 more per 1,000 moving pairs
