"""What was made on the page is not lost, and what was chosen holds: through undo, links, lost sockets, other tempi."""

from __future__ import annotations

from typing import Any

import pytest

from studio_page import NOTES, SLIDE, STILL, with_piece

OUTGOING = """() => {
  const {tempi, recipe} = studio.outgoing();
  return {tempo: tempi[0].quarters_per_minute, recipe: recipe !== ""};
}"""
STRICT = {"'self' 'unsafe-inline'": "'self'", " data:": "", " blob:": ""}


def composing(page: Any, **start: Any) -> Any:
    page.evaluate("(start) => studio.compose({type: 'start', seed: 5, bars: 32, pickup: 0, ...start})", start)
    page.wait_for_function("() => studio.growing?.until > 480 && studio.transport.state === 'playing'")
    return page


def transpose_first(page: Any) -> None:
    page.focus("#roll")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")


# -- undo, links, drafts -----------------------------------------------------------------------------------------------


def test_the_skip_link_leads_to_compose_and_leaves_the_history_alone(visit):
    page = with_piece(visit())
    before = page.evaluate(NOTES)
    transpose_first(page)
    page.focus(".skip")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'compose'")
    page.keyboard.press("Control+z")
    assert page.evaluate(NOTES) == before


def test_a_link_is_opened_beside_what_was_on_the_page(visit):
    page = with_piece(visit())
    transpose_first(page)
    page.click("#take")
    page.wait_for_function("() => document.getElementById('link').value.includes('#score=')")
    link, theirs = page.input_value("#link").split("/", 3)[3], page.evaluate(NOTES)
    other = with_piece(visit(), seed=4)
    mine = other.evaluate(NOTES)
    other.wait_for_selector(f"html[data-saved='{len(mine)}']", state="attached")
    third = visit(link, context=other.context)
    third.wait_for_function(STILL)
    assert third.evaluate(NOTES) == theirs
    third.click("#undo")
    assert third.evaluate(NOTES) == mine
    third.click("#redo")
    assert third.evaluate(NOTES) == theirs
    third.wait_for_selector("html[data-saved]", state="attached")
    third.reload()
    third.wait_for_selector("html[data-ready]")
    assert third.evaluate(NOTES) == theirs
    third.click("#undo")
    assert third.evaluate(NOTES) == mine


def test_a_damaged_link_is_told_and_what_was_there_stays(visit):
    page = with_piece(visit())
    before = page.evaluate(NOTES)
    page.wait_for_selector(f"html[data-saved='{len(before)}']", state="attached")
    other = visit("#score=q1YqSi1W0lFKy8wpSS1Ssqquru4ytlSqBQA", context=page.context)
    assert "damaged" in other.inner_text("#status")
    assert other.evaluate(NOTES) == before


def test_a_page_that_is_left_before_it_is_ready_keeps_what_was_there(visit):
    page = with_piece(visit())
    before = page.evaluate(NOTES)
    page.wait_for_selector(f"html[data-saved='{len(before)}']", state="attached")
    page.context.route("**/api/models", lambda route: None)  # it never answers
    hasty = visit(context=page.context, ready=False)
    hasty.wait_for_function("() => globalThis.studio !== undefined")
    hasty.evaluate("() => dispatchEvent(new Event('pagehide'))")
    page.context.unroute("**/api/models")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(NOTES) == before


def test_what_is_being_composed_outlives_an_undo(visit):
    page = with_piece(visit())
    before = page.evaluate(NOTES)
    composing(page)
    page.keyboard.press("Control+z")
    assert page.evaluate(NOTES) == before
    assert page.evaluate("() => studio.growing") is None
    page.click("#redo")
    assert page.evaluate("() => studio.history.current.label") == "interrupted"
    assert page.evaluate("() => studio.piece.notes.length") > 0
    length, last = page.evaluate(
        "() => [studio.piece.length_ticks, Math.max(...studio.piece.notes.map((n) => n.onset + n.duration))]"
    )
    assert last <= length < 32 * 3 * 480


def test_what_is_being_composed_is_there_when_the_page_is_opened_again(visit):
    page = composing(visit())
    page.wait_for_selector("html[data-saved]:not([data-saved='0'])", state="attached")
    assert page.evaluate("() => document.documentElement.dataset.composing") == "true"
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("() => studio.piece.notes.length") > 0


# -- the socket --------------------------------------------------------------------------------------------------------


def test_no_socket_is_opened_for_a_pointer_that_passes_by(visit):
    page = visit()
    page.hover("#compose")
    page.focus("#compose")
    assert page.evaluate("() => studio.live.socket") is None


def test_a_piece_whose_session_another_page_takes_is_kept(visit):
    page = composing(visit())
    page.evaluate(
        """() => {
          const other = new WebSocket(studio.live.socket.url);
          const message = {type: "resume_session", id: studio.growing.session};
          other.onopen = () => other.send(JSON.stringify(message));
        }"""
    )
    page.wait_for_function("() => studio.growing === null")
    assert page.evaluate("() => studio.history.current.label") == "interrupted"
    assert page.evaluate("() => studio.piece.notes.length") > 0
    assert "another page" in page.inner_text("#status")


def test_the_place_is_kept_when_what_was_heard_comes_again(visit):
    page = composing(visit())
    page.wait_for_function("() => studio.transport.position > 480")
    at = page.evaluate(
        """() => {
          studio.growing.branch = 99;  // as if it had missed a change of branch
          studio.live.socket.close();
          return studio.transport.position;
        }"""
    )
    page.wait_for_function("() => studio.growing.branch === 0 && studio.growing.until > studio.transport.position")
    page.wait_for_function("() => studio.transport.state === 'playing'")
    assert page.evaluate("() => studio.transport.position") >= at


def test_what_is_taken_back_ahead_does_not_move_the_playhead_there(visit):
    page = composing(visit())
    page.wait_for_function("() => studio.transport.handed > studio.transport.position + 240")
    before, to, after = page.evaluate(
        """() => {
          const before = studio.transport.position, to = Math.floor(studio.transport.handed) - 1;
          studio.live.onmessage({type: "taken_back", to, branch: studio.growing.branch});
          return [before, to, studio.transport.position];
        }"""
    )
    assert before <= after < to


def test_a_session_that_is_taken_up_again_is_told_of_a_pause(visit):
    page = composing(visit())
    page.evaluate(
        """() => {
          window.said = [];
          const say = studio.live.send.bind(studio.live);
          studio.live.send = (message) => { window.said.push(message.type); say(message); };
          studio.live.socket.close();
          studio.toggle();  // there is nobody to tell
        }"""
    )
    page.wait_for_function("() => window.said.includes('played')")
    assert page.evaluate("() => window.said.slice(0, 3)") == ["resume_session", "pause", "played"]


# -- what was chosen ---------------------------------------------------------------------------------------------------


def test_a_piece_beyond_the_tempo_slider_and_a_preset_that_is_looked_at_change_nothing(visit):
    page = with_piece(visit(), tempo=240)
    assert page.evaluate(OUTGOING) == {"tempo": 240, "recipe": True}
    page.get_by_role("radio", name="Minor and slow").click()
    assert page.evaluate(OUTGOING) == {"tempo": 240, "recipe": True}
    assert page.evaluate("() => studio.controls.start().tempo") == 54
    page.evaluate(SLIDE, ["tempo", "120"])
    assert page.evaluate(OUTGOING) == {"tempo": 120, "recipe": False}
    assert "score=" in page.evaluate("() => studio.link()")
    transpose_first(page)
    assert page.evaluate(OUTGOING)["tempo"] == 120
    page.click("#undo")
    assert page.evaluate(OUTGOING) == {"tempo": 240, "recipe": True}
    assert "recipe=" in page.evaluate("() => studio.link()")


def test_an_instrument_that_is_chosen_while_it_composes_is_kept(visit):
    page = composing(visit(), bars=4, tempo=240)
    page.select_option("#voices select >> nth=0", "40")
    page.click("button[aria-label='Mute Alto']")
    assert page.evaluate("() => studio.sound.programs[0]") == 40
    page.wait_for_function(STILL)
    assert page.evaluate("() => studio.piece.parts[0].program") == 40
    assert page.evaluate("() => studio.sound.programs[0]") == 40
    assert page.input_value("#voices select >> nth=0") == "40"


def test_two_sliders_that_move_together_are_one_turn(visit):
    page = composing(visit())
    page.evaluate(
        """() => {
          window.turns = [];
          const say = studio.live.say.bind(studio.live);
          studio.live.say = (message) => { if (message.type === "turn") window.turns.push(message); say(message); };
        }"""
    )
    page.evaluate(
        f"(moves) => moves.forEach({SLIDE})",
        [["temperature", "1.3"], ["top_p", "0.8"], ["temperature", "1.2"]],
    )
    page.wait_for_function("() => window.turns.length > 0")
    assert page.evaluate("() => window.turns") == [{"type": "turn", "temperature": 1.2, "top_p": 0.8}]


# -- keys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["#temperature", "#in-key"])
def test_undo_works_where_a_slider_or_a_box_has_the_focus(visit, where):
    page = with_piece(visit())
    before = page.evaluate(NOTES)
    transpose_first(page)
    page.focus(where)
    page.keyboard.press("Control+z")
    assert page.evaluate(NOTES) == before


def test_the_space_bar_plays_from_a_slider_and_ticks_a_box(visit):
    page = with_piece(visit())
    page.focus("#temperature")
    page.keyboard.press(" ")
    page.wait_for_function("() => studio.transport.state === 'playing'")
    page.keyboard.press(" ")
    assert page.evaluate("() => studio.transport.state") == "paused"
    page.focus("#in-key")
    page.keyboard.press(" ")
    assert page.is_checked("#in-key")
    assert page.evaluate("() => studio.transport.state") == "paused"


def test_a_loop_and_a_place_are_set_by_key(visit):
    page = with_piece(visit())
    page.focus("#roll")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    onset = page.evaluate("() => studio.roll.selection[0].onset")
    assert onset > 0
    page.keyboard.press("p")
    page.wait_for_function("(onset) => studio.transport.position > onset", arg=onset)
    page.keyboard.press("l")
    assert page.evaluate("() => studio.transport.loop[0]") == onset
    page.keyboard.press("Escape")
    assert page.evaluate("() => [studio.transport.loop, studio.roll.loop]") == [None, None]
    page.click("#help")
    assert "play from this note" in page.inner_text("#helping")


def test_new_notes_go_to_a_part_that_the_piece_has(visit):
    page = with_piece(visit())
    page.evaluate("() => { studio.roll.voice = 3; }")
    page.evaluate(
        """() => studio.opened({notes: [{part: 0, pitch: 60, onset: 0, duration: 480, velocity: 80}],
          parts: [{name: "Piano", program: 0, is_drum: false}]}, "one part")"""
    )
    assert page.evaluate("() => studio.roll.voice") == 0


# -- MIDI instruments --------------------------------------------------------------------------------------------------


def test_a_keyboard_is_recorded_at_the_slider_s_tempo_and_an_instrument_that_goes_is_left(visit):
    page = visit()
    page.evaluate(
        """() => {
          window.input = {};
          window.output = {id: "o", name: "Piano", state: "connected", sent: [], send(message) {
            if (this.broken) throw new Error("gone");
            this.sent.push(message[0] & 0xf0);
          }};
          window.access = {inputs: new Map([["i", input]]), outputs: new Map([["o", output]])};
          navigator.requestMIDIAccess = async () => access;
        }"""
    )
    page.evaluate(SLIDE, ["tempo", "120"])
    page.click("#record")
    page.wait_for_selector("#record[aria-pressed=true]")
    page.evaluate(
        """() => {
          const now = performance.now();
          const play = (at, ...data) => input.onmidimessage({data, timeStamp: now + at});
          play(0, 0x90, 60, 80), play(500, 0x80, 60, 0), play(500, 0x90, 62, 80), play(1000, 0x80, 62, 0);
        }"""
    )
    page.click("#record")
    assert page.evaluate(NOTES) == [[0, 0, 480, 60], [0, 480, 480, 62]]
    assert page.evaluate(OUTGOING)["tempo"] == 120
    page.dispatch_event("#output", "pointerdown")
    page.wait_for_selector("#output option[value=o]", state="attached")
    page.select_option("#output", "o")
    assert page.evaluate("() => studio.sound.name") == "midi"
    page.evaluate("() => studio.sound.touch(0, 60)")
    assert page.evaluate("() => output.sent.slice(-2)") == [0x90, 0x80]
    page.evaluate("() => { output.broken = true; studio.sound.touch(0, 60); }")
    assert page.evaluate("() => studio.sound.name") != "midi"
    assert page.input_value("#output") == ""
    assert "does not answer" in page.inner_text("#status")


def test_a_player_that_is_taken_off_a_page_leaves_nothing_running(visit):
    page = with_piece(visit())
    page.click("h1")  # sound is for pages that were touched
    states = page.evaluate(
        """async () => {
          await import("/kantor-roll.js");
          const player = document.createElement("kantor-player"), {context: none} = player;
          document.body.append(player);
          player.piece = studio.piece;
          player.toggle();
          const {context} = player;
          player.remove();
          const closed = new Promise((done) => {
            context.onstatechange = () => context.state === "closed" && done();
            if (context.state === "closed") done();
          });
          await closed;
          document.body.append(player);
          player.toggle();
          const again = player.context;
          player.remove();
          return [none, context.state, again !== context, player.piece.notes.length > 0];
        }"""
    )
    assert states == [None, "closed", True, True]


# -- policy ------------------------------------------------------------------------------------------------------------


def test_the_page_needs_no_inline_styles_no_blobs_and_no_data_addresses(visit, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    policies = []

    def stricter(route: Any) -> None:
        answer = route.fetch()
        policy = answer.headers["content-security-policy"]
        for more, less in STRICT.items():
            policy = policy.replace(more, less)
        policies.append(policy)
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})

    context.route("**/", stricter)
    try:
        page = with_piece(visit(context=context))
        page.wait_for_selector("html[data-voice=soundfont]")
        page.wait_for_function("() => document.querySelectorAll('kantor-score svg').length > 0")
        page.keyboard.press(" ")
        page.wait_for_function("() => studio.transport.position > 0")
        page.click("#take")
        with page.expect_download():
            page.click("#taking button[data-kind=mid]")
    finally:
        context.close()
    assert len(policies) == 1
    assert not any(word in policies[0] for word in ("inline", "blob:", "data:"))
