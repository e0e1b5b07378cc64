import assert from "node:assert/strict";
import test from "node:test";
import type { Note } from "../src/music.ts";
import { Timeline } from "../src/timeline.ts";
import { LOOK_AHEAD, type Source, Transport, type Voice } from "../src/transport.ts";

const QUARTER = 480;
const TEMPO = [{ tick: 0, quarters_per_minute: 60 }]; // a quarter is a second

class Log implements Voice {
  events: { on: boolean; time: number; pitch: number; said: number }[] = [];
  silences = 0;
  private readonly clock: { currentTime: number };
  constructor(clock: { currentTime: number }) {
    this.clock = clock;
  }
  on(time: number, _part: number, pitch: number): void {
    this.events.push({ on: true, time, pitch, said: this.clock.currentTime });
  }
  off(time: number, _part: number, pitch: number): void {
    this.events.push({ on: false, time, pitch, said: this.clock.currentTime });
  }
  silence(): void {
    this.silences++;
  }
}

const scale = (count: number): Note[] =>
  Array.from({ length: count }, (_, at) => ({ id: at + 1, part: 0, pitch: 60 + (at % 12), onset: at * QUARTER, duration: QUARTER, velocity: 80 }));

function stage(source: Partial<Source> & { notes: Note[] }) {
  const clock = { currentTime: 0 };
  const log = new Log(clock);
  const full: Source = { timeline: new Timeline(TEMPO, QUARTER), frontier: Infinity, end: source.notes.length * QUARTER, ...source };
  const transport = new Transport(clock, log, full);
  const run = (seconds: number, each: () => void = () => {}) => {
    for (const until = clock.currentTime + seconds; clock.currentTime < until - 1e-9; clock.currentTime += 0.1) {
      each();
      transport.step();
    }
  };
  return { clock, log, transport, full, run };
}

test("every note is handed over once, in time, and no farther ahead than the look-ahead", () => {
  const { log, transport, run } = stage({ notes: scale(20) });
  transport.play();
  run(25);
  const ons = log.events.filter((event) => event.on);
  assert.deepEqual(ons.map((event) => event.pitch), scale(20).map((note) => note.pitch));
  ons.forEach((event, at) => assert.ok(Math.abs(event.time - (ons[0]!.time + at)) < 1e-9, "a second apart"));
  for (const event of ons) {
    assert.ok(event.time > event.said, "before its time");
    assert.ok(event.time - event.said <= LOOK_AHEAD + 0.1);
  }
  assert.equal(log.events.filter((event) => !event.on).length, 20, "every note ends");
  assert.equal(transport.late, 0);
  assert.equal(transport.state, "stopped");
});

test("a stream that falters is waited for: nothing is late, and nothing is lost", () => {
  const notes = scale(16);
  const { clock, log, transport, full, run } = stage({ notes: [], frontier: 0, end: 16 * QUARTER });
  transport.play();
  const seen: string[] = [];
  transport.onstate = (state) => seen.push(state);
  run(60, () => {
    // half a quarter a second arrives: half as fast as it sounds
    const until = Math.min(16, Math.floor(clock.currentTime * 0.5)) * QUARTER;
    transport.change({ ...full, notes: notes.filter((note) => note.onset < until), frontier: until });
  });
  assert.equal(transport.late, 0);
  assert.equal(log.events.filter((event) => event.on).length, 16);
  assert.ok(seen.filter((state) => state === "buffering").length > 2, "it said so");
  for (const event of log.events) assert.ok(event.time >= event.said);
});

test("a note that grows while it sounds ends where it ends at last", () => {
  const note: Note = { id: 1, part: 0, pitch: 60, onset: 0, duration: 2 * QUARTER, velocity: 80 };
  const { clock, log, transport, full, run } = stage({ notes: [note], frontier: 2 * QUARTER, end: 4 * QUARTER });
  transport.play();
  run(1);
  assert.equal(log.events.filter((event) => !event.on).length, 0);
  transport.change({ ...full, notes: [{ ...note, duration: 4 * QUARTER }], frontier: 4 * QUARTER });
  run(6);
  const [on, off] = log.events;
  assert.equal(log.events.length, 2);
  assert.ok(Math.abs(off!.time - on!.time - 4) < 1e-9);
  assert.ok(clock.currentTime > 4);
});

test("a repeated pitch is let go before it is struck again", () => {
  const notes = [0, 1, 2].map((at): Note => ({ id: at + 1, part: 0, pitch: 60, onset: at * QUARTER, duration: QUARTER, velocity: 80 }));
  const { log, transport, run } = stage({ notes });
  transport.play();
  run(5);
  assert.deepEqual(log.events.map((event) => event.on), [true, false, true, false, true, false]);
});

test("a note that is taken away, moved or shortened while it sounds is let go", () => {
  const long = (id: number, pitch: number): Note => ({ id, part: 0, pitch, onset: 0, duration: 8 * QUARTER, velocity: 80 });
  const notes = [long(1, 60), long(2, 62), long(3, 64), long(4, 65)];
  const { clock, log, transport, full, run } = stage({ notes, end: 8 * QUARTER });
  transport.play();
  run(2);
  const edited = [{ ...notes[1]!, duration: QUARTER }, { ...notes[2]!, onset: 6 * QUARTER, duration: QUARTER }, notes[3]!];
  const at = clock.currentTime;
  transport.change({ ...full, notes: edited });
  const offs = () => log.events.filter((event) => !event.on);
  assert.deepEqual(offs().map((event) => event.pitch).sort(), [60, 62, 64]);
  for (const { time } of offs()) assert.ok(time >= at && time <= at + LOOK_AHEAD + 0.1, "where it was handed over to");
  run(10);
  for (const pitch of [60, 62, 64, 65]) {
    const mine = log.events.filter((event) => event.pitch === pitch);
    assert.equal(mine.filter((event) => event.on).length, mine.filter((event) => !event.on).length, `pitch ${pitch} ends`);
  }
  const kept = log.events.filter((event) => event.pitch === 65);
  assert.ok(Math.abs(kept[1]!.time - kept[0]!.time - 8) < 1e-9, "what was not touched sounds to its end");
});

test("a loop that is set behind what was handed over is kept to all the same", () => {
  for (const from of [0, 3]) {
    const { log, transport, run } = stage({ notes: scale(12) });
    transport.play(from * QUARTER);
    run(0.6);
    transport.repeat([0, QUARTER]);
    const before = log.events.length;
    run(6);
    assert.ok(log.silences > 1, "what was handed over is void");
    const ons = log.events.slice(before).filter((event) => event.on).map((event) => event.pitch);
    assert.ok(ons.length >= 4);
    assert.deepEqual([...new Set(ons)], [60], `begun at ${from}`);
  }
});

test("a loop comes round without a gap", () => {
  const { log, transport, run } = stage({ notes: scale(8) });
  transport.loop = [2 * QUARTER, 4 * QUARTER];
  transport.play(2 * QUARTER);
  run(9);
  const ons = log.events.filter((event) => event.on);
  assert.ok(ons.length >= 8);
  ons.slice(1).forEach((event, at) => assert.ok(Math.abs(event.time - ons[at]!.time - 1) < 1e-9));
  assert.deepEqual([...new Set(ons.map((event) => event.pitch))], [62, 63]);
});

test("another tempo acts behind what is handed over, and the place is kept", () => {
  const { clock, log, transport, full, run } = stage({ notes: scale(20) });
  transport.play();
  run(3);
  const before = transport.position;
  transport.change({ ...full, timeline: new Timeline(TEMPO, QUARTER, 2) });
  assert.ok(Math.abs(transport.position - before) < 1);
  run(8);
  const ons = log.events.filter((event) => event.on).map((event) => event.time);
  const gaps = ons.slice(1).map((time, at) => time - ons[at]!);
  assert.ok(gaps.every((gap) => gap > 0.49 && gap < 1.01));
  assert.ok(Math.abs(gaps.at(-1)! - 0.5) < 1e-9);
  assert.ok(clock.currentTime > 10);
  assert.equal(transport.late, 0);
});

test("pause and play go on where the music was", () => {
  const { log, transport, run, clock } = stage({ notes: scale(10) });
  transport.play();
  run(3);
  transport.pause();
  const at = transport.position;
  assert.ok(at > 2 * QUARTER && at < 3.1 * QUARTER);
  clock.currentTime += 10;
  transport.play();
  run(0.3);
  assert.ok(transport.position >= at && transport.position < at + QUARTER);
  assert.ok(log.silences >= 1);
});

test("a page that was asleep goes on where the music was, and hands over nothing late", () => {
  const { clock, log, transport, run } = stage({ notes: scale(20) });
  const seen: string[] = [];
  transport.onstate = (state) => seen.push(state);
  transport.play();
  run(3);
  const before = log.events.filter((event) => event.on).length;
  clock.currentTime += 5;
  run(25);
  const ons = log.events.filter((event) => event.on);
  assert.equal(ons.length, 20);
  assert.equal(ons[before]!.pitch, scale(20)[before]!.pitch);
  for (const event of log.events) assert.ok(event.time >= event.said);
  assert.equal(transport.late, 0);
  assert.ok(seen.filter((state) => state === "buffering").length >= 2);
});
