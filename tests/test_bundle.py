"""A model folder is trusted only as a whole: whatever does not belong together is named in one sentence."""

import json
import pickle
import shutil
import subprocess
import sys

import pytest

from kantor import bundle as bundles
from kantor.bundle import CARD, GRAPH, WEIGHTS
from kantor.errors import BundleError, UnknownNameError
from kantor.representations import columns


@pytest.fixture
def folder(tiny_bundle, tmp_path):
    """A copy of a model, to be damaged."""
    return shutil.copytree(tiny_bundle.path, tmp_path / "model")


def edit(folder, **changes):
    """Rewrite the card."""
    card = json.loads((folder / CARD).read_text())
    for name, value in changes.items():
        if value is None:
            del card[name]
        else:
            card[name] = value
    (folder / CARD).write_text(json.dumps(card))


def edit_inside(folder, entry, **changes):
    card = json.loads((folder / CARD).read_text())
    edit(folder, **{entry: card[entry] | changes})


def flip(file, at=-1):
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def test_a_model_opens_as_it_was_saved(tiny_bundle):
    opened = bundles.load(tiny_bundle.path)
    assert opened.name == "tiny"
    assert opened.representation == tiny_bundle.representation
    assert opened.network == tiny_bundle.network
    assert opened.hash == bundles.file_hash((tiny_bundle.path / WEIGHTS).read_bytes())
    assert opened.card == json.loads(json.dumps(tiny_bundle.card))  # tuples become lists


def test_a_model_opens_wherever_it_has_been_moved(folder):
    assert bundles.load(str(folder)).name == "tiny"


DAMAGE = {
    "no card": (lambda f: (f / CARD).unlink(), r"model folder with bundle\.json in it"),
    "half a card": (lambda f: (f / CARD).write_text("{"), "card in JSON, it cannot be read"),
    "bytes for a card": (lambda f: (f / CARD).write_bytes(b"\xff\xfe\x00"), "card in JSON, it cannot be read"),
    "a list for a card": (lambda f: (f / CARD).write_text("[]"), "states no format"),
    "nothing in the card": (lambda f: (f / CARD).write_text("null"), "states no format"),
    "no format": (lambda f: edit(f, format=None), "states no format"),
    "a format in words": (lambda f: edit(f, format="1"), "states no format"),
    "a newer format": (lambda f: edit(f, format=99), "of format 99, this version reads up to 3; try a newer Kantor"),
    "a format below all": (lambda f: edit(f, format=0), "to be of format 1 to 3, got 0"),
    "heads that are not there": (
        lambda f: edit_inside(f, "files", **{"heads-0.onnx": "0" * 64}),
        r"heads-0\.onnx, which belongs to the model",
    ),
    "entries missing": (lambda f: edit(f, network=None, files=None), "network, files is missing"),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), rf"{WEIGHTS}, which belongs to the model"),
    "no graph": (lambda f: (f / GRAPH).unlink(), rf"{GRAPH}, which belongs to the model"),
    "a bit of the weights": (
        lambda f: flip(f / WEIGHTS),
        rf"{WEIGHTS} is not the file that its card names \(SHA-256 differs\)",
    ),
    "a bit of the graph": (lambda f: flip(f / GRAPH, 40), rf"{GRAPH} is not the file that its card names"),
    "empty weights": (lambda f: (f / WEIGHTS).write_bytes(b""), rf"{WEIGHTS} is not the file"),
    "no hashes": (lambda f: edit(f, files={}), rf"{WEIGHTS} is not the file that its card names"),
    "hashes in a list": (lambda f: edit(f, files=[]), "its files cannot be understood"),
    "another count": (lambda f: edit(f, parameters=7), r"the network has 7 parameters, its representation asks\s+for"),
    "a count in words": (lambda f: edit(f, parameters="many"), "its parameters cannot be understood"),
    "another spelling": (
        lambda f: edit_inside(f, "representation", spelling="plain"),
        "does not belong to these weights",
    ),
    "other inputs": (lambda f: edit_inside(f, "representation", inputs=["voice"]), "does not belong to these weights"),
    "an unknown representation": (
        lambda f: edit_inside(f, "representation", name="chords"),
        "no representation named 'chords'",
    ),
    "an unknown spelling": (
        lambda f: edit_inside(f, "representation", spelling="fuller"),
        "'plain' or 'full', got 'fuller'",
    ),
    "an unknown option": (
        lambda f: edit_inside(f, "representation", colour="red"),
        "representation and a network of this version",
    ),
    "no representation": (lambda f: edit(f, representation={}), "representation and a network of this version"),
    "a representation in words": (
        lambda f: edit(f, representation="chorale"),
        "its representation cannot be understood",
    ),
    "another width": (lambda f: edit_inside(f, "network", hidden=9), "does not belong to these weights"),
    "an unknown network": (lambda f: edit_inside(f, "network", kind="gru"), "no network named 'gru'"),
    "a width of nought": (lambda f: edit_inside(f, "network", hidden=0), "at least 1, got 0"),
    "an unknown size": (lambda f: edit_inside(f, "network", wings=2), "sizes of a network of kind 'lstm'"),
    "a network in a list": (lambda f: edit(f, network=[]), "its network cannot be understood"),
}


@pytest.mark.parametrize(("damage", "complaint"), DAMAGE.values(), ids=DAMAGE)
def test_what_does_not_belong_together_is_named_in_a_sentence(folder, damage, complaint):
    damage(folder)
    with pytest.raises(BundleError, match=complaint) as refused:
        bundles.load(folder)
    assert "\n" not in str(refused.value)


def test_a_name_that_no_model_bears_is_answered_with_the_list(monkeypatch, tiny_bundle):
    monkeypatch.setattr(bundles, "SHIPPED", tiny_bundle.path.parent)
    assert bundles.shipped() == ("tiny",)
    assert bundles.load("tiny").name == "tiny"
    with pytest.raises(UnknownNameError, match=r"no model named 'tinny'\. Did you mean 'tiny'\? Available: tiny\."):
        bundles.load("tinny")


@pytest.mark.parametrize("path", ["no/such/model", "model.onnx", "~/no-such-model"])
def test_a_path_where_nothing_lies_is_no_unknown_name(path):
    with pytest.raises(BundleError, match=r"expected a model folder at .*found none; `kantor models`"):
        bundles.load(path)


def test_a_folder_that_is_no_model_says_so(tmp_path):
    with pytest.raises(BundleError, match="Is a training still running there"):
        bundles.load(tmp_path)


def test_nothing_in_a_bundle_is_unpickled(tiny_bundle, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    from kantor.runtime import Runtime
    from kantor.training.export import restore

    opened = bundles.load(tiny_bundle.path)
    Runtime(opened)
    restore(opened)


def test_the_weights_are_stored_once(tiny_bundle):
    parameters = tiny_bundle.card["parameters"]
    weights, graph = ((tiny_bundle.path / name).stat().st_size for name in (WEIGHTS, GRAPH))
    assert 4 * parameters <= weights
    data, raw = (tiny_bundle.path / GRAPH).read_bytes(), (tiny_bundle.path / WEIGHTS).read_bytes()
    assert raw[-64:] not in data
    assert graph < 20_000
    assert {file.name for file in tiny_bundle.path.iterdir()} == {CARD, WEIGHTS, GRAPH, "README.md"}


def test_the_folder_says_nothing_of_where_it_was_made(tiny_bundle, tmp_path):
    home = str(tmp_path.parent.parent).encode()
    source = bundles.__file__.rpartition("kantor")[0].encode()
    for file in tiny_bundle.path.iterdir():
        data = file.read_bytes()
        assert home not in data, file.name
        assert source not in data, file.name


def test_the_card_is_written_in_words_too(tiny_bundle):
    words = (tiny_bundle.path / "README.md").read_text()
    assert words.startswith("# tiny\n")
    assert f"{tiny_bundle.card['parameters']:,} parameters" in words


def test_models_of_format_1_are_read_as_they_are(folder):
    """Their heads had no layers within."""
    from safetensors.torch import load_file, save_file

    from kantor.training.export import restore

    weights = {name.replace("heads.linear.", "heads."): value for name, value in load_file(folder / WEIGHTS).items()}
    assert "heads.0.weight" in weights
    save_file(weights, folder / WEIGHTS)
    edit_inside(folder, "files", **{WEIGHTS: bundles.file_hash((folder / WEIGHTS).read_bytes())})
    edit(folder, format=1)
    edit(folder, seal=bundles.seal(json.loads((folder / CARD).read_text())))
    opened = bundles.load(folder)
    assert opened.heads == ()
    assert sum(p.numel() for p in restore(opened).parameters() if p.requires_grad) == opened.card["parameters"]


def test_a_card_states_sizes_that_its_representation_asks_for(tiny_bundle):
    assert tiny_bundle.card["parameters"] == tiny_bundle.network.parameters(*columns(tiny_bundle.representation))
    assert tiny_bundle.card["format"] == bundles.FORMAT


WITHOUT_TORCH = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "lightning", "onnx", "onnxscript", "tensorboard", "safetensors.torch"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
import numpy as np
import kantor
from kantor import bundle, registry
from kantor.representations import columns
from kantor.runtime import Runtime

opened = bundle.load(sys.argv[1])
runtime = Runtime(opened)
width = len(columns(opened.representation).inputs)
features, state = runtime.run(np.zeros((2, 3, width), dtype=np.int64), runtime.initial(2))
params = runtime.field(features, np.zeros((2, 3, 1), dtype=np.int64), 0)
assert params.shape == (2, 3, opened.representation.fields[0].size)
for name in registry.names("presets"):
    assert registry.part("presets", name).parameters > 0
assert "torch" not in sys.modules
print("ran")
"""


def test_a_model_runs_where_there_is_no_torch(tiny_bundle):
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TORCH, str(tiny_bundle.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("ran\n", 0), done.stderr
