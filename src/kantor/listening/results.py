"""The answers to a test -> what it says: by source, by piece, by level; agreement; who was told from Bach.

Counted are answers to pieces that are no training items, once they have been played for so long as the test asks.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kantor.listening.answers import Answer, Rater
from kantor.listening.design import Question, Test
from kantor.listening.statistics import agreement, difference, interval, told

__all__ = ["TARGET", "as_csv", "results"]

TARGET = 3.5  # of 5: what seed system 002 asks of its pieces
FIVE = 5
YES = 2  # the second answer of a question of two


def results(test: Test, raters: Sequence[Rater], answers: Sequence[Answer], seed: int = 0) -> dict[str, Any]:
    """All figures, as JSON has them (``docs/json.md``); what cannot be told is null."""
    said = _Said(test, raters, answers)
    rated = [question for question in test.questions if len(question.answers) >= FIVE]
    asked = [question for question in test.questions if len(question.answers) == YES]
    return {
        "title": test.title,
        "pieces": len(test.counted),
        "raters": len(said.raters),
        "complete": said.complete,
        "answers": int(sum(np.isfinite(table).sum() for table in said.tables.values())),
        "levels": said.levels,
        "headphones": said.headphones,
        "sources": [_source(said, source, rated, asked, seed) for source in test.sources],
        "items": [_item(said, column, rated, asked) for column in range(len(test.counted))],
        "by_level": [_level(said, level, source, rated, seed) for level in said.levels for source in test.sources],
        "agreement": {question.name: _or_none(agreement(said.tables[question.name])) for question in test.questions},
        "differences": [
            {"question": question.name, **_differs(said, question, one, other, seed)}
            for question in rated
            for at, one in enumerate(test.sources)
            for other in test.sources[at + 1 :]
        ],
        "told": [found for question in asked if (found := _told(said, question, seed))],
    }


def as_csv(test: Test, raters: Sequence[Rater], answers: Sequence[Answer]) -> str:
    """Every answer as a row: rater by number, level, headphones, piece, source, question, value, seconds heard.

    A question of yes and no has these words as its values.
    """
    numbers = {one.rater: (number, one) for number, one in enumerate(raters, start=1)}
    items = {item.name: item for item in test.items}
    words = {question.name: question.answers for question in test.questions if len(question.answers) == YES}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ["rater", "level", "headphones", "item", "source", "piece", "training", "question", "value", "heard"]
    )
    for one in answers:
        if one.rater in numbers and one.item in items:
            number, rater = numbers[one.rater]
            item = items[one.item]
            about = [number, rater.level, "" if rater.headphones is None else rater.headphones]
            what = [item.name, item.source, item.piece, int(item.training)]
            value = words[one.question][one.value - 1] if one.question in words else one.value
            writer.writerow([*about, *what, one.question, value, f"{one.heard:.1f}"])
    return file.getvalue()


class _Said:
    """The answers as tables: of each question (raters, pieces), NaN where there is none."""

    def __init__(self, test: Test, raters: Sequence[Rater], answers: Sequence[Answer]) -> None:
        self.test = test
        counted = {item.name: column for column, item in enumerate(test.counted)}
        least = {item.name: min(test.least_seconds, 0.9 * item.seconds) - 0.1 for item in test.counted}
        kept = [one for one in answers if one.item in counted and one.heard >= least[one.item]]
        who = {one.rater for one in kept}
        self.raters = [rater for rater in raters if rater.rater in who]
        rows = {rater.rater: row for row, rater in enumerate(self.raters)}
        shape = (len(self.raters), len(counted))
        self.tables = {question.name: np.full(shape, math.nan) for question in test.questions}
        for one in kept:
            if one.question in self.tables and one.rater in rows:
                self.tables[one.question][rows[one.rater], counted[one.item]] = one.value
        whole = np.logical_and.reduce([np.isfinite(table) for table in self.tables.values()], axis=0)
        self.complete = int(whole.all(axis=1).sum()) if shape[0] else 0
        self.levels = {level: n for level in (*test.levels, "") if (n := sum(r.level == level for r in self.raters))}
        tried = [rater.headphones for rater in self.raters if rater.headphones is not None]
        self.headphones = {
            "tried": len(tried),
            "passed": sum(right == len(test.headphones) for right in tried),
        }

    def columns(self, source: str) -> list[int]:
        """Of which pieces; all where no source is named."""
        return [at for at, item in enumerate(self.test.counted) if source in ("", item.source)]

    def rows(self, level: str) -> list[int]:
        return [at for at, rater in enumerate(self.raters) if rater.level == level]


def _mean(said: _Said, names: Sequence[str], rows: Sequence[int], columns: Sequence[int], seed: int) -> dict[str, Any]:
    """Mean and interval of one or several questions' ratings, of some raters and pieces."""
    chosen = np.stack([said.tables[name][np.ix_(rows, columns)] for name in names])
    count = int(np.isfinite(chosen).any(axis=0).sum())
    if not count:
        return {"mean": None, "interval": None, "ratings": 0}
    sums, known = np.nansum(chosen, axis=0), np.isfinite(chosen).sum(axis=0)
    ratings = np.where(known > 0, sums / np.maximum(known, 1), math.nan)
    mean, low, high = interval(ratings, seed)
    return {"mean": _round(mean), "interval": [_round(low), _round(high)], "ratings": count}


def _source(
    said: _Said, source: str, rated: Sequence[Question], asked: Sequence[Question], seed: int
) -> dict[str, Any]:
    rows, columns = list(range(len(said.raters))), said.columns(source)
    each = {question.name: _mean(said, [question.name], rows, columns, seed) for question in rated}
    whole = _mean(said, [question.name for question in rated], rows, columns, seed) if rated else {"mean": None}
    reached = None if whole["mean"] is None else whole["mean"] > TARGET
    yes = {question.name: _yes(said, question, columns, seed) for question in asked}
    about = {"source": source, "pieces": len(columns), "questions": each}
    return {**about, "overall": whole, "target": reached, "yes": yes}


def _yes(said: _Said, question: Question, columns: Sequence[int], seed: int) -> dict[str, Any]:
    """Of how large a share of some pieces' answers it was yes."""
    table = said.tables[question.name][:, columns] - 1
    count = int(np.isfinite(table).sum())
    if not count:
        return {"share": None, "interval": None, "answers": 0}
    share, low, high = interval(table, seed)
    return {"share": _round(share), "interval": [_round(low), _round(high)], "answers": count}


def _item(said: _Said, column: int, rated: Sequence[Question], asked: Sequence[Question]) -> dict[str, Any]:
    item = said.test.counted[column]
    means: dict[str, float | None] = {}
    for question in (*rated, *asked):
        values = said.tables[question.name][:, column]
        values = values[np.isfinite(values)] - (1 if question in asked else 0)  # of yes and no, the share of yes
        means[question.name] = _round(float(values.mean())) if len(values) else None
    heard = np.logical_or.reduce([np.isfinite(table[:, column]) for table in said.tables.values()])
    return {"item": item.name, "source": item.source, "piece": item.piece, "raters": int(heard.sum()), "means": means}


def _level(said: _Said, level: str, source: str, rated: Sequence[Question], seed: int) -> dict[str, Any]:
    found = _mean(said, [question.name for question in rated], said.rows(level), said.columns(source), seed)
    return {"level": level, "source": source, **found}


def _differs(said: _Said, question: Question, one: str, other: str, seed: int) -> dict[str, Any]:
    found = difference(said.tables[question.name], said.columns(one), said.columns(other), seed)
    about = {"first": one, "second": other, "difference": _or_none(found.mean), "p": _or_none(found.p)}
    return {**about, "p_raters": _or_none(found.p_raters), "p_pieces": _or_none(found.p_pieces)}


def _told(said: _Said, question: Question, seed: int) -> dict[str, Any] | None:
    """How well the real pieces were told from all others; None before some of either have been answered."""
    table = said.tables[question.name] - 1
    real = np.array([item.source == said.test.real for item in said.test.counted])
    found = told(table, real, seed)
    if math.isnan(found.accuracy):
        return None
    right, answers = int((table == real).sum()), int(np.isfinite(table).sum())
    counts = {"question": question.name, "source": "all", "right": right, "answers": answers}
    bounds = [_round(found.low), _round(found.high)]
    return {**counts, "accuracy": _round(found.accuracy), "interval": bounds, "p": _round(found.p)}


def _or_none(value: float) -> float | None:
    return _round(value) if math.isfinite(value) else None


def _round(value: float) -> float:
    return round(float(value), 6)
