"""docs/studio.md names every message, field, route and code that there is, and none that is not."""

import re
from pathlib import Path
from typing import get_args

import pytest

from kantor.studio import bodies, hub, messages
from kantor.studio.rest import POSTS

PAGE = Path(__file__).parents[2] / "docs" / "studio.md"
#: What is written in code within a row, and is no field.
GRAMMAR = {"piece", "svg"}


@pytest.fixture(scope="module")
def text():
    if not PAGE.is_file():
        pytest.skip("the documentation is not here")
    return PAGE.read_text("utf-8")


def cells(text, head):
    """The cells of the row that begins so."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {head}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def named(cell):
    return {name for code in re.findall(r"`([^`]*)`", cell) for name in re.findall(r"[a-z_]+", code)}


def fields(kind):
    return set(kind.model_fields) - {"type"}


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.path)
def test_bodies_have_the_fields_that_are_documented(text, post):
    cell = cells(text, f"`POST /api/{post.path}`")[1]
    if post.shape == "Variations":
        assert fields(bodies.VariedGenerate) <= named(cell)
        return
    kind = getattr(bodies, post.shape)
    inner = fields(bodies.Selection) if post.shape == "Infill" else set()
    other = {"done", "score"} if post.shape == "Replay" else set()  # where a recipe is found
    assert named(cell) - other == fields(kind) | inner


ANSWERS = {
    "POST /api/generate": (bodies.Pieces, messages.PieceJson),
    "POST /api/check": (bodies.Checked, bodies.FaultJson, bodies.Skipped),
    "POST /api/surprise": (bodies.Surprise,),
    "POST /api/choices": (bodies.Choices, bodies.Choice),
    "POST /api/engrave": (bodies.Engraved, bodies.Moment),
    "POST /api/read": (bodies.Read,),
    "GET /api/models": (bodies.ModelJson,),
    "GET /api/rules": (bodies.RuleJson,),
    "GET /api/presets": (bodies.PresetJson,),
    "GET /api/instruments": (bodies.InstrumentJson,),
    "GET /api/status": (bodies.Status,),
}


@pytest.mark.parametrize(("route", "kinds"), ANSWERS.items(), ids=ANSWERS)
def test_answers_have_the_keys_that_are_documented(text, route, kinds):
    cell = cells(text, f"`{route}`")[2]
    if cell.startswith("`{"):  # the answer itself: what is in quotes is a key
        known = set(re.findall(r'"([a-z_]+)"', cell))
        loose = named(cell.split("}`", 1)[1]) if route.endswith("generate") else set()
    else:
        known, loose = named(cell), set()
    assert (known | loose) - GRAMMAR == set().union(*map(fields, kinds))


@pytest.mark.parametrize("kind", get_args(get_args(messages.ClientMessage)[0]), ids=lambda kind: kind.__name__)
def test_what_the_page_says_is_documented(text, kind):
    name = get_args(kind.model_fields["type"].annotation)[0]
    head = "`pause`, `resume`" if name in ("pause", "resume") else f"`{name}` "
    assert named(cells(text, head)[1]) == fields(kind)


@pytest.mark.parametrize("kind", get_args(get_args(messages.ServerMessage)[0]), ids=lambda kind: kind.__name__)
def test_what_the_server_says_is_documented(text, kind):
    head = f"`{kind.model_fields['type'].default}` "
    inner = {messages.Started: messages.Bar, messages.Notes: messages.LiveNote}.get(kind)
    assert named(cells(text, head)[1]) == fields(kind) | (fields(inner) if inner else set())


def test_every_code_that_closes_a_socket_is_documented(text):
    codes = {hub.GARBAGE, hub.UNKNOWN, hub.SILENT, hub.TAKEN, hub.BROKEN, hub.FULL}
    assert codes <= {int(code) for code in re.findall(r"\b(4\d{3}|1\d{3})\b", text)}
