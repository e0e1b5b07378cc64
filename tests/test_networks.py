import dataclasses
import json

import pytest

from kantor.errors import BundleError, OptionError, UnknownNameError
from kantor.networks import NETWORKS, BranchedLstm, ConvLstm, Lstm, PlainLstm, from_dict, to_dict, widths


@pytest.mark.parametrize(
    "config",
    [
        ConvLstm(),
        ConvLstm(filters=(3, 4)),
        Lstm(head=0, dropout=0.0),
        Lstm(chained=True),
        PlainLstm(dense=7),
        BranchedLstm(head=0),
    ],
)
def test_a_config_survives_json(config):
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_a_config_is_frozen_and_hashable(kind):
    config = NETWORKS[kind]()
    assert hash(config) == hash(NETWORKS[kind]())
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.hidden = 3


def test_filters_given_as_a_list_are_kept_as_a_tuple():
    assert ConvLstm(filters=[3, 4]) == ConvLstm(filters=(3, 4))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Lstm(dropout=1.0), r"dropout from 0 up to but not including 1, got 1\.0"),
        (lambda: Lstm(dropout=-0.1), r"dropout .* got -0\.1"),
        (lambda: Lstm(head=-1), "head of at least 0 units, got -1"),
        (lambda: Lstm(layers=0), "layers to be at least 1, got 0"),
        (lambda: ConvLstm(filters=(8, 0)), r"filters to be at least 1, got \(8, 0\)"),
        (lambda: ConvLstm(filters=()), r"filters to be at least 1, got \(\)"),
        (lambda: PlainLstm(dense=-1), "dense of at least 0 units, got -1"),
        (lambda: PlainLstm(dense_dropout=1.0), r"dense_dropout from 0 up to but not including 1, got 1\.0"),
        (lambda: BranchedLstm(branch=0), "branch to be at least 1, got 0"),
        (lambda: BranchedLstm(branch_dropout=2), "branch_dropout from 0 .* got 2"),
        (lambda: BranchedLstm(head=-2), "head of at least 0 units, got -2"),
    ],
)
def test_sizes_out_of_range_are_refused(make, complaint):
    with pytest.raises(OptionError, match=complaint):
        make()


def test_a_kind_that_nothing_bears_is_an_unknown_name():
    with pytest.raises(UnknownNameError, match=r"no network named 'lsmt'\. Did you mean 'lstm'"):
        from_dict({"kind": "lsmt"})


@pytest.mark.parametrize("stored", [{"kind": "lstm", "heads": 4}, {"kind": "lstm", "hidden": "256"}])
def test_sizes_of_another_version_are_a_bundle_error(stored):
    with pytest.raises(BundleError, match="sizes of a network of kind 'lstm'"):
        from_dict(stored)


def test_parameters_of_a_small_lstm_are_those_counted_by_hand():
    config = Lstm(embedding=3, hidden=4, layers=2, head=5)
    tables = (10 + 1 + 2) * 3
    lstms = 4 * (3 * 4 + 4 * 4 + 4) + 4 * (4 * 4 + 4 * 4 + 4)
    heads = (4 + 3) * 5 + 5 + 5 * 10 + 10
    assert config.parameters((10, 2), (10,)) == tables + lstms + heads


def test_a_field_has_a_column_or_one_for_each_key():
    assert widths((128, 1, 88), ("categorical", "real", "multi-hot")) == [1, 1, 88]
    assert widths((5, 4)) == [1, 1]


def lstm(inputs, hidden):
    """An LSTM's parameters: four gates, each with a kernel, a recurrence and a bias."""
    return 4 * (inputs * hidden + hidden * hidden + hidden)


def test_parameters_of_a_chain_are_those_counted_by_hand():
    # a class of 10, a time of a grid of 24, four keys; a condition of 3
    inputs, outputs, kinds = (10, 24, 1, 1, 1, 1, 3), (10, 1, 4), ("categorical", "real", "multi-hot")
    config = Lstm(embedding=3, hidden=4, layers=1, head=0, chained=True)
    tables = (11 + 25 + 4 * 2 + 3) * 3
    heads = (4 * 10 + 10) + (4 * 1 + 1) + (4 * 4 + 4)
    # before the second field, the first; before the third, both: their tables, and a layer that mixes them in
    chain = (11 * 4 + 4 * 4 + 4) + ((11 + 25) * 4 + 4 * 4 + 4)
    assert config.parameters(inputs, outputs, kinds) == tables + lstm(3, 4) + heads + chain
    assert (
        Lstm(embedding=3, hidden=4, layers=1, head=0).parameters(inputs, outputs, kinds) == tables + lstm(3, 4) + heads
    )


def test_parameters_of_a_plain_lstm_are_those_counted_by_hand():
    inputs, outputs, kinds = (128, 24, 24), (128, 1, 1), ("categorical", "real", "real")
    assert PlainLstm(hidden=5).parameters(inputs, outputs, kinds) == lstm(3, 5) + 6 * 128 + 6 + 6
    config = PlainLstm(hidden=5, layers=2, dense=7)
    assert config.parameters(inputs, outputs, kinds) == lstm(3, 5) + lstm(5, 5) + 6 * 7 + 8 * 130


def test_parameters_of_a_branched_lstm_are_those_counted_by_hand():
    config = BranchedLstm(branch=3, hidden=5, dense=4, head=2)
    branches, joined = 2 * lstm(1, 3), lstm(6, 5) + lstm(5, 5)
    own = 2 * ((4 * 2 + 2) + 4 * 2)  # a layer for each field, and its normalisation with running statistics
    total = branches + joined + 4 * 5 + (5 * 4 + 4) + own
    assert config.parameters((9, 6), (9, 6)) == total + (2 * 9 + 9) + (2 * 6 + 6)
    without = BranchedLstm(branch=3, hidden=5, dense=4, head=0)
    assert without.parameters((9, 6), (9, 6)) == total - own + (4 * 9 + 9) + (4 * 6 + 6)
