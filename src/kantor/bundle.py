"""A trained model on disk: a folder that can be read, checked and trusted.

bundle.json           the card: format, representation, network, preset and recipe, corpus, voice ranges, plans, metrics
weights.safetensors   the weights, once
graph.onnx            the computation; its weights are references into weights.safetensors
heads-0.onnx, ...     where the heads are chained: each field's own, for they run once a field
README.md             the model card, in words

Nothing in it is ever unpickled. Opening one checks that the parts belong together (SHA-256 of the files, a seal over
what the card says of them, sizes of the network against the representation) and says plainly what does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kantor import networks, registry
from kantor.errors import BundleError, KantorError, UnknownNameError
from kantor.networks import NetworkConfig
from kantor.representations import Representation, columns

__all__ = [
    "CARD",
    "FORMAT",
    "GRAPH",
    "HEADS",
    "HEADS_OF_2",
    "WEIGHTS",
    "Bundle",
    "file_hash",
    "load",
    "seal",
    "shipped",
]

FORMAT = 3  # 1 knew no chained heads, 2 had theirs in one graph; both are read as they are
CARD, WEIGHTS, GRAPH, HEADS = "bundle.json", "weights.safetensors", "graph.onnx", "heads-{}.onnx"
HEADS_OF_2 = "heads.onnx"
SHIPPED = Path(__file__).parent / "bundles"
NEEDED = ("name", "representation", "network", "files", "parameters", "seal")
SEALED = ("representation", "network", "files")


@dataclass(frozen=True)
class Bundle:
    """A model folder, opened and checked."""

    path: Path
    card: dict[str, Any]

    @property
    def name(self) -> str:
        """What the model is called."""
        return str(self.card["name"])

    @cached_property
    def representation(self) -> Representation:
        """The representation, with its options."""
        options = dict(self.card["representation"])
        kind = registry.part("representations", options.pop("name"))
        representation: Representation = kind(**options)
        return representation

    @cached_property
    def network(self) -> NetworkConfig:
        """The network's sizes."""
        return networks.from_dict(self.card["network"])

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Each field's graph where heads are chained, in the fields' order; all the same one in format 2."""
        files, fields = self.card["files"], range(len(columns(self.representation).outputs))
        names = tuple(HEADS_OF_2 if HEADS_OF_2 in files else HEADS.format(k) for k in fields)
        return names if files.keys() & set(names) else ()

    @property
    def hash(self) -> str:
        """SHA-256 of the weights: the model's identity in a recipe."""
        return str(self.card["files"][WEIGHTS])


def shipped() -> tuple[str, ...]:
    """Names of the models inside the package."""
    return tuple(sorted(card.parent.name for card in SHIPPED.glob(f"*/{CARD}")))


def load(model: str | Path) -> Bundle:
    """Open a shipped model by name, or any model folder by path.

    Raises
    ------
    UnknownNameError
        If it is neither a folder nor a shipped name.
    BundleError
        If the folder's parts are missing or do not belong together.
    """
    if str(model) in shipped():
        return _open(SHIPPED / str(model))
    path = Path(model)
    with suppress(RuntimeError):  # a home that nobody has is a folder that is not there
        path = path.expanduser()
    if path.is_dir():
        return _open(path)
    if path.suffix or len(path.parts) > 1:
        raise BundleError(
            f"expected a model folder at {path}, found none; `kantor models` lists the models in the package."
        )
    raise UnknownNameError("model", str(model), shipped())


def file_hash(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def seal(card: Mapping[str, Any]) -> str:
    """SHA-256 over what must not change beside the weights: representation, network, and the files' own hashes."""
    return file_hash(json.dumps({name: card[name] for name in SEALED}, sort_keys=True).encode())


def _open(path: Path) -> Bundle:
    bundle = Bundle(path, _card(path))
    _check_files(bundle, (WEIGHTS, GRAPH))
    try:
        expected = bundle.network.parameters(*columns(bundle.representation))
    except (TypeError, KeyError, AttributeError) as error:
        raise BundleError(
            f"expected {path / CARD} to describe a representation and a network of this version: {error}."
        ) from error
    except BundleError:
        raise
    except KantorError as error:
        raise BundleError(f"{path / CARD} does not fit this version: {error}") from error
    _check_files(bundle, bundle.heads)
    if expected != bundle.card["parameters"]:
        raise BundleError(
            f"{path}: the network has {bundle.card['parameters']:,} parameters, its representation asks "
            f"for {expected:,}; the card does not belong to these weights. Export the model again."
        )
    if bundle.card["seal"] != seal(bundle.card):
        raise BundleError(
            f"{path / CARD} has been changed: its representation or network is not the one these weights were trained "
            "with. Copy the whole model folder again."
        )
    return bundle


def _card(path: Path) -> dict[str, Any]:
    file = path / CARD
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"expected a model folder with {CARD} in it, {path} has none. Is a training still running there?"
        ) from None
    except (OSError, ValueError) as error:
        raise BundleError(f"expected {file} to be a model's card in JSON, it cannot be read: {error}.") from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise BundleError(f"expected {file} to be a model's card; it states no format.")
    if card["format"] < 1:
        raise BundleError(f"expected {file} to be of format 1 to {FORMAT}, got {card['format']}.")
    if card["format"] > FORMAT:
        raise BundleError(
            f"{path} is of format {card['format']}, this version reads up to {FORMAT}; try a newer Kantor."
        )
    missing = [name for name in NEEDED if name not in card]
    if missing:
        raise BundleError(f"expected {file} to state {', '.join(NEEDED)}; {', '.join(missing)} is missing.")
    kinds = {"representation": dict, "network": dict, "files": dict, "parameters": int}
    wrong = [name for name, kind in kinds.items() if not isinstance(card[name], kind)]
    if wrong:
        raise BundleError(f"expected {file} to describe a model; its {', '.join(wrong)} cannot be understood.")
    _check_corpus_facts(card, file)
    sampling = card.get("sampling", {})
    known = {"temperature", "top_k", "top_p", "min_p"}
    numbers = isinstance(sampling, dict) and all(
        name in known and isinstance(value, int | float) for name, value in sampling.items()
    )
    texts = isinstance(card.get("tracks", ""), str) and isinstance(card.get("about", ""), str)
    if not (numbers and texts and isinstance(card.get("metrics") or {}, dict)):
        raise BundleError(
            f"expected {file} to say how the model is played; its sampling or tracks cannot be understood."
        )
    return card


def _check_corpus_facts(card: Mapping[str, Any], file: Path) -> None:
    """Ranges are pairs of pitches, one a part; plans are rows of fifths, mode, meter, pickup and a count above 0."""
    ranges, plans = card.get("ranges"), card.get("plans", [])
    pairs = isinstance(ranges, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(pitch, int) for pitch in pair) for pair in ranges
    )
    if ranges is not None and not pairs:
        raise BundleError(f"expected the ranges in {file} to be a pair of MIDI pitches for each part, got {ranges}.")
    kinds = (int, str, str, int | float, int)
    for row in plans if isinstance(plans, list) else [plans]:
        fits = isinstance(row, list) and len(row) == len(kinds) and all(map(isinstance, row, kinds))
        if not fits or row[-1] < 1:
            raise BundleError(f"expected the plans in {file} as rows of fifths, mode, meter, pickup, count; got {row}.")


def _check_files(bundle: Bundle, names: tuple[str, ...]) -> None:
    for name in names:
        file = bundle.path / name
        try:
            data = file.read_bytes()
        except OSError as error:
            raise BundleError(f"expected {file}, which belongs to the model: {error.strerror or error}.") from error
        if file_hash(data) != bundle.card["files"].get(name):
            raise BundleError(
                f"{file} is not the file that its card names (SHA-256 differs); copy the whole model folder again."
            )
