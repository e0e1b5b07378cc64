"""The page of metrics lists what there is."""

import re
from pathlib import Path

from kantor import metrics, registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def rows():
    table = PAGE.read_text(encoding="utf-8").split("\n## All figures\n")[1]
    for line in re.findall(r"^\| `.*\|$", table, re.MULTILINE):
        yield [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def test_every_figure_has_its_row_with_kind_words_unit_and_needs():
    written = {(metric, figure): rest for metric, figure, *rest in rows()}
    declared = {}
    for name in registry.names("metrics"):
        part = metrics.metric(name)
        for figure in part.figures:
            needs = ", ".join(sorted(part.needs))
            declared[name, figure.name] = (figure.kind, figure.about, figure.better or "", needs)
            assert written[name, figure.name][2] in (figure.unit, "share")
    assert {key: (rest[0], rest[1], rest[4], rest[5]) for key, rest in written.items()} == declared


def test_every_figure_that_the_text_names_is_there():
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r'found(?:\.figures)?\["([\w-]+)"\]|estimates\(made\)\["([\w-]+)"\]', text))
    assert {name for pair in named for name in pair if name} <= set(metrics.figures())
