"""What would break a rule, told at every step: as the rules find it in a score where that class is written."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_fit import RECIPE, go

from kantor.errors import OptionError, TrainingError
from kantor.networks import Lstm, TwoSided
from kantor.representations.cells import Cells
from kantor.representations.choir import Choir
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.rules import faults
from kantor.sampling.guard import asked
from kantor.score import VOICES, Meter, Part, Score
from kantor.training.blame import Blame
from kantor.training.fit import fit
from kantor.training.learner import blame
from kantor.training.recipe import Recipe
from kantor.verbs._logs import best_epoch, read

RULES = {"no-parallels": asked(["no-parallels"])[0].rule}
GRIDS = [
    Chorale(spelling="plain", order="SBAT"),
    Chorale(spelling="full", order="SATB", inputs=("voice",)),
    Choir(spelling="plain", order="SATB"),
    Choir(spelling="full", order="SBAT", inputs=("phase",)),
]


def lines(seed, quarters=4):
    """Voices in parallel fifths and octaves, some of them broken."""
    rng = np.random.default_rng(seed)
    tops = np.clip(70 + np.cumsum(rng.integers(-2, 3, quarters)), 62, 80)
    below = [0, 7, 12, 24]
    rows = [
        (480 * at, 480, int(top) - below[voice] - int(rng.random() < 0.3), 80, voice)
        for at, top in enumerate(tops)
        for voice in range(4)
    ]
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)), meters=(Meter(0, 4, 4),))


@pytest.mark.parametrize("known", GRIDS, ids=lambda known: f"{known.name}-{known.spelling}")
@settings(max_examples=8)
@given(seed=st.integers(0, 1000), which=st.integers(0, 2))
def test_a_class_of_the_last_voice_is_blamed_where_a_score_with_it_has_a_fault_that_is_not_there_without(
    known, seed, which
):
    score = known.canonical(lines(seed))
    wrong = Blame(known, ["no-parallels"])(score).reshape(-1, 4, known.fields[0].size)
    encoding = known.encode(score)
    cells = encoding.values.reshape(-1, 4)
    frame = 4 * (which + 1)  # where all voices move; the last of the order is decided when all others are known
    silent = 0
    for cell in range(known.fields[0].size):
        written, without = cells.copy(), cells.copy()
        written[frame, 3], without[frame, 3] = cell, silent
        scores = [known.decode(one.reshape(encoding.values.shape), encoding.plan) for one in (written, without)]
        new = {(one.tick, one.voices) for one in faults(scores[0], RULES)}
        old = {(one.tick, one.voices) for one in faults(scores[1], RULES)}
        expected = any(tick == 480 * (which + 1) for tick, _ in new - old) and cell != cells[frame, 3]
        assert wrong[frame, 3, cell] == expected


def test_what_is_there_is_never_blamed():
    score = lines(3)
    assert faults(score, RULES)
    known = GRIDS[3]
    encoding = known.encode(known.canonical(score))
    wrong = Blame(known, ["no-parallels"])(known.canonical(score))
    assert wrong.any()
    assert not np.take_along_axis(wrong, encoding.values[..., None], axis=2).any()


def test_what_is_weighed_is_the_probability_of_no_fault():
    torch.manual_seed(0)
    logits, wrong = torch.randn(5, 7), torch.rand(5, 7) < 0.3
    mass = torch.where(wrong, logits.softmax(-1), 0).sum(-1)
    torch.testing.assert_close(blame(logits, wrong), -(1 - mass).log().sum())
    assert float(blame(logits, torch.zeros_like(wrong))) == pytest.approx(0, abs=1e-5)


def test_rules_that_are_taught_are_learnt(tmp_path):
    """A network that has seen nothing but parallels gives them less, and is chosen by the sum; nats stay nats."""
    known = Choir(spelling="full", inputs=("phase",))
    train = valid = [lines(seed, 8) for seed in range(4)]
    recipe = replace(RECIPE, epochs=60, batch_size=2, learning_rate=2e-2, transpose=0, bare=0.0, unknown=0.0)
    config = Lstm(embedding=8, hidden=16, layers=1, dropout=0.0, head=8)
    found = {}
    for weight in (0.0, 30.0):
        own = replace(recipe, faults=weight)
        found[weight] = fit(
            known, config, own, train, valid, tmp_path / str(weight), accelerator="cpu", say=lambda _: None
        )
    masses = {weight: mass_of(made.network, known, valid) for weight, made in found.items()}
    assert masses[30.0] < 0.6 * masses[0.0]
    # had the penalty been counted in, the figure would exceed what a network that says nothing at all would have
    assert found[30.0].valid_nats < 4 * np.log(known.fields[0].size)


def mass_of(network, known, scores):
    """The probability that falls on faults, a mean over steps."""
    from kantor.data.batches import Pieces

    ((inputs, targets, faults),) = Pieces(scores, known, 8, judge=Blame(known, ["no-parallels"]))
    with torch.no_grad():
        params, _ = network(inputs, network.initial(len(inputs)), targets.clamp(min=0))
    return sum(float((own.softmax(-1) * faults[:, :, k]).sum(-1).mean()) for k, own in enumerate(params))


def test_music_without_voices_and_rules_that_only_weigh_are_refused(tmp_path):
    with pytest.raises(OptionError, match="expected faults to be 0 for events"):
        Blame(Events.PART() if hasattr(Events, "PART") else Events(), ["no-parallels"])
    with pytest.raises(OptionError, match="stepwise"):
        Blame(GRIDS[0], ["stepwise"])


def test_pieces_that_are_bare_are_judged_too(tmp_path):
    made = go(tmp_path, replace(RECIPE, epochs=1, bare=1.0, faults=1.0))
    assert np.isfinite(made.valid_nats)


def test_a_network_that_fills_in_and_rules_that_are_none_are_refused(tmp_path):
    recipe = replace(RECIPE, faults=1.0, transpose=0)
    with pytest.raises(OptionError, match="fills in"):
        go(tmp_path, recipe, known=Cells(), config=TwoSided(embedding=4, hidden=4, layers=1, head=4))
    assert not list(tmp_path.iterdir())
    for wrong in ("no-parallels", ()):
        with pytest.raises(OptionError, match="fault_rules as a list"):
            Recipe(faults=1.0, fault_rules=wrong)


def test_a_training_of_before_rules_were_taught_can_be_resumed(tmp_path):
    go(tmp_path, replace(RECIPE, epochs=1))
    (tmp_path / "bundle.json").unlink(missing_ok=True)
    place = tmp_path / "run.json"
    known = json.loads(place.read_text())
    del known["recipe"]["faults"], known["recipe"]["fault_rules"]
    place.write_text(json.dumps(known))
    assert go(tmp_path, replace(RECIPE, epochs=2), resume=True).epochs == 2
    with pytest.raises(TrainingError, match=r"recipe.faults 2.0 \(was 0.0\)"):
        go(tmp_path, replace(RECIPE, epochs=3, faults=2.0), resume=True)


def test_the_epoch_that_was_kept_is_the_one_that_is_told(tmp_path):
    made = go(tmp_path, replace(RECIPE, epochs=4, faults=50.0))
    assert best_epoch(read(tmp_path)) == made.best_epoch
