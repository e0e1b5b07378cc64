import json
import shutil

import numpy as np
import pytest

from kantor import bundle as bundles
from kantor.bundle import CARD, GRAPH
from kantor.errors import BundleError
from kantor.representations import columns, decided
from kantor.runtime import Runtime


@pytest.fixture(scope="module")
def runtime(tiny_bundle):
    return Runtime(tiny_bundle)


def inputs(bundle, batch, time, seed=0):
    sizes = columns(bundle.representation).inputs
    return np.random.default_rng(seed).integers(0, sizes, size=(batch, time, len(sizes)))


def test_the_first_state_is_nought_in_the_graphs_shapes(runtime):
    state = runtime.initial(3)
    assert [value.shape for value in state] == [(2, 3, 8), (2, 3, 8)]
    assert not any(value.any() for value in state)
    assert {value.dtype for value in state} == {np.dtype(np.float32)}


def test_logits_are_a_row_of_classes_for_every_step(runtime, tiny_bundle):
    features, state = runtime.run(inputs(tiny_bundle, 3, 5), runtime.initial(3))
    logits = runtime.field(features, np.zeros((3, 5, 1), dtype=np.int64), 0)
    assert logits.shape == (3, 5, 48)
    assert logits.dtype == np.float32
    assert [value.shape for value in state] == [(2, 3, 8), (2, 3, 8)]


def test_a_run_leaves_its_state_as_it_was(runtime, tiny_bundle):
    state = runtime.initial(1)
    first, later = runtime.run(inputs(tiny_bundle, 1, 5), state)
    again, _ = runtime.run(inputs(tiny_bundle, 1, 5), state)
    assert np.array_equal(first[0], again[0])
    assert not state[0].any()
    assert later[0].any()


def test_two_runtimes_and_any_number_of_threads_agree(runtime, tiny_bundle):
    asked = inputs(tiny_bundle, 2, 9)
    one, _ = runtime.run(asked, runtime.initial(2))
    other = Runtime(tiny_bundle, threads=2)
    two, _ = other.run(asked, other.initial(2))
    np.testing.assert_allclose(one[0], two[0], atol=1e-6)


def test_a_graph_that_is_none_is_a_bundle_error(tiny_bundle, tmp_path):
    folder = shutil.copytree(tiny_bundle.path, tmp_path / "model")
    (folder / GRAPH).write_bytes(b"no graph at all")
    card = json.loads((folder / CARD).read_text())
    card["files"][GRAPH] = bundles.file_hash(b"no graph at all")
    card["seal"] = bundles.seal(card)
    (folder / CARD).write_text(json.dumps(card))
    opened = bundles.load(folder)
    with pytest.raises(BundleError, match="graph that ONNX Runtime can load"):
        Runtime(opened)


@pytest.mark.parametrize("inputs", [("voice",), ("voice", "now", "meter", "remaining", "beat")])
def test_a_graph_of_another_width_is_a_bundle_error(tiny_bundle, inputs):
    options = {**tiny_bundle.card["representation"], "inputs": inputs}
    other = bundles.Bundle(tiny_bundle.path, {**tiny_bundle.card, "representation": options})
    with pytest.raises(BundleError, match=r"expected a graph of \d+ inputs a step and 1 fields, .*got 8 and 1"):
        Runtime(other)


@pytest.mark.parametrize("model", bundles.shipped())
def test_a_model_that_ships_runs_whatever_its_format(model):
    opened = bundles.load(model)
    runtime = Runtime(opened)
    sizes = columns(opened.representation)
    features, _ = runtime.run(np.zeros((1, 2, len(sizes.inputs)), dtype=np.int64), runtime.initial(1))
    values = np.zeros((1, 2, decided(opened.representation)), dtype=np.int64)
    params = [runtime.field(features, values, k) for k in range(len(sizes.outputs))]
    wanted = [2 if kind == "real" else size for size, kind in zip(sizes.outputs, sizes.kinds, strict=True)]
    assert [own.shape for own in params] == [(1, 2, size) for size in wanted]
    assert all(np.isfinite(own).all() for own in params)
