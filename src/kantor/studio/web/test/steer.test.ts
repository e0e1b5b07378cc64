import assert from "node:assert/strict";
import test from "node:test";
import { boxOf, hit, moved, neighbour, pitchAt, range, snap, stretched, tickAt, type View, xOf, yOf } from "../src/geometry.ts";
import { Growing } from "../src/growing.ts";
import { isLink, linked, LinkError, pack, scoreIn, unpack } from "../src/link.ts";
import { barsOf, EMPTY, fromWire, type Note, type Piece, toWire, whereIs } from "../src/music.ts";
import { unstyled } from "../src/plain_svg.ts";
import { atSpeed, before, infillBody, stretches } from "../src/steer.ts";
import { Timeline } from "../src/timeline.ts";
import type { Started } from "../src/wire.ts";

const note = (id: number, part: number, pitch: number, onset: number, duration: number): Note => ({ id, part, pitch, onset, duration, velocity: 80 });
const VIEW: View = { scale: 0.1, row: 10, low: 40, high: 80, left: 120, top: 30, width: 800, height: 400, unit: 1 };
const CHORALE: Piece = {
  ...EMPTY,
  parts: ["Soprano", "Alto", "Tenor", "Bass"].map((name) => ({ name, program: 52, is_drum: false })),
  meters: [{ tick: 0, numerator: 3, denominator: 4 }],
  anacrusis_ticks: 480,
  length_ticks: 480 * 7,
  notes: [note(1, 0, 72, 0, 480), note(2, 3, 48, 0, 960), note(3, 0, 74, 480, 480), note(4, 1, 67, 960, 480)],
};

test("places on the roll and places in the music are each other's inverse", () => {
  for (const tick of [0, 333, 4800]) assert.ok(Math.abs(tickAt(VIEW, xOf(VIEW, tick)) - tick) < 1e-6);
  for (let pitch = 40; pitch <= 80; pitch++) assert.equal(pitchAt(VIEW, yOf(VIEW, pitch) + 5), pitch);
});

test("a note is hit inside, held by its end at its end, and the upper of two is taken", () => {
  const notes = [note(1, 0, 60, 4800, 960), note(2, 1, 60, 4800, 480)];
  const box = boxOf(VIEW, notes[0]!);
  assert.deepEqual(hit(VIEW, notes, box.x + 2, box.y + 5), [notes[1], "body"]);
  assert.deepEqual(hit(VIEW, notes, box.x + box.width - 2, box.y + 5), [notes[0], "end"]);
  assert.equal(hit(VIEW, notes, box.x - 20, box.y + 5), null);
});

test("notes move together and stop at the edges", () => {
  const both = moved([note(1, 0, 2, 100, 10), note(2, 0, 126, 400, 10)], -500, 5);
  assert.deepEqual(both.map(({ onset, pitch }) => [onset, pitch]), [[0, 3], [300, 127]]);
  assert.deepEqual(stretched([note(1, 0, 60, 0, 480)], -9999, 120).map(({ duration }) => duration), [120]);
  assert.equal(snap(130, 120), 120);
});

test("two octaves are shown at least", () => {
  for (const pitches of [[], [60], [0], [127]]) {
    const [low, high] = range(pitches.map((pitch) => note(1, 0, pitch, 0, 1)));
    assert.ok(high - low >= 24 && low >= 0 && high <= 127);
  }
});

test("arrow keys reach every note of a chorale", () => {
  const notes = CHORALE.notes;
  assert.equal(neighbour(notes, notes[0], "right")!.id, 3);
  assert.equal(neighbour(notes, notes[2], "left")!.id, 1);
  assert.equal(neighbour(notes, notes[0], "down")!.id, 2);
  assert.equal(neighbour(notes, notes[1], "up")!.id, 1);
  assert.equal(neighbour(notes, notes[3], "down")!.id, 4, "nothing is below: it stays");
});

test("bars follow meter and pickup", () => {
  const bars = barsOf(CHORALE);
  assert.deepEqual(bars.map(({ start, number }) => [start, number]), [[0, 0], [480, 1], [1920, 2]]);
  assert.equal(whereIs(bars, 1440), "bar 1, beat 3");
  assert.equal(whereIs(bars, 0), "pickup, beat 1");
});

test("what touches in a voice is one stretch", () => {
  assert.deepEqual(stretches([...CHORALE.notes]), [
    { voices: [0], start: 0, end: 960 },
    { voices: [1], start: 960, end: 1440 },
    { voices: [3], start: 0, end: 960 },
  ]);
});

test("locks keep notes out of what is asked for, and name those that stay by their place", () => {
  const body = infillBody(CHORALE, CHORALE.notes, null, { parts: new Set([0]), region: null })!;
  assert.deepEqual(body.select.map(({ voices }) => voices), [[1], [3]]);
  const locked = body.locked.map((index) => body.score.notes[index]!.part);
  assert.deepEqual(locked, [0, 0]);
  assert.equal(infillBody(CHORALE, CHORALE.notes, null, { parts: new Set(), region: [0, 9999] }), null);
  const looped = infillBody(CHORALE, [], [0, 480], { parts: new Set([3]), region: null })!;
  assert.deepEqual(looped.select, [{ voices: [0, 1, 2], start: 0, end: 480 }]);
});

test("what comes before a tick ends there", () => {
  const score = before(CHORALE, 720);
  assert.deepEqual(score.notes.map(({ onset, duration }) => [onset, duration]), [[0, 480], [0, 720], [480, 240]]);
  assert.equal(score.length_ticks, 720);
});

test("a piece goes over the wire and comes back", () => {
  const { notes, ...frame } = fromWire(toWire(CHORALE));
  assert.deepEqual(toWire({ ...frame, notes }), toWire(CHORALE));
});

test("a timeline's seconds and ticks are each other's inverse through changes of tempo", () => {
  const timeline = new Timeline([{ tick: 0, quarters_per_minute: 60 }, { tick: 960, quarters_per_minute: 120 }], 480);
  assert.equal(timeline.seconds(1440), 2.5);
  for (const tick of [0, 500, 960, 3000]) assert.ok(Math.abs(timeline.tick(timeline.seconds(tick)) - tick) < 1e-6);
});

test("a link gives back what it holds", async () => {
  const text = JSON.stringify({ seed: 3, say: "Größe – 音楽" }).repeat(50);
  const packed = await pack(text);
  assert.match(packed, /^[\w-]+$/);
  assert.ok(packed.length < text.length);
  assert.equal(await unpack(packed), text);
});

test("a place on the page is no link", async () => {
  for (const fragment of ["", "#compose", "#recipes=abc"]) {
    assert.equal(isLink(fragment), false);
    assert.equal(await linked(fragment), null);
  }
  assert.deepEqual(await linked(`#score=${await pack("{}")}`), { kind: "score", text: "{}" });
  await assert.rejects(linked("#score=%%"));
});

test("a small link that inflates to more than a score may have is refused", async () => {
  const bomb = await pack("0".repeat(10 * 2 ** 20));
  assert.ok(bomb.length < 20_000);
  await assert.doesNotReject(unpack(bomb));
  const stream = new Blob([new Uint8Array(200 * 2 ** 20)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const packed = Buffer.from(await new Response(stream).arrayBuffer()).toString("base64url");
  await assert.rejects(unpack(packed), LinkError);
});

test("a stranger's score is looked at before it is opened", () => {
  const score = toWire(CHORALE);
  assert.deepEqual(scoreIn(JSON.stringify(score)), score);
  assert.deepEqual(scoreIn(JSON.stringify({ notes: [], hidden: 1 })), toWire(EMPTY), "what is not known is left out");
  const note = score.notes[0];
  const wrong: unknown[] = [
    null, 3, [], {}, { notes: "none" }, { notes: [null] }, { notes: [{ ...note, pitch: 128 }] }, { notes: [{ ...note, onset: -1 }] },
    { notes: [{ ...note, duration: 0.5 }] }, { notes: [{ ...note, onset: 1e300 }] }, { notes: [], ticks_per_quarter: 0 },
    { notes: [], tempi: [{ tick: 0, quarters_per_minute: 0 }] }, { notes: [], meters: [{ tick: 0, numerator: 4, denominator: 0 }] },
    { notes: [], parts: [{ name: "x", program: 128, is_drum: false }] }, { notes: [], keys: [{ tick: 0, fifths: 99, mode: "major" }] },
    { notes: [], title: { toString: "x" } }, { notes: new Array(200_001).fill(note) },
  ];
  for (const each of wrong) assert.throws(() => scoreIn(JSON.stringify(each)), LinkError, JSON.stringify(each)?.slice(0, 80));
  assert.throws(() => scoreIn("{"), LinkError);
});

test("a piece at its own tempo keeps its recipe and its tempi; at another it has all of them by one factor, and no recipe", () => {
  const score = { ...toWire(CHORALE), recipe: "r", tempi: [{ tick: 0, quarters_per_minute: 240 }, { tick: 480, quarters_per_minute: 30 }] };
  assert.equal(atSpeed(score, 1), score);
  const slow = atSpeed(score, 0.5);
  assert.equal(slow.recipe, "");
  assert.deepEqual(slow.tempi.map((tempo) => tempo.quarters_per_minute), [120, 15]);
  assert.deepEqual(atSpeed(toWire(CHORALE), 2).tempi, [{ tick: 0, quarters_per_minute: 240 }], "120 where nothing is written, as in MIDI");
});

test("no inline style is left in an engraved page, and nothing else is lost", () => {
  const page = `<svg style="a:b" id="x"><style type="text/css">g{}</style><g class='n' style='c: d'><text>say style="x" &lt;</text></g></svg>`;
  assert.equal(unstyled(page), `<svg id="x"><g class='n'><text>say style="x" &lt;</text></g></svg>`);
});

const STARTED: Started = {
  type: "started", session: "s", model: "chorale", seed: 1, branch: 0, length_ticks: 3840, ticks_per_quarter: 480,
  bars: [{ start: 0, length: 1920, beats: 4, unit: 4, offset: 0 }, { start: 1920, length: 1920, beats: 4, unit: 4, offset: 0 }],
  keys: [], meters: [], tempi: [], fermatas: [], parts: [], temperature: 1, top_p: 1, rules: [], given_until: 0, resumed: false,
};
const told = (id: number, onset: number, duration: number) => ({ id, part: 0, pitch: 60, onset, duration, velocity: 80, nats: 0.5 });

test("a piece grows by messages: notes last longer, are taken back, and other ones come", () => {
  const growing = new Growing(STARTED);
  growing.take({ type: "notes", branch: 0, until: 960, notes: [told(0, 0, 480), told(1, 480, 480)] });
  const name = growing.piece.notes[1]!.id;
  growing.take({ type: "notes", branch: 0, until: 1920, notes: [told(1, 480, 960), told(2, 1440, 480)] });
  assert.deepEqual(growing.piece.notes.map(({ onset, duration }) => [onset, duration]), [[0, 480], [480, 960], [1440, 480]]);
  assert.equal(growing.piece.notes[1]!.id, name, "and keep their names");
  growing.take({ type: "taken_back", to: 960, branch: 1 });
  assert.equal(growing.until, 960);
  assert.deepEqual(growing.piece.notes.map(({ onset, duration }) => [onset, duration]), [[0, 480], [480, 480]]);
  growing.take({ type: "notes", branch: 0, until: 1920, notes: [told(9, 960, 480)] });
  assert.equal(growing.piece.notes.length, 2, "a branch that was given up is not heard");
  growing.take({ type: "notes", branch: 1, until: 1920, notes: [told(1, 480, 720)] });
  assert.equal(growing.piece.notes[1]!.duration, 720);
});

test("what there is of a piece that grows ends where its music ends, on the instruments that were chosen", () => {
  const parts = ["Soprano", "Drums"].map((name, index) => ({ name, program: 52, is_drum: index === 1 }));
  const growing = new Growing({ ...STARTED, parts, fermatas: [480, 1920] });
  growing.take({ type: "notes", branch: 0, until: 960, notes: [told(0, 0, 480), told(1, 480, 480)] });
  assert.equal(growing.piece.length_ticks, 3840);
  assert.equal(growing.part.length_ticks, 960);
  assert.deepEqual([growing.part.fermatas, growing.part.barlines], [[480], [0]]);
  growing.programs = new Map([[0, 40], [1, 41]]);
  growing.plan({ ...STARTED, parts });
  assert.deepEqual(growing.piece.parts.map((part) => part.program), [40, 52], "drums stay drums");
});
