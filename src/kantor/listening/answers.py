"""What people have answered, kept in SQLite the moment they say it. One file, which any tool can read.

``raters`` has a row for each person: a random number, and what they chose to tell. ``answers`` has a row for each
question of each piece; who changes their mind replaces it. There is no name, no address, no time.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kantor.errors import InputError, OptionError
from kantor.listening.design import Test

__all__ = ["FILE", "Answer", "Answers", "Rater"]

FILE = "answers.sqlite"
_RATER = re.compile(r"[0-9a-f]{32}")
_TABLES = """
CREATE TABLE IF NOT EXISTS raters (
    rater TEXT PRIMARY KEY, level TEXT NOT NULL DEFAULT '', headphones INTEGER
);
CREATE TABLE IF NOT EXISTS answers (
    rater TEXT NOT NULL REFERENCES raters(rater), item TEXT NOT NULL, question TEXT NOT NULL,
    value INTEGER NOT NULL, heard REAL NOT NULL DEFAULT 0, PRIMARY KEY (rater, item, question)
);
"""


@dataclass(frozen=True)
class Rater:
    """A person: what they said of themselves, and how many trials of the headphones check were right, if they tried."""

    rater: str
    level: str = ""
    headphones: int | None = None


@dataclass(frozen=True)
class Answer:
    """One answer: a whole number from 1, and how many seconds of the piece had been played."""

    rater: str
    item: str
    question: str
    value: int
    heard: float = 0.0


class Answers:
    """The answers to one test, in the file ``path``; safe to use from several threads.

    Parameters
    ----------
    reading  only read: the file has to be there, and stays as it is.

    Raises
    ------
    InputError
        If the file is there and is no SQLite database.
    """

    def __init__(self, path: Path, test: Test, *, reading: bool = False) -> None:
        self._path, self._test = path, test
        self._address = f"{path.absolute().as_uri()}?mode={'ro' if reading else 'rwc'}"
        self._items = {item.name for item in test.items}
        self._most = {question.name: len(question.answers) for question in test.questions}
        if not reading:
            with self._open() as database:
                database.executescript(_TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._address, uri=True, timeout=20)) as database, database:
                yield database
        except sqlite3.DatabaseError as error:
            raise InputError(f"'{self._path}' cannot be used as a database ({error}); move it away.") from error

    def begin(self, rater: str | None = None) -> dict[str, Any]:
        """A new rater, or one who comes back: who they are, their order of pieces, and what they have said so far."""
        with self._open() as database:
            known = None
            if rater and _RATER.fullmatch(rater):
                query = "SELECT rater, level, headphones FROM raters WHERE rater = ?"
                known = database.execute(query, (rater,)).fetchone()
            if known is None:
                known = (secrets.token_hex(16), "", None)
                database.execute("INSERT INTO raters (rater) VALUES (?)", known[:1])
            rows = database.execute("SELECT item, question, value FROM answers WHERE rater = ?", known[:1]).fetchall()
        said: dict[str, dict[str, int]] = {}
        for item, question, value in rows:
            said.setdefault(item, {})[question] = value
        about = {"rater": known[0], "level": known[1], "headphones": known[2]}
        return {**about, "order": self._test.order(known[0]), "answers": said}

    def tell_level(self, rater: str, level: str) -> None:
        """Keep what a rater says of themselves; "" takes it back."""
        if level and level not in self._test.levels:
            raise OptionError(f"expected a level of {', '.join(self._test.levels)}, got '{level}'.")
        self._update("UPDATE raters SET level = ? WHERE rater = ?", level, rater)

    def tell_headphones(self, rater: str, said: list[int]) -> int:
        """Keep how many trials of the headphones check a rater had right, and return that."""
        truth = self._test.headphones
        if len(said) != len(truth):
            raise OptionError(f"expected {len(truth)} answers to the headphones check, got {len(said)}.")
        right = sum(one == other for one, other in zip(said, truth, strict=True))
        self._update("UPDATE raters SET headphones = ? WHERE rater = ?", right, rater)
        return right

    def answer(self, answer: Answer) -> None:
        """Keep an answer, in place of an earlier one of the same person to the same question of the same piece.

        Raises
        ------
        OptionError
            If nobody, no piece or no question bears that name, or the value is out of range.
        """
        most = self._most.get(answer.question)
        if answer.item not in self._items or most is None or not 1 <= answer.value <= most:
            raise OptionError("expected an answer to a question of this test, got one to another.")
        heard = min(max(answer.heard, 0.0), 1e6)
        row = (answer.item, answer.question, answer.value, heard, answer.rater)
        text = (
            "INSERT INTO answers (rater, item, question, value, heard) "
            "SELECT rater, ?, ?, ?, ? FROM raters WHERE rater = ? ON CONFLICT (rater, item, question) "
            "DO UPDATE SET value = excluded.value, heard = max(heard, excluded.heard)"
        )
        self._update(text, *row)

    def _update(self, text: str, *values: Any) -> None:
        with self._open() as database:
            if not database.execute(text, values).rowcount:
                raise OptionError("expected a rater who has begun this test, got another; open the page anew.")

    def raters(self) -> list[Rater]:
        """Everybody who has begun, in order of their numbers."""
        with self._open() as database:
            rows = database.execute("SELECT rater, level, headphones FROM raters ORDER BY rater").fetchall()
        return [Rater(*row) for row in rows]

    def answers(self) -> list[Answer]:
        """All answers, to training items too, in order of rater, piece and question."""
        with self._open() as database:
            query = "SELECT rater, item, question, value, heard FROM answers ORDER BY rater, item, question"
            rows = database.execute(query).fetchall()
        return [Answer(*row) for row in rows]
