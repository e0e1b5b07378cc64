"""What there is to choose from: models, rules, instruments. It does not change while the server runs."""

from __future__ import annotations

import json

from kantor.bundle import CARD, SHIPPED, Bundle, shipped
from kantor.studio import bodies

__all__ = ["instruments", "models", "rules"]


def models() -> list[bodies.ModelJson]:
    """The models in the package."""
    return [_model(bundle) for bundle in _cards()]


def _cards() -> list[Bundle]:
    """The models by their cards alone, to be listed: nothing is checked, and none of them is to be played."""
    return [Bundle(SHIPPED / name, json.loads((SHIPPED / name / CARD).read_text("utf-8"))) for name in shipped()]


def _model(bundle: Bundle) -> bodies.ModelJson:
    card, representation = bundle.card, bundle.representation
    counts: dict[str, int] = {}
    for row in card.get("plans", []):
        counts[row[2]] = counts.get(row[2], 0) + row[4]
    corpus = card.get("corpus", {})
    return bodies.ModelJson(
        name=bundle.name,
        about=str(card.get("about") or ""),
        representation=representation.name,
        unit=representation.unit,
        fills=bundle.network.two_sided,
        voiced=representation.voiced,
        ruled=representation.ruled,
        timed=representation.timed,
        keyed="key" in {known.name for known in representation.conditions},
        meters=sorted(counts, key=lambda meter: -counts[meter]),
        sampling=dict(card.get("sampling") or {}),
        parameters=int(card["parameters"]),
        corpus=str(corpus.get("name", "")),
        licence=str(corpus.get("licence", "")),
    )


def rules() -> list[bodies.RuleJson]:
    """Every rule."""
    from kantor.verbs._steering import BY_DEFAULT
    from kantor.verbs.rules import rules as verb

    found = ({**rule, "by_default": rule["name"] in BY_DEFAULT} for rule in verb())
    return [bodies.RuleJson(**{name: rule[name] for name in bodies.RuleJson.model_fields}) for rule in found]


def instruments() -> list[bodies.InstrumentJson]:
    """The instruments of General MIDI."""
    from kantor.render.instruments import INSTRUMENTS

    return [bodies.InstrumentJson(program=program, name=name) for program, name in enumerate(INSTRUMENTS)]
