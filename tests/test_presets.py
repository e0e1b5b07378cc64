import dataclasses

import pytest

from kantor import registry
from kantor.errors import OptionError, UnknownNameError
from kantor.networks import NETWORKS, BranchedLstm, ConvLstm, PlainLstm, TwoLevel, VoiceLstms
from kantor.presets import Preset
from kantor.representations import columns
from kantor.representations.chorale import Chorale
from kantor.sampling.filters import Filters
from kantor.training.recipe import Recipe


def preset(name="seed-000"):
    return registry.part("presets", name)


@pytest.mark.parametrize("name", registry.names("presets"))
def test_a_preset_introduces_itself_in_a_sentence(name):
    assert isinstance(preset(name), Preset)
    assert preset(name).about.endswith(".")
    assert preset(name).parameters == preset(name).network.parameters(*columns(preset(name).representation))


def test_the_seed_is_the_notebooks():
    assert preset().representation == Chorale(spelling="plain", order="SATB", inputs=())
    assert preset().network == ConvLstm(embedding=5, filters=(32, 48, 64, 96, 128), dropout=0.05, hidden=256)
    wanted = {"epochs": 20, "batch_size": 32, "window": 32, "learning_rate": 1e-3, "schedule": "constant"}
    wanted |= {"optimizer": "nadam", "clip": 0.0, "weight_decay": 0.0, "transpose": 0, "precision": "32-true"}
    assert {name: getattr(preset().recipe, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("name", "text", "part", "value"),
    [
        ("hidden", "512", "network", 512),
        ("network.hidden", "512", "network", 512),
        ("recipe.epochs", "3", "recipe", 3),
        ("learning_rate", "1e-4", "recipe", 1e-4),
        ("filters", "8, 16,", "network", (8, 16)),
        ("order", "SBAT", "representation", "SBAT"),
        ("inputs", "voice, lag-4", "representation", ("voice", "lag-4")),
        ("schedule", "plateau", "recipe", "plateau"),
        ("loss_weights", "0.5", "recipe", (0.5,)),
    ],
)
def test_a_setting_is_changed_by_name_and_nothing_else_with_it(name, text, part, value):
    changed = preset().override({name: text})
    last = name.rpartition(".")[2]
    assert getattr(getattr(changed, part), last) == value
    back = dataclasses.replace(getattr(changed, part), **{last: getattr(getattr(preset(), part), last)})
    assert dataclasses.replace(changed, **{part: back}) == preset()


def test_a_tuple_can_be_emptied():
    assert preset("jsb").override({"inputs": ""}).representation.inputs == ()


def test_settings_are_changed_together():
    changed = preset().override({"hidden": "8", "epochs": "1"})
    assert (changed.network.hidden, changed.recipe.epochs) == (8, 1)


@pytest.mark.parametrize("name", ["hiden", "recipe.hidden", "decoder.hidden", "name", "network.", "", ".hidden.x"])
def test_an_unknown_setting_is_refused_with_those_there_are(name):
    with pytest.raises(
        OptionError, match=f"got '{name}'; it has representation, network, representation.spelling, .*network.hidden"
    ):
        preset().override({name: "3"})


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("hidden", "many", r"hidden to be of type int \(now 256\), got 'many'"),
        ("hidden", "2.5", "of type int"),
        ("learning_rate", "fast", "of type float"),
        ("filters", "8,x", "of type tuple"),
        ("hidden", "0", "at least 1, got 0"),
        ("filters", "", "at least 1"),
        ("epochs", "0", "epochs to be at least 1"),
        ("bare", "2", r"bare within 0\.\.1"),
        ("learning_rate", "nan", "learning rate above 0"),
        ("weight_decay", "nan", "weight_decay to be 0 or more, got nan"),
        ("schedule", "cosine", "schedule to be one of one-cycle, plateau, constant; got 'cosine'"),
        ("precision", "16", "precision to be one of"),
        ("optimizer", "sgd", "optimizer to be one of"),
        ("order", "SATX", "order of the letters S, A, T, B"),
        ("inputs", "voice,tempo", "inputs among voice, .*; got 'tempo'"),
    ],
)
def test_a_value_of_the_wrong_kind_or_size_is_refused(name, text, complaint):
    with pytest.raises(OptionError, match=complaint):
        preset().override({name: text})


def test_a_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().epochs = 3


SEEDS = [name for name in registry.names("presets") if name.startswith("seed-")]


@pytest.mark.parametrize("name", SEEDS)
def test_a_preset_that_repeats_a_seed_says_which(name):
    assert preset(name).seed == name.removeprefix("seed-")
    assert preset(name).recipe.window > 0  # all of them learn from windows
    assert preset(name).recipe.precision == "32-true"


def test_the_networks_of_the_seeds_are_those_of_their_documents():
    assert preset("seed-001").network == BranchedLstm(branch=256, branch_dropout=0.2, hidden=512, dense=256, head=128)
    wanted = PlainLstm(hidden=512, layers=2, dropout=0.3, dense=256, dense_dropout=0.4)
    assert preset("seed-002").network == wanted
    assert preset("seed-003").network == preset("seed-004").network == PlainLstm(hidden=128)


@pytest.mark.parametrize("name", registry.names("presets"))
def test_a_network_of_a_preset_fits_its_representation(name):
    kinds = columns(preset(name).representation).kinds
    if preset(name).recipe.loss_weights:
        assert len(preset(name).recipe.loss_weights) == len(kinds)
    if preset(name).recipe.positive_weight != 1:
        assert "multi-hot" in kinds
    if getattr(preset(name).network, "chained", False):
        assert len(kinds) > 1


@pytest.mark.parametrize("name", registry.names("presets"))
def test_what_a_preset_is_played_with_are_filters(name):
    assert Filters(**preset(name).sampling)


def test_a_setting_can_be_asked_for_by_name():
    assert preset().setting("hidden") == preset().setting("network.hidden") == 256
    assert preset().setting("sequence_length") == preset().recipe.window
    with pytest.raises(OptionError, match="got 'hiden'"):
        preset().setting("hiden")


def test_other_peoples_names_for_settings_are_understood():
    changed = preset().override({"lr": "0.5", "recipe.sequence_length": "7"})
    assert (changed.recipe.learning_rate, changed.recipe.window) == (0.5, 7)


def test_a_switch_is_turned_by_true_or_false():
    assert preset("seed-000").override({"network": "lstm", "chained": "true"}).network.chained is True
    assert preset("notes").override({"network.chained": "False"}).network.chained is False
    with pytest.raises(OptionError, match=r"chained to be of type bool \(now False\), got 'yes'"):
        preset("seed-000").override({"network": "lstm", "chained": "yes"})


@pytest.mark.parametrize("kind", sorted(kind for kind, network in NETWORKS.items() if not network.two_sided))
def test_another_network_comes_with_its_own_sizes(kind):
    changed = preset("jsb").override({"network": kind})
    assert changed == dataclasses.replace(preset("jsb"), network=NETWORKS[kind]())


@pytest.mark.parametrize("order", [1, -1])
def test_settings_beside_a_network_are_of_that_network_whatever_their_order(order):
    given = {"hidden": "32", "network": "two-level", "span": "8", "recipe.epochs": "3"}
    changed = preset("jsb").override(dict(list(given.items())[::order]))
    assert changed.network == TwoLevel(hidden=32, span=8)
    assert changed.recipe.epochs == 3


def test_a_setting_that_the_other_network_lacks_is_refused_with_those_it_has():
    with pytest.raises(OptionError, match=r"got 'attention'; it has .*network.span"):
        preset("jsb").override({"network": "two-level", "attention": "8"})
    with pytest.raises(OptionError, match="got 'span'"):
        preset("jsb").override({"span": "8"})


def test_a_network_that_nothing_bears_is_an_unknown_name():
    with pytest.raises(UnknownNameError, match=r"no network named 'two-levels'\. Did you mean 'two-level'"):
        preset("jsb").override({"network": "two-levels"})


@pytest.mark.parametrize(
    ("name", "kind", "seen"),
    [
        ("jsb", "two-sided", "the past alone .* try attentive-lstm, "),
        ("chorale-infill", "lstm", "both sides .* try two-sided"),
    ],
)
def test_a_network_that_sees_more_or_less_than_the_presets_is_refused(name, kind, seen):
    with pytest.raises(OptionError, match=f"expected a network that sees {seen}"):
        preset(name).override({"network": kind})


def test_the_network_is_a_setting_and_so_are_the_sizes_of_others():
    assert preset("jsb").setting("network") == "attentive-lstm"
    assert preset("jsb").setting("span") == preset("jsb").setting("network.span") == TwoLevel().span
    assert preset("jsb").setting("filters") == ConvLstm().filters
    assert preset("jsb").override({"network": "voice-lstms"}).network == VoiceLstms()


def test_another_representation_keeps_the_options():
    changed = preset("jsb").override({"order": "SATB", "representation": "chorded"})
    assert changed.representation.name == "chorded"
    assert changed.representation.order == "SATB"
    assert changed.representation.inputs == preset("jsb").representation.inputs
    assert preset("jsb").setting("representation") == "choir"


def test_a_representation_of_other_options_is_refused():
    with pytest.raises(OptionError, match=r"options of choir .* got 'notes'; try .*chorded"):
        preset("jsb").override({"representation": "notes"})


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": "phase,last"},
        {"inputs": "now,phase"},
        {"inputs": "lag-1,phase"},
        {"representation": "chorded"},
        {"representation": "chorale"},
    ],
)
def test_counterpoint_must_be_told_what_the_voices_sang_last(changes):
    changed = preset("jsb").override(changes)
    with pytest.raises(OptionError, match=r"expected of counterpoint .* try --set counterpoint=false"):
        changed.check()
    changed.override({"counterpoint": "false"}).check()
