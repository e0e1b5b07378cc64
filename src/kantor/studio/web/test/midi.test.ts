import assert from "node:assert/strict";
import test from "node:test";
import { gathered } from "../src/dom.ts";
import { MidiVoice, quantised, Recorder } from "../src/midi.ts";

class Output {
  sent: { message: number[]; stamp: number | undefined }[] = [];
  broken = false;
  send(message: number[], stamp?: number): void {
    if (this.broken) throw new DOMException("gone", "InvalidStateError");
    this.sent.push({ message, stamp });
  }
  of(kind: number) {
    return this.sent.filter(({ message }) => (message[0]! & 0xf0) === kind);
  }
}

const stage = (gone?: () => void) => {
  const output = new Output();
  const clock = { currentTime: 0 };
  return { output, clock, voice: new MidiVoice(output as unknown as MIDIOutput, clock, gone) };
};

test("drums play on channel 10, other parts beside it", () => {
  const { output, voice } = stage();
  voice.instruments([...new Array<number>(12).fill(0), 128]);
  for (const part of [8, 9, 12]) voice.on(1, part, 60, 80);
  assert.deepEqual(output.of(0x90).map(({ message }) => message[0]! & 15), [8, 10, 9]);
  assert.equal(output.of(0xc0).filter(({ message }) => (message[0]! & 15) === 9).length, 0, "drums have no program");
});

test("a muted part is not played out", () => {
  const { output, voice } = stage();
  voice.volumes = [1, 0];
  voice.on(1, 0, 60, 80);
  voice.on(1, 1, 64, 80);
  assert.deepEqual(output.of(0x90).map(({ message }) => message[1]), [60]);
});

test("silence ends what sounds, and each note that cannot be called back as it begins", () => {
  const { output, voice } = stage();
  voice.on(0, 0, 60, 80);
  voice.on(1000, 0, 64, 80);
  voice.on(2000, 3, 67, 80);
  voice.silence();
  assert.equal(output.of(0xb0).filter(({ message }) => message[1] === 123).length, 16);
  for (const pitch of [64, 67]) {
    const on = output.of(0x90).find(({ message }) => message[1] === pitch)!;
    const off = output.of(0x80).find(({ message }) => message[1] === pitch)!;
    assert.equal(off.message[0]! & 15, on.message[0]! & 15);
    assert.ok(off.stamp! > on.stamp! && off.stamp! < on.stamp! + 10);
  }
  const before = output.sent.length;
  voice.silence();
  assert.equal(output.sent.length, before + 16, "once");
});

test("an instrument that was unplugged is told of, and nothing is thrown", () => {
  let gone = 0;
  const { output, voice } = stage(() => gone++);
  output.broken = true;
  voice.on(1, 0, 60, 80);
  voice.silence();
  assert.ok(gone > 0);
});

function keyboard(where?: () => number | null) {
  const input = { onmidimessage: null as ((event: { data: number[]; timeStamp: number }) => void) | null };
  const began = performance.now();
  const recorder = new Recorder({ inputs: new Map([["a", input]]) } as unknown as MIDIAccess, undefined, where);
  return { recorder, play: (seconds: number, ...data: number[]) => input.onmidimessage!({ data, timeStamp: began + seconds * 1000 }) };
}

test("a pitch that is struck twice without being let go is two notes", () => {
  const { recorder, play } = keyboard();
  play(0, 0x90, 60, 80);
  play(1, 0x90, 60, 90);
  play(2, 0x80, 60, 0);
  const struck = recorder.stop();
  assert.deepEqual(struck.map(({ velocity }) => velocity), [80, 90]);
  assert.ok(Math.abs(struck[0]!.to - struck[1]!.from) < 1e-9);
});

test("what is played along lies where the music was, what is played alone begins a bar", () => {
  let tick: number | null = null;
  const { recorder, play } = keyboard(() => tick);
  play(5, 0x90, 60, 80);
  play(6, 0x80, 60, 0);
  play(6, 0x90, 62, 80);
  play(6.5, 0x80, 62, 0);
  tick = 4790;
  play(7, 0x90, 64, 80);
  play(9, 0x80, 64, 0);
  const notes = quantised(recorder.stop(), 1 / 480, 120, 2, 1920);
  assert.deepEqual(notes.map(({ part, pitch, onset, duration }) => [part, pitch, onset, duration]), [[2, 60, 1920, 480], [2, 62, 2400, 240], [2, 64, 4800, 960]]);
});

test("changes within a moment are told together, the last of each field", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const told: object[] = [];
  const { add, flush } = gathered<{ a: number; b: number }>(120, (changes) => told.push(changes));
  add({ a: 1 });
  context.mock.timers.tick(100);
  add({ b: 2 });
  context.mock.timers.tick(100);
  assert.deepEqual(told, []);
  add({ a: 3 });
  context.mock.timers.tick(120);
  assert.deepEqual(told, [{ a: 3, b: 2 }]);
  add({ b: 5 });
  flush();
  context.mock.timers.tick(1000);
  assert.deepEqual(told, [{ a: 3, b: 2 }, { b: 5 }], "at once, and once");
});
