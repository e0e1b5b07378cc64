"""A score as one line of text."""

import base64
import zlib

import pytest
from hypothesis import given

from kantor.errors import FileFormatError
from kantor.io import packing
from kantor.io.packing import pack_score, unpack_score
from strategies import scores


@given(scores(max_parts=3, monophonic=False))
def test_nothing_is_lost(score):
    line = pack_score(score)
    assert unpack_score(line) == score
    assert line.isascii()
    assert line.isprintable()
    assert pack_score(unpack_score(line)) == line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "~~~~",
        base64.b85encode(b"plain").decode(),
        *(
            base64.b85encode(zlib.compress(raw)).decode()
            for raw in (
                b"",
                b"[]",
                b"[{}, []]",
                b"[1, 2]",
                b'[{"parts": 3}, []]',
                b"null",
                b"\xff\xfe",
                b"[" * 2000,
            )
        ),
    ],
)
def test_what_is_damaged_is_refused(text):
    with pytest.raises(FileFormatError, match="music in a recipe"):
        unpack_score(text)


def test_what_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(packing, "MOST", 1000)
    bomb = base64.b85encode(zlib.compress(b" " * 10_000)).decode()
    with pytest.raises(FileFormatError, match="MiB of it"):
        unpack_score(bomb)
