// A MIDI keyboard to play in, a MIDI instrument to play out; where the browser has Web MIDI.
import { floorTo, snap } from "./geometry.ts";
import { freshId, type Note } from "./music.ts";
import type { Clock, Voice } from "./transport.ts";

export const hasMidi = (): boolean => "requestMIDIAccess" in navigator;

export const midiAccess = (): Promise<MIDIAccess> => navigator.requestMIDIAccess({ sysex: false });

/** Plays on whatever is plugged in; each part has a channel. */
export class MidiVoice implements Voice {
  private readonly output: MIDIOutput;
  private readonly clock: Clock;

  constructor(output: MIDIOutput, clock: Clock) {
    this.output = output;
    this.clock = clock;
  }

  instruments(programs: readonly number[]): void {
    programs.forEach((program, part) => {
      if (program < 128) this.output.send([0xc0 | channel(part), program]);
    });
  }

  on(time: number, part: number, pitch: number, velocity: number): void {
    this.output.send([0x90 | channel(part), pitch, velocity], this.stamp(time));
  }

  off(time: number, part: number, pitch: number): void {
    this.output.send([0x80 | channel(part), pitch, 0], this.stamp(time));
  }

  silence(): void {
    (this.output as MIDIOutput & { clear?: () => void }).clear?.();
    for (let each = 0; each < 16; each++) this.output.send([0xb0 | each, 123, 0]);
  }

  /** From the audio clock to the page's, which Web MIDI counts by. */
  private stamp(time: number): number {
    return performance.now() + Math.max(0, time - this.clock.currentTime) * 1000;
  }
}

const channel = (part: number): number => (part % 15 >= 9 ? (part % 15) + 1 : part % 15);

export interface Struck {
  pitch: number;
  velocity: number;
  /** seconds since recording began */
  from: number;
  to: number;
}

/** Listens to all inputs until `stop`. */
export class Recorder {
  private readonly began = performance.now();
  private readonly held = new Map<number, { velocity: number; from: number }>();
  private readonly struck: Struck[] = [];
  private readonly inputs: MIDIInput[];

  constructor(access: MIDIAccess, heard: (pitch: number, velocity: number) => void = () => {}) {
    this.inputs = [...access.inputs.values()];
    for (const input of this.inputs)
      input.onmidimessage = (event) => {
        const [status = 0, pitch = 0, velocity = 0] = event.data ?? [];
        const seconds = (event.timeStamp - this.began) / 1000;
        const kind = status & 0xf0;
        if (kind === 0x90 && velocity > 0) {
          this.held.set(pitch, { velocity, from: seconds });
          heard(pitch, velocity);
        } else if (kind === 0x80 || kind === 0x90) {
          this.release(pitch, seconds);
          heard(pitch, 0);
        }
      };
  }

  stop(): Struck[] {
    const now = (performance.now() - this.began) / 1000;
    for (const pitch of [...this.held.keys()]) this.release(pitch, now);
    for (const input of this.inputs) input.onmidimessage = null;
    return this.struck;
  }

  private release(pitch: number, seconds: number): void {
    const begun = this.held.get(pitch);
    if (!begun) return;
    this.held.delete(pitch);
    this.struck.push({ pitch, velocity: begun.velocity, from: begun.from, to: seconds });
  }
}

/** What was played, on the grid, from a bar's beginning on: the first note begins there. */
export function quantised(struck: readonly Struck[], secondsPerTick: number, grid: number, part: number, at: number): Note[] {
  const first = Math.min(...struck.map((note) => note.from));
  return struck.map(({ pitch, velocity, from, to }) => ({
    id: freshId(),
    part,
    pitch,
    velocity,
    onset: at + snap((from - first) / secondsPerTick, grid),
    duration: Math.max(grid, floorTo((to - from) / secondsPerTick + grid / 2, grid)),
  }));
}
