"""What a listening test is: its pieces, its questions, and in which order a rater hears them. No sound, no sockets.

The design is that of listening tests in the field: training items first, which are not counted; then all pieces blind,
in an order of each rater's own; ratings of 1 to 5 (seed system 002 asks for musicality, coherence, creativity), and
whether the piece is by Bach (Hadjeres et al. 2017 asked the same of DeepBach).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kantor.errors import InputError

__all__ = ["FILE", "LEVELS", "QUESTIONS", "TITLE", "Item", "Question", "Test"]

FILE = "test.json"
TITLE = "Listening test"
FORMAT = 1


@dataclass(frozen=True)
class Question:
    """What is asked of every piece: an answer is a whole number from 1 to ``len(answers)``.

    Attributes
    ----------
    name     of its column.
    text     as the page asks it.
    answers  what each number means; the page may show the first and the last alone.
    """

    name: str
    text: str
    answers: tuple[str, ...]


#: Seed system 002's three, and whose it is.
QUESTIONS = (
    Question("musicality", "Does it sound like music?", ("not at all", "a little", "partly", "mostly", "entirely")),
    Question("coherence", "Does it have structure?", ("none", "a little", "some", "clearly", "very clearly")),
    Question("creativity", "Is it interesting?", ("not at all", "a little", "somewhat", "quite", "very")),
    Question("bach", "Is it by Bach?", ("no", "yes")),
)
LEVELS = ("listener", "musician", "composer or theorist")


@dataclass(frozen=True)
class Item:
    """A piece of the test.

    Attributes
    ----------
    name      random letters: its address, which tells nothing.
    source    whose it is: "bach", a model's name; or "training" of those that are not counted.
    piece     what it is, for those who read the results.
    seconds   how long it sounds.
    training  whether it is a training item.
    """

    name: str
    source: str
    piece: str
    seconds: float = 0.0
    training: bool = False


@dataclass(frozen=True)
class Test:
    """A whole test.

    Attributes
    ----------
    items          all pieces, training items among them.
    real           the source for which "by Bach" is right.
    least_seconds  of a piece that have to be heard before it can be answered.
    headphones     for each trial of the headphones check, which of its three tones is the quietest, 1 to 3.
    facts          what made it: bars, sound, seeds.
    """

    items: tuple[Item, ...]
    title: str = TITLE
    questions: tuple[Question, ...] = QUESTIONS
    levels: tuple[str, ...] = LEVELS
    real: str = "bach"
    seed: int = 0
    least_seconds: float = 5.0
    headphones: tuple[int, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    __test__ = False  # pytest takes what is called so for one of its own

    @property
    def training(self) -> tuple[Item, ...]:
        """The items that are heard first and not counted."""
        return tuple(item for item in self.items if item.training)

    @property
    def counted(self) -> tuple[Item, ...]:
        """The items that are."""
        return tuple(item for item in self.items if not item.training)

    @property
    def sources(self) -> tuple[str, ...]:
        """Whose pieces there are, in order of their first."""
        return tuple(dict.fromkeys(item.source for item in self.counted))

    def order(self, rater: str) -> list[str]:
        """In which order ``rater`` hears the items: training first, then a shuffle of their own, the same each time."""
        number = int.from_bytes(hashlib.sha256(f"{self.seed}:{rater}".encode()).digest()[:8], "big")
        shuffled = [item.name for item in self.counted]
        random.Random(number).shuffle(shuffled)
        return [item.name for item in self.training] + shuffled

    def shown(self) -> dict[str, Any]:
        """What the page may know: everything but whose the pieces are."""
        return {
            "title": self.title,
            "questions": [asdict(question) for question in self.questions],
            "levels": list(self.levels),
            "training": [item.name for item in self.training],
            "pieces": len(self.counted),
            "minutes": round(sum(item.seconds for item in self.items) / 60),
            "least_seconds": self.least_seconds,
            "headphones": len(self.headphones),
        }

    def save(self, folder: Path) -> None:
        """Write ``test.json`` into ``folder``."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"
        (folder / FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Test:
        """The test in ``folder``.

        Raises
        ------
        InputError
            If there is none, or ``test.json`` is not as :meth:`save` wrote it.
        """
        try:
            known = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except OSError as error:
            text = f"expected a listening test in '{folder}', found no {FILE}; try: kantor listen build -o {folder}"
            raise InputError(text) from error
        except ValueError as error:
            raise InputError(f"expected JSON in '{folder / FILE}', got something else; build the test anew.") from error
        try:
            if known.pop("format") != FORMAT:
                raise ValueError
            items = tuple(Item(**item) for item in known.pop("items"))
            questions = tuple(Question(**{**one, "answers": tuple(one["answers"])}) for one in known.pop("questions"))
            tuples: dict[str, Any] = {name: tuple(known.pop(name)) for name in ("levels", "headphones")}
            return cls(items=items, questions=questions, **tuples, **known)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"'{folder / FILE}' is no listening test of this version; build it anew.") from error
