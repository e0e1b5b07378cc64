"""Reports: one file, nothing from outside, text that stays text; tables that sort, in a real browser."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kantor.render.marking import Mark, mark
from kantor.render.report import (
    Cell,
    Column,
    bands,
    bars,
    bullets,
    document,
    facts,
    figure,
    lines,
    number,
    picture,
    player,
    section,
    shown,
    table,
    text,
)
from kantor.score import Key, Meter, Part, Score


def whole():
    """A page with one of everything."""
    columns = [Column("name"), Column("value", "in <quarters>", True)]
    rows = [["b", number(10.0)], ["a", number(None)], ["c", number(-2.5)], ["<d>", number(9.0)]]
    plots = [
        figure(bars(["C", "D"], [("ours", [1, 3]), ("theirs", np.array([2, 2]))]), "bars"),
        figure(lines([0.0, 1.0, 2.0], [("curve", [1.0, np.nan, 0.5])], "quarters"), "lines"),
        figure(bands([("a row", 0.5, 0.4, 0.6), ("unknown", np.nan, np.nan, np.nan)], 0, 1, mark=0.5), "bands"),
        bullets([(0.5, 0.4, 0.6), None], 0, 1),
    ]
    media = [picture("<svg xmlns='http://www.w3.org/2000/svg'/>", "score"), player(b"sound", name="it")]
    content = [section("Table", table(columns, rows)), section("Plots", *plots), section("Media", *media), text("<&>")]
    return document("A <title>", "A lead & more", facts([("key", "<value>")]), *content, made_by="a test")


def test_what_comes_in_as_text_stays_text():
    page = whole()
    for tag in ("<title>A <title>", "<d>", "<value>", "<quarters>", "<&>"):
        assert tag not in page.replace("<title>A &lt;title&gt;</title>", "")
    assert "&lt;d&gt;" in page


def test_nothing_is_asked_from_outside():
    page = re.sub(r'xmlns(:\w+)?=["\']http[^"\']*["\']', "", whole())
    assert not re.search(r"https?://|@import|<link|<iframe", page)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_is_shown_and_sorts(value):
    cell = number(value)
    assert isinstance(cell, Cell)
    assert "e" not in cell.html or abs(value) >= 1e16
    assert cell.value == value if np.isfinite(value) else cell.html == "–"


def test_numbers_have_three_digits_and_a_true_minus():
    assert [shown(x) for x in (0, 1, 12345.678, -0.01234, 0.5)] == ["0", "1.00", "12,346", "−0.0123", "0.500"]


def test_a_click_on_a_head_sorts_and_the_page_fits_every_window(page, tmp_path):
    (tmp_path / "page.html").write_text(whole(), encoding="utf-8")
    first = "[...document.querySelectorAll('tbody tr')].map((row) => row.cells[0].textContent).join('')"
    page.goto((tmp_path / "page.html").as_uri())
    page.click("th:nth-child(2) button")
    assert page.evaluate(first) == "c<d>ba"  # by number, what is unknown last
    page.click("th:nth-child(2) button")
    assert page.evaluate(first) == "ab<d>c"
    assert page.evaluate("document.querySelector('th:nth-child(2)').ariaSort") == "descending"
    page.click("th:nth-child(1) button")
    assert page.evaluate(first) == "<d>abc"
    for width in (360, 800, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if width == 800 else "light")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    dark = page.evaluate("(matchMedia('(prefers-color-scheme: dark)').matches)")
    assert not dark


def test_marks_of_one_note_share_a_ring_and_lines_do_not_cross_systems():
    rows = [(480 * at, 480, 60 + at % 5, 80, 0) for at in range(64)]
    score = Score.from_notes(rows, parts=(Part("Voice"),), meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),))
    one = (480, 0, 61)
    marks = [Mark(1, "first", (one,), ((0, 0, 60),)), Mark(2, "second <b>", (one,))]
    (page,) = mark(score, marks)
    assert page.count("<circle ") == 1
    assert ">1,2</text>" in page
    assert "2 · second &lt;b&gt;" in page
    assert page.count("<line ") == 1
    far = mark(score, [Mark(1, "far", ((480 * 63, 0, 63),), ((0, 0, 60),))])
    assert "".join(far).count("<line ") == 0 or len(far) == 1
    unmarked = mark(score, [Mark(1, "nowhere", ((0, 0, 99),))])
    assert "<circle" not in "".join(unmarked)
