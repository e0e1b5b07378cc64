"""The OpenAPI document says of every body what its route takes, though the server does not read them."""

import json
import re

import pytest

from kantor.studio import bodies
from kantor.studio.rest import SHAPES

SCORE = {"notes": [{"part": 0, "pitch": 60, "onset": 0, "duration": 480}]}
GOOD = {
    "Generate": {"bars": 4, "rules": ["no-parallels"]},
    "Continue": {"score": SCORE, "bars": 2},
    "Harmonize": {"score": SCORE, "voice": "alto"},
    "Infill": {"score": SCORE, "select": [{"voices": [1]}]},
    "Variations": {"verb": "generate", "body": {"bars": 2}, "count": 2},
    "Replay": {"recipe": "{}"},
    "Check": {"score": SCORE},
    "SurpriseOf": {"score": SCORE},
    "ChoicesOf": {"score": SCORE, "note": 0},
    "Engrave": {"score": SCORE},
    "Save": {"score": SCORE, "instrument": "40"},
}


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


def test_every_name_that_is_meant_is_there(document):
    meant = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert meant <= set(document["components"]["schemas"])
    assert set(SHAPES.values()) == set(GOOD)


@pytest.mark.parametrize(("path", "shape"), SHAPES.items())
def test_a_body_is_described_as_it_is_taken(document, path, shape):
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    body = document["paths"][path]["post"]["requestBody"]
    assert body["required"]
    schema = {**document, **body["content"]["application/json"]["schema"]}
    assert validator(schema).is_valid(GOOD[shape])
    wrong = [{**GOOD[shape], "nonsense": 1}, [], "score", {**GOOD[shape], **{name: {} for name in GOOD[shape]}}]
    assert not any(validator(schema).is_valid(one) for one in wrong)
    if shape != "Variations":  # one of four
        known = document["components"]["schemas"][shape]["properties"]
        assert set(known) == set(getattr(bodies, shape).model_fields)


def test_answers_are_described(document):
    for path in SHAPES:
        answers = document["paths"][path]["post"]["responses"]
        assert {"200", "400", "404", "413", "422", "503"} <= set(answers)
        assert answers["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorJson")
