"""Heads: what a field's distribution is told of the step's other fields, in torch and in the exported graph."""

import json
import math
import shutil

import numpy as np
import onnx
import pytest
import torch

from kantor import bundle as bundles
from kantor.bundle import CARD, GRAPH, HEADS, HEADS_OF_2, WEIGHTS, file_hash, seal
from kantor.errors import BundleError
from kantor.models import build
from kantor.models._heads import Chained, Heads
from kantor.networks import Lstm
from kantor.representations import columns, inputs_of
from kantor.representations.regression import Regression
from kantor.runtime import Runtime
from kantor.score import Score
from kantor.training.export import _heads_graph, _reference, export, restore
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe

#: A time, a class, four keys, another class.
MIXED = ((24, 5, 1, 1, 1, 1, 7), (1, 5, 4, 7), ("real", "categorical", "multi-hot", "categorical"))
TOPS = [60, 5, 2, 2, 2, 2, 7]
FIELD_OF_COLUMN = [0, 1, 2, 2, 2, 2, 3]


def heads(kind=Chained):
    torch.manual_seed(0)
    made = Chained(6, *MIXED, dropout=0.3) if kind is Chained else kind(6, *MIXED)
    return made.eval()


def values(seed=0, batch=2, time=5):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, TOPS, (batch, time, len(TOPS))))


FEATURES = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(3))


def test_every_field_has_its_parameters():
    for made in (heads(), heads(Heads)):
        assert [tuple(own.shape) for own in made(FEATURES, values())] == [(2, 5, size) for size in (2, 5, 4, 7)]
    assert heads().chained
    assert not heads(Heads).chained


@pytest.mark.parametrize("column", range(len(TOPS)))
def test_a_field_hears_those_before_it_and_neither_itself_nor_those_after_it(column):
    made, known = heads(), values()
    other = known.clone()
    other[..., column] = (other[..., column] + 1) % min(TOPS[column], 24)
    for k, (one, two) in enumerate(zip(made(FEATURES, known), made(FEATURES, other), strict=True)):
        assert torch.equal(one, two) == (k <= FIELD_OF_COLUMN[column])


def test_independent_heads_hear_no_field():
    made = heads(Heads)
    for one, two, none in zip(made(FEATURES, values()), made(FEATURES, values(1)), made(FEATURES), strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, none)


def test_chained_heads_cannot_do_without():
    with pytest.raises(ValueError, match="need the fields that are decided before theirs"):
        heads()(FEATURES)


def test_a_time_beyond_the_grid_is_heard_as_the_longest():
    made, known = heads(), values()
    found = []
    for time in (23, 24, 25, 30_000):
        known[..., 0] = time
        found.append(made(FEATURES, known)[1])
    assert not torch.equal(found[0], found[1])
    assert torch.equal(found[1], found[2])
    assert torch.equal(found[2], found[3])


# -- real fields -----------------------------------------------------------------------------------------------------


def test_a_real_field_has_its_mean_in_grid_steps_and_a_deviation_that_is_set_not_learnt():
    made = heads(Heads)
    raw = made.linear[0](FEATURES)
    torch.testing.assert_close(made(FEATURES)[0][..., :1], 24 * raw)
    assert (made(FEATURES)[0][..., 1] == 0).all()  # a deviation of 1 until it is known
    made.settle({0: 2.5})
    torch.testing.assert_close(made(FEATURES)[0][..., 1].exp(), torch.full((2, 5), 2.5))
    assert "log_deviation" not in dict(made.named_parameters())
    assert "log_deviation" in made.state_dict()


def test_a_deviation_is_never_nothing():
    made = heads(Heads)
    made.settle({0: 0.0})
    assert float(made(FEATURES)[0][0, 0, 1].detach().exp()) == pytest.approx(1e-3)


def test_without_real_fields_there_is_no_deviation():
    assert set(Heads(3, (4, 5), (4, 5), ("categorical",) * 2).state_dict()) == {
        f"linear.{k}.{what}" for k in range(2) for what in ("weight", "bias")
    }


# -- what chains are for ---------------------------------------------------------------------------------------------


def learnt(chained):
    """Nats a step after learning two fields, the first a coin, the second the same coin."""
    torch.manual_seed(0)
    config = Lstm(embedding=4, hidden=6, layers=1, dropout=0.0, head=0, chained=chained)
    learner = Learner(build(config, (2, 2), (2, 2)).train(), Recipe())
    coins = torch.randint(0, 2, (8, 32, 1), generator=torch.Generator().manual_seed(1)).repeat(1, 1, 2)
    batch = torch.full((8, 32, 2), 2), coins  # the past is not told
    optimizer = torch.optim.Adam([p for p in learner.network.parameters() if p.requires_grad], 3e-2)
    for _ in range(80):
        optimizer.zero_grad()
        loss, nats, _, steps, _ = learner.losses(batch)
        (loss / steps).backward()
        optimizer.step()
    return float(nats / steps)


def test_a_chain_knows_that_two_fields_go_together_and_independent_heads_cannot():
    assert learnt(chained=True) == pytest.approx(math.log(2), abs=0.05)
    assert learnt(chained=False) > 1.2  # two coins are 1.386; 256 steps leave a little to learn by heart


# -- the exported graph ----------------------------------------------------------------------------------------------

NOTES = Regression()
SMALL = Score.from_notes([(480 * n, 240 * (1 + n % 3), 60 + 5 * n % 13, 80, 0) for n in range(12)])


@pytest.fixture(scope="module")
def chained(tmp_path_factory):
    """A small network with chained heads and its bundle."""
    torch.manual_seed(0)
    config = Lstm(embedding=6, hidden=8, layers=2, head=5, chained=True)
    network = build(config, *columns(NOTES)).eval()
    network.heads.settle({1: 3.0, 2: 0.7})
    folder = tmp_path_factory.mktemp("chained")
    export(network, config, NOTES, folder, {"name": "chained"})
    return network, bundles.load(folder)


def test_a_graph_of_heads_gives_each_field_by_itself(chained):
    network, bundle = chained
    runtime = Runtime(bundle)
    encoding = NOTES.encode(SMALL)
    inputs, known = inputs_of(encoding, NOTES)[None], encoding.values[None]
    with torch.no_grad():
        expected, _ = network(torch.from_numpy(inputs), network.initial(1), torch.from_numpy(known))
    features, _ = runtime.run(inputs, runtime.initial(1))
    assert [part.shape for part in features] == [(1, len(encoding), 5)]
    for k in range(3):
        told = known.copy()
        told[..., k:] = 0  # as a stream has them: not decided yet
        found = runtime.field(features, told, k)
        np.testing.assert_allclose(found, expected[k].numpy(), atol=1e-4)
        one = runtime.field([part[:, 3:4] for part in features], told[:, 3:4], k)
        np.testing.assert_allclose(one, found[:, 3:4], atol=1e-5)


def test_the_exported_chain_hears_what_is_decided(chained):
    _, bundle = chained
    runtime = Runtime(bundle)
    features, _ = runtime.run(np.zeros((1, 1, 3), dtype=np.int64), runtime.initial(1))
    low, high = (runtime.field(features, np.array([[[pitch, 0, 0]]]), 1) for pitch in (40, 90))
    assert abs(float(low[0, 0, 0]) - float(high[0, 0, 0])) > 1e-3
    np.testing.assert_allclose(np.exp([low[0, 0, 1], high[0, 0, 1]]), 3.0, rtol=1e-6)


def test_heads_are_a_file_of_the_bundle_with_the_weights_stored_once(chained):
    _, bundle = chained
    assert bundle.heads == tuple(HEADS.format(k) for k in range(3))
    assert set(bundle.card["files"]) == {WEIGHTS, GRAPH, *bundle.heads}
    with_weights = (bundle.path / WEIGHTS).read_bytes()
    for name in (GRAPH, *bundle.heads):
        assert (bundle.path / name).stat().st_size < 20_000
        assert with_weights[-64:] not in (bundle.path / name).read_bytes()


def test_a_head_holds_nothing_of_another(chained):
    _, bundle = chained
    for k, name in enumerate(bundle.heads):
        weights = {tensor.name for tensor in onnx.load(bundle.path / name, load_external_data=False).graph.initializer}
        assert f"heads.linear.{k}.weight" in weights
        assert not any(name.startswith(f"heads.linear.{other}.") for name in weights for other in {0, 1, 2} - {k})


def test_heads_in_one_graph_are_read_as_they_are(chained, tmp_path):
    """As format 2 had them."""
    network, bundle = chained
    folder = shutil.copytree(bundle.path, tmp_path / "model", ignore=shutil.ignore_patterns(HEADS.format("*")))
    weights = (folder / WEIGHTS).read_bytes()
    (folder / HEADS_OF_2).write_bytes(_reference(_heads_graph(network, 3), weights))
    files = {name: file_hash((folder / name).read_bytes()) for name in (WEIGHTS, GRAPH, HEADS_OF_2)}
    card = {**bundle.card, "format": 2, "files": files}
    (folder / CARD).write_text(json.dumps({**card, "seal": seal(card)}))
    old, new = Runtime(bundles.load(folder)), Runtime(bundle)
    features, _ = new.run(np.zeros((1, 1, 3), dtype=np.int64), new.initial(1))
    for k in range(3):
        known = np.array([[[70, 5, 0]]])
        np.testing.assert_array_equal(old.field(features, known, k), new.field(features, known, k))


def test_a_chained_network_is_restored_whole(chained):
    network, bundle = chained
    again = restore(bundle).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_heads_that_do_not_belong_to_the_bundle_are_named(chained, tmp_path, damage):
    _, bundle = chained
    folder = shutil.copytree(bundle.path, tmp_path / "model")
    if damage == "missing":
        (folder / HEADS.format(1)).unlink()
    else:
        (folder / HEADS.format(1)).write_bytes(b"something else")
    said = "which belongs to the model" if damage == "missing" else r"is not the file that its card names"
    with pytest.raises(BundleError, match=rf"heads-1\.onnx.*{said}"):
        bundles.load(folder)


def resealed(bundle, folder, **files):
    """The bundle with other files, and a card that says so."""
    shutil.copytree(bundle.path, folder)
    for name, source in files.items():
        shutil.copy(bundle.path / source, folder / name)
    hashes = {name: file_hash((folder / name).read_bytes()) for name in bundle.card["files"]}
    card = {**bundle.card, "files": hashes}
    (folder / CARD).write_text(json.dumps({**card, "seal": seal(card)}))
    return bundles.load(folder)


def test_heads_that_are_another_fields_are_named(chained, tmp_path):
    swapped = resealed(
        chained[1], tmp_path / "model", **{HEADS.format(0): HEADS.format(1), HEADS.format(1): HEADS.format(0)}
    )
    with pytest.raises(BundleError, match=r"heads-0\.onnx to give field 0, it gives another"):
        Runtime(swapped)


def test_graphs_that_do_not_fit_each_other_say_so_when_they_run(chained):
    """A trunk's features of another width."""
    with pytest.raises(BundleError, match="expected graphs that fit each other, ONNX Runtime says: "):
        Runtime(chained[1]).field([np.zeros((1, 1, 7), dtype=np.float32)], np.zeros((1, 1, 3), dtype=np.int64), 1)
