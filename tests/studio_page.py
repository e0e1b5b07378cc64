"""What tests of the studio's page tell it and ask it, in its own language."""

from __future__ import annotations

from typing import Any

NOTES = """() => studio.piece.notes
  .map(({part, pitch, onset, duration}) => [part, onset, duration, pitch])
  .sort((a, b) => a[1] - b[1] || a[0] - b[0] || a[3] - b[3])"""
STILL = """() => document.documentElement.dataset.composing === "false"
  && !studio.busy && studio.piece.notes.length > 0"""
SLIDE = """([id, value]) => {
  const slider = document.getElementById(id);
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
}"""
GENERATE = """async (body) => {
  const headers = {"Content-Type": "application/json"};
  const answer = await fetch("api/generate", {method: "POST", headers, body: JSON.stringify(body)});
  studio.opened((await answer.json()).pieces[0].score, "a piece");
}"""


def with_piece(page: Any, **body: Any) -> Any:
    """The page with a piece on it, of four bars unless told."""
    page.evaluate(GENERATE, {"bars": 4, "seed": 3, "meter": "4/4", "pickup": 0, **body})
    page.wait_for_function(STILL)
    return page
