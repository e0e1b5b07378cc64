"""Nats a note of a composed piece are counted as `kantor evaluate` counts them."""

import numpy as np
import pytest

from fakes import bundle, playing
from kantor.evaluation.likelihood import likelihood
from kantor.representations.chorale import Chorale
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.score import Meter, Part, Score
from kantor.verbs.continue_ import continue_
from kantor.verbs.generate import generate

KINDS = {"notes": Notes(), "rolls": Roll("binary"), "frames": Frames(), "regression": Regression()}
ASKED = {"bars": 3, "meter": "4/4", "pickup": 0, "seed": 2}


@pytest.mark.parametrize("representation", KINDS.values(), ids=KINDS)
def test_the_sum_over_all_decisions_is_divided_by_the_notes_that_sound(network, monkeypatch, representation):
    network(playing)
    sums = []

    def compose(*given, **options):
        takes = kept(*given, **options)
        sums.extend(float(take.nats.sum()) for take in takes.values())
        return takes

    from kantor.verbs import generate as module

    kept = module.compose
    monkeypatch.setattr(module, "compose", compose)
    (piece,) = generate(bundle(representation), **ASKED)
    assert piece.notes_decided == len(piece.score) > 0
    assert piece.nats_per_note * len(piece.score) == pytest.approx(sums[0])


@pytest.mark.parametrize(
    "representation", [Chorale("plain"), Roll("binary"), Notes()], ids=["chorale", "roll", "notes"]
)
def test_a_piece_is_as_likely_to_the_model_that_wrote_it_as_evaluate_says(network, representation):
    """Where the model is told nothing that evaluate hides, and the music has one encoding."""
    made = network(playing)
    (piece,) = generate(bundle(representation), **ASKED)
    judged = likelihood(made[-1], representation, [piece.score])
    if isinstance(representation, Notes):  # notes of one moment and pitch may have been merged, and a rest ends it
        assert judged.notes <= piece.notes_decided
    else:
        assert judged.notes == piece.notes_decided
        assert judged.nats_per_note == pytest.approx(piece.nats_per_note, rel=1e-4)


@pytest.mark.parametrize("representation", KINDS.values(), ids=KINDS)
def test_the_notes_of_a_prompt_are_not_counted(network, representation):
    network(playing)
    rows = [(480 * n, 480, 60 + n % 5, 80, 0) for n in range(16)]
    given = Score.from_notes(rows, parts=(Part("Piano"),), meters=(Meter(0, 4, 4),))
    (piece,) = continue_(given, bundle(representation), bars=3, seed=1)
    assert piece.notes_decided == len(piece.score) - len(given)
    assert np.isfinite(piece.nats_per_note)


def test_a_chorales_notes_are_its_cells_silence_included(network):
    network(lambda inputs, steps, memory, n: np.zeros((*steps.shape, n)))
    (piece,) = generate(bundle(), bars=2, meter="3/4", pickup=0, seed=1)
    assert piece.notes_decided == 2 * 12 * 4
    assert piece.nats_per_note == pytest.approx(np.log(48))
