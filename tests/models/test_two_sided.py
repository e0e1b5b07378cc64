"""What is special about a network that looks to both sides; what holds of every network is in ``tests/laws``."""

import json

import onnx
import pytest
import torch

import kantor
from kantor import bundle as bundles
from kantor.data.batches import PADDING
from kantor.errors import BundleError, OptionError
from kantor.models import build
from kantor.networks import NETWORKS, TwoSided, from_dict, to_dict
from kantor.representations import columns
from kantor.representations.cells import OPEN, Cells
from kantor.representations.roll import Roll
from kantor.runtime import Runtime
from kantor.score import Score
from kantor.training.export import export
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe

CELLS = Cells(inputs=("phase", "key"))
SMALL = TwoSided(embedding=6, hidden=8, layers=2, dropout=0.1, head=5)
FRAMES = 24


def fresh(config=SMALL):
    torch.manual_seed(1)
    return build(config, *columns(CELLS)).eval()


def all_open(batch=1, frames=FRAMES):
    """Inputs of which nothing is known but the conditions."""
    inputs = torch.zeros(batch, frames, 6, dtype=torch.int64)
    inputs[..., :4] = OPEN
    inputs[..., 4] = torch.arange(frames) % 16
    return inputs


def logits(network, inputs):
    """(batch, frames, voices, classes)."""
    with torch.no_grad():
        params, state = network(inputs, network.initial(len(inputs)))
    assert state == ()
    return torch.stack(params, dim=2)


def test_it_is_the_only_kind_that_looks_to_both_sides():
    assert [kind for kind, config in NETWORKS.items() if config.two_sided] == ["two-sided"]
    assert fresh().two_sided


def test_its_config_survives_json_and_refuses_what_is_out_of_range():
    assert from_dict(json.loads(json.dumps(to_dict(SMALL)))) == SMALL
    with pytest.raises(OptionError, match="hidden to be at least 1, got 0"):
        TwoSided(hidden=0)


@pytest.mark.parametrize("layers", [1, 3])
def test_parameters_are_those_counted_by_hand(layers):
    def lstm(inputs, hidden):
        return 4 * (inputs * hidden + hidden * hidden + hidden)

    tables = (4 * 94 + 16 + 25) * 3
    stack = 2 * (lstm(3, 7) + (layers - 1) * lstm(14, 7))
    config = TwoSided(embedding=3, hidden=7, layers=layers, head=5)
    assert config.parameters(*columns(CELLS)) == tables + stack + (14 + 3 + 1) * 5 + 4 * (5 + 1) * 93
    linear = TwoSided(embedding=3, hidden=7, layers=layers, head=0)
    assert linear.parameters(*columns(CELLS)) == tables + stack + 4 * (14 + 1) * 93


@pytest.mark.parametrize("head", [0, 5])
def test_a_known_cell_is_heard_before_it_after_it_and_beside_it(head):
    network = fresh(TwoSided(embedding=6, hidden=8, layers=1, head=head))
    inputs = all_open()
    before = logits(network, inputs)
    for column, value in ((0, 40), (3, 0), (2, 92), (5, 7)):
        changed = inputs.clone()
        changed[0, 12, column] = value
        after = logits(network, changed)
        assert (after != before).any(-1).all(), "every cell of every frame hears it"


def test_the_order_of_time_matters():
    inputs = all_open()
    inputs[..., 4] = 0
    inputs[0, :12, 0] = 30
    there, back = logits(fresh(), inputs), logits(fresh(), inputs.flip(1)).flip(1)
    assert not torch.allclose(there, back)


def test_a_field_without_a_class_for_open_is_refused():
    with pytest.raises(OptionError, match="categorical fields alone for a two-sided network, got multi-hot"):
        build(SMALL, (1, 1), (2,), ("multi-hot",))
    assert build(SMALL, *columns(Roll())).two_sided  # any categorical field will do


# -- learning --------------------------------------------------------------------------------------------------------


def test_every_piece_counts_as_much_as_another_however_much_of_it_is_open():
    network = fresh()
    inputs = all_open(batch=2)
    targets = torch.full((2, FRAMES, 4), PADDING)
    targets[0, 3, 1] = 20
    targets[1] = torch.randint(0, 93, (FRAMES, 4))
    logs = logits(network, inputs).log_softmax(-1)
    one = -float(logs[0, 3, 1, 20])
    other = -float(logs[1].gather(-1, targets[1][..., None]).mean())
    with torch.no_grad():
        loss, nats, right, count, errors = Learner(network, Recipe()).losses((inputs, targets))
    assert float(loss / count) == pytest.approx((one + other) / 2, rel=1e-5)
    assert float(nats) == float(loss)
    guesses = logs.argmax(-1) == targets
    assert float(right) == pytest.approx(float(guesses[0, 3, 1]) + float(guesses[1].float().mean()))
    assert (int(count), errors) == (2, [])


# -- export ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two-sided")
    export(fresh(), SMALL, CELLS, folder, {"name": "made by a test"})
    return bundles.load(folder)


def test_a_layer_in_both_directions_is_one_node_of_the_graph(exported):
    graph = onnx.load(exported.path / "graph.onnx", load_external_data=False).graph
    lstms = [node for node in graph.node if node.op_type == "LSTM"]
    directions = [attribute.s for node in lstms for attribute in node.attribute if attribute.name == "direction"]
    assert directions == [b"bidirectional"] * 2
    assert [value.name for value in graph.input] == ["inputs"]
    assert [value.name for value in graph.output] == [f"field_{k}" for k in range(4)]


def test_its_weights_are_put_in_order_once(exported):
    """What the graph computes from weights alone is folded at load, so no node asks a tensor of zeros for its width."""
    graph = onnx.load(exported.path / "graph.onnx", load_external_data=False).graph
    zeros = {node.output[0] for node in graph.node if node.op_type == "Expand"}
    assert zeros
    assert not [node for node in graph.node if node.op_type == "Shape" and node.input[0] in zeros]


def test_a_runtime_needs_no_state(exported):
    runtime = Runtime(exported)
    assert runtime.initial(3) == []
    for batch, frames in ((1, 1), (3, 17), (2, 300)):
        features, state = runtime.run(all_open(batch, frames).numpy(), [])
        assert state == []
        assert [part.shape for part in features] == [(batch, frames, 93)] * 4


# -- what it is not for ----------------------------------------------------------------------------------------------


def test_what_goes_from_left_to_right_refuses_it_in_a_sentence(exported):
    said = "got 'made by a test', which fills in what is missing; try kantor harmonize or kantor infill"
    score = Score.from_notes([(0, 480, 60, 80, 0)])
    for verb in (
        lambda: kantor.generate(exported.path, bars=2),
        lambda: kantor.continue_(score, exported, bars=2),
        lambda: kantor.evaluate(exported.path, data=exported.path),
    ):
        with pytest.raises(BundleError, match=said):
            verb()


def test_it_can_be_described(exported):
    from kantor.verbs.describe import info

    assert info(exported.path)["network"]["kind"] == "two-sided"
