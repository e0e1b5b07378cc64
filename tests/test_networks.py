import dataclasses
import json

import pytest

from kantor.errors import BundleError, OptionError, UnknownNameError
from kantor.networks import NETWORKS, ConvLstm, Lstm, from_dict, to_dict


@pytest.mark.parametrize("config", [ConvLstm(), ConvLstm(filters=(3, 4)), Lstm(head=0, dropout=0.0)])
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
