"""Everything Kantor raises on purpose.

KantorError
├── InputError            something that came in cannot be used
│   ├── FileFormatError       a file is missing, empty, damaged or not what its suffix says
│   ├── ScoreError            a score does not fit what was asked of it (voices, range, length)
│   └── BundleError           a model folder whose parts are missing or do not belong together
├── OptionError           a value of an option is out of range
│   ├── UnknownNameError      a name that no registered part, preset or model bears
│   └── RuleError             a rule that cannot be kept here: what it needs is missing, or rules contradict each other
│       └── UnsupportedRuleError  a rule that has no meaning in this representation
├── DeadEndError          nothing is left that the rules admit
├── OutputError           a result cannot be written
├── MissingExtraError     an optional part of the installation is needed
└── TrainingError         a training cannot start or go on (no data, no memory, nothing to resume)

Each message is one sentence: what was expected, what came, what to try. The command line prints it and leaves with
exit code 2; a traceback is always a defect of Kantor's own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BundleError",
    "DeadEndError",
    "FileFormatError",
    "InputError",
    "KantorError",
    "MissingExtraError",
    "OptionError",
    "OutputError",
    "RuleError",
    "ScoreError",
    "TrainingError",
    "UnknownNameError",
    "UnsupportedRuleError",
]


class KantorError(Exception):
    """The root: catch this to catch whatever Kantor says of its input."""


class InputError(KantorError, ValueError):
    """Something that came in cannot be used."""


class FileFormatError(InputError):
    """A file is missing, empty, damaged, or not what its suffix says."""


class ScoreError(InputError):
    """A score does not fit what was asked of it: voices, range, length."""


class BundleError(InputError):
    """A model folder whose parts are missing or do not belong together."""


class OptionError(KantorError, ValueError):
    """A value of an option is out of range."""


class UnknownNameError(OptionError):
    """A name that nothing bears; the message offers the nearest one and the whole list."""

    def __init__(self, kind: str, name: str, available: Iterable[str]) -> None:
        names = sorted(available)
        near = difflib.get_close_matches(name.lower(), names, n=1)
        guess = f" Did you mean '{near[0]}'?" if near else ""
        listing = ", ".join(names) or "none"
        super().__init__(f"no {kind} named '{name}'.{guess} Available: {listing}.")


class RuleError(OptionError):
    """A rule that cannot be kept here: what it needs is missing, or rules contradict each other."""


class UnsupportedRuleError(RuleError):
    """A rule that has no meaning in this representation."""


class DeadEndError(KantorError):
    """Nothing is left that the rules admit, and stepping back has not helped."""


class OutputError(KantorError):
    """A result cannot be written where it was asked for."""


class MissingExtraError(KantorError):
    """An optional part of the installation is needed and absent."""

    def __init__(self, need: str, extra: str) -> None:
        super().__init__(
            f'{need} needs the extra "{extra}", which is not installed; try: pip install "kantor[{extra}]"'
        )


class TrainingError(KantorError):
    """A training cannot start or go on."""
