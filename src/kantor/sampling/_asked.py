"""Rules as they are asked for: by name on the command line, as dataclasses from Python, as text in a recipe.

    no-parallels                         a name
    in-key=Gm                            with its first option
    locked=[[0, 480, 60, 1]]             whose rows are JSON
    no-loops={"times": 9}                with any of its options
    in-key={"scale": "C", "weight": 1}   and its weight in nats; null makes hard what is soft by nature

What :func:`spelt` writes, :func:`asked` reads as that very rule: so a recipe can have any.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kantor import registry
from kantor.errors import OptionError
from kantor.rules import Rule

__all__ = ["Asked", "asked", "named", "spelt"]

WEIGHT = "weight"  # stands beside the options, and is none of them


@dataclass(frozen=True)
class Asked:
    """A rule, as it is asked for: hard without a weight, else so many nats for each decision that makes a fault."""

    name: str
    rule: Rule
    weight: float | None = None

    def __str__(self) -> str:
        """For a sentence: as the command line spells it, behind ``--soft`` where the weight is not the rule's own."""
        given, first = _given(self.rule)
        if self.weight == type(self.rule).weight:
            return spelt(self)
        if self.weight is None or set(given) - {first}:
            return spelt(self)
        option = _text(getattr(self.rule, first)) if first else ""
        return f"{self.name}={option}:{self.weight:g}" if option else f"{self.name}={self.weight:g}"


def asked(
    rules: Iterable[str | Rule | Asked], soft: Iterable[str] = (), default: Sequence[str] = ()
) -> tuple[Asked, ...]:
    """All the rules that are asked for, each once; and the ``default`` ones, unless "none" is among ``rules``.

    A rule of the user's own, hard or soft, stands for the default one of its name. Rules of one name hold all.

    Parameters
    ----------
    rules  "no-parallels", "in-key=Gm", as this module spells them; dataclasses of :mod:`kantor.rules`; or Asked.
    soft   "stepwise=0.5", its weight in nats, or "in-key=Gm:0.5" where it has an option too.

    Raises
    ------
    OptionError
        For a name that no rule bears, an option or a weight that makes no sense, or what is no rule.
    """
    for option, value in (("rules", rules), ("soft", soft)):
        if isinstance(value, str):
            raise OptionError(f"expected {option} as a list, got the text '{value}'; try {option}=['{value}'].")
    hard = list(rules)
    own = [*(_one(rule) for rule in hard if rule != "none"), *map(_soft, soft)]
    names = {one.name for one in own}
    kept = [one for one in map(_one, () if "none" in hard else default) if one.name not in names]
    return tuple(dict.fromkeys([*kept, *own]))


def named(rules: Iterable[Asked]) -> dict[str, Asked]:
    """The rules by the names that errors give them: "in-key"; where there are several, "in-key=C" and "in-key=G"."""
    every = list(rules)
    names = [one.name for one in every]
    return {one.name if names.count(one.name) == 1 else str(one): one for one in every}


def spelt(one: Asked) -> str:
    """The rule as text that :func:`asked` reads as this very rule; its weight, too, where it is not the rule's own."""
    given, first = _given(one.rule)
    if one.weight != type(one.rule).weight:
        given[WEIGHT] = one.weight
    if set(given) <= {first}:
        option = _text(getattr(one.rule, first)) if first else ""
        return f"{one.name}={option}" if option else one.name
    return f"{one.name}={json.dumps(given, ensure_ascii=False)}"


def _given(rule: Rule) -> tuple[dict[str, Any], str | None]:
    """The options that are not as they are by default; and the name of the first, if there is one."""
    options = dataclasses.fields(rule)  # type: ignore[arg-type]
    values = {option.name: (getattr(rule, option.name), option.default) for option in options}
    return {name: value for name, (value, default) in values.items() if value != default}, next(iter(values), None)


def _text(value: Any) -> str:
    """An option behind "="."""
    return "" if value == () else json.dumps(value) if isinstance(value, tuple) else str(value)


def _one(rule: Any) -> Asked:
    """The rule that is asked for: as it is, as text, or as a dataclass, which has the weight of its kind."""
    if isinstance(rule, Asked):
        return rule
    if isinstance(rule, str):
        return _hard(rule)
    name = type(rule).__module__.rpartition(".")[2].replace("_", "-")
    if name not in registry.names("rules") or not isinstance(rule, registry.part("rules", name)):
        raise OptionError(
            f"expected a rule as text, 'in-key=Gm', or as a dataclass of kantor.rules, InKey('Gm'); got {rule!r}."
        )
    return Asked(name, rule, type(rule).weight)


def _hard(text: str) -> Asked:
    name, given, option = text.partition("=")
    kind = registry.part("rules", name)
    if option.lstrip().startswith("{"):
        return _in_full(name, kind, option)
    return Asked(name, _made(name, kind, option) if given else kind(), kind.weight)


def _soft(text: Any) -> Asked:
    if not isinstance(text, str):
        raise OptionError(f"expected a soft rule as text, 'stepwise=0.5', got {text!r}.")
    name, _, rest = text.partition("=")
    kind = registry.part("rules", name)
    option, parted, number = rest.rpartition(":")
    if not rest and kind.weight is not None:
        return Asked(name, kind(), kind.weight)
    try:
        weight = _weight(float(number))
    except ValueError:
        raise OptionError(
            f"expected a soft rule with its weight in nats, got '{text}'; try --soft {name}=0.5."
        ) from None
    return Asked(name, _made(name, kind, option) if parted else kind(), weight)


def _weight(number: float) -> float:
    if not 0 <= number < math.inf:
        raise ValueError(number)
    return number


def _made(name: str, kind: Any, option: str) -> Rule:
    """The rule with its first option, in that option's own type."""
    options = dataclasses.fields(kind)
    if not options:
        raise OptionError(f"expected the rule {name} without an option, got '={option}'.")
    first = options[0]
    if isinstance(first.default, tuple):
        return kind(**{first.name: _json(name, option, list)})  # type: ignore[no-any-return]
    if isinstance(first.default, bool) or not isinstance(first.default, int | float):
        return kind(**{first.name: option})  # type: ignore[no-any-return]
    try:
        return kind(**{first.name: type(first.default)(option)})  # type: ignore[no-any-return]
    except ValueError:
        raise OptionError(f"expected {name} with a number, got '{option}'; try {name}={first.default}.") from None


def _in_full(name: str, kind: Any, text: str) -> Asked:
    """The rule with all the options of a JSON object, and its weight."""
    given = _json(name, text, dict)
    weight = given.pop(WEIGHT, kind.weight)
    types = {option.name: type(option.default) for option in dataclasses.fields(kind)}
    wrong = [option for option, value in given.items() if not isinstance(value, _json_types(types.get(option)))]
    if wrong:
        known = ", ".join([*types, WEIGHT])
        raise OptionError(f"expected {name} with options among {known}, each of its type, got '{wrong[0]}' in {text}.")
    try:
        weight = None if weight is None else _weight(float(weight))
    except (TypeError, ValueError):
        raise OptionError(f"expected {name} with a weight of 0 or more nats, or null, got {text}.") from None
    return Asked(name, kind(**given), weight)


def _json(name: str, text: str, kind: type) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, kind):
        like = "[[0, 480, 60, 1]]" if kind is list else '{"OPTION": "VALUE"}'
        raise OptionError(f"expected {name} with its options as JSON, got '{text}'; try {name}='{like}'.")
    return found


def _json_types(kind: type | None) -> tuple[type, ...]:
    """What JSON has for an option of this type; nothing where there is no such option."""
    return () if kind is None else {tuple: (list,), float: (int, float)}.get(kind, (kind,))
