"""How much better does a model know a piece if it goes on learning while it is told the piece?

    python -m experiments.adaptation jsb --data FOLDER [--rates 0 0.1 0.3] [--frames 16] [--back 0.02] [--only heads]

Dynamic evaluation (Krause et al. 2018): a piece is told in stretches of so many frames. Each is scored first, then one
step of gradient descent is taken on it; what was scored before is never scored again, so the sum over a piece is a
likelihood by the chain rule. After every step each weight goes back a share of its way to where training left it, and
with the next piece all of the way. FOLDER's validation pieces are judged as by *whole*; rate 0 is the model as it is. For
models whose fields are classes, such as `jsb` and `chorale`. No figure of this kind compares with one of a model that
stays as it is; and the best of several rates is the best on these very pieces.
"""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kantor import corpora
from kantor.bundle import Bundle, load
from kantor.data.protocols import HIDDEN, hide
from kantor.errors import OptionError
from kantor.models import Network
from kantor.representations import inputs_of
from kantor.score import Score
from kantor.training.export import restore

CLIP = 1.0  # of a gradient's length, nats a cell


def nats_of(
    network: Network, model: Bundle, score: Score, rate: float, frames: int, back: float, only: str
) -> tuple[float, int]:
    """Nats of the piece, and its cells."""
    encoding = model.representation.encode(score)
    shown = hide(inputs_of(encoding, model.representation), model.representation, HIDDEN)
    inputs, values = torch.from_numpy(shown)[None], torch.from_numpy(encoding.values)[None]
    learning = copy.deepcopy(network)
    pairs = zip(learning.named_parameters(), network.parameters(), strict=True)
    mine = [(own, was.detach()) for (name, own), was in pairs if name.startswith(only) and own.requires_grad]
    state, total = learning.initial(1), 0.0
    for start in range(0, values.shape[1], frames):
        span = slice(start, start + frames)
        params, state = learning(inputs[:, span], state, values[:, span])
        own = [functional.cross_entropy(one[0], values[0, span, k], reduction="sum") for k, one in enumerate(params)]
        nats = torch.stack(own).sum()
        total += float(nats.detach())
        state = tuple(part.detach() for part in state)
        if rate and start + frames < values.shape[1]:
            learn(nats / values[0, span].numel(), mine, rate, back)
    return total, values.numel()


def learn(loss: Tensor, weights: list[tuple[Tensor, Tensor]], rate: float, back: float) -> None:
    """One step downhill, and a share of the way back to where training left the weights."""
    gradients = torch.autograd.grad(loss, [own for own, _ in weights], allow_unused=True)
    found = [(own, was, slope) for (own, was), slope in zip(weights, gradients, strict=True) if slope is not None]
    length = float(torch.stack([slope.norm() for _, _, slope in found]).norm())
    with torch.no_grad():
        for own, was, slope in found:
            own -= rate * min(1.0, CLIP / max(length, 1e-9)) * slope
            own += back * (was - own)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.0, 0.03, 0.1, 0.3])
    parser.add_argument("--frames", type=int, default=16, help="in a stretch")
    parser.add_argument("--back", type=float, default=0.02, help="share of the way back after each")
    parser.add_argument("--only", default="", help="names of the weights that learn begin so; all do unless given")
    options = parser.parse_args()
    model = load(options.model)
    network = restore(model).eval()
    if set(network.heads.kinds) != {"categorical"}:
        raise OptionError(f"expected a model whose fields are classes, as 'jsb' is; '{model.name}' is another.")
    if not any(name.startswith(options.only) for name, _ in network.named_parameters()):
        raise OptionError(
            f"expected of --only how names of weights begin, such as 'heads' or 'trunk.lstm'; got {options.only}."
        )
    corpus = corpora.folder(options.data, progress=False) if options.data else corpora.load("jsb")
    pieces = [piece.score for piece in corpus.split("valid")]
    for rate in options.rates:
        made = [nats_of(network, model, one, rate, options.frames, options.back, options.only) for one in pieces]
        nats, cells = np.array(made).T
        figures = {"rate": rate, "frames": options.frames, "back": options.back, "only": options.only}
        print(json.dumps({**figures, "nats_per_note": round(nats.sum() / cells.sum(), 4)}), flush=True)


if __name__ == "__main__":
    main()
