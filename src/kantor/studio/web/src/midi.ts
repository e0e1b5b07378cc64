// A MIDI keyboard to play in, a MIDI instrument to play out; where the browser has Web MIDI.
import { CHANNELS, channelOf } from "./channels.ts";
import { floorTo, snap } from "./geometry.ts";
import { freshId, type Note } from "./music.ts";
import type { Clock, Voice } from "./transport.ts";

export const hasMidi = (): boolean => "requestMIDIAccess" in navigator;

export const midiAccess = (): Promise<MIDIAccess> => navigator.requestMIDIAccess({ sysex: false });

const ALL_NOTES_OFF = 123; // the MIDI controller
const BLINK = 1; // ms that a note sounds which cannot be called back

/** Plays on whatever is plugged in; each part has a channel. */
export class MidiVoice implements Voice {
  /** By part: silent ones are left out. */
  volumes: number[] = [];
  private programs: number[] = [];
  private readonly output: MIDIOutput;
  private readonly clock: Clock;
  private readonly gone: () => void;
  /** Notes handed over: their time is theirs by performance.now(). */
  private due: { channel: number; pitch: number; time: number }[] = [];

  /** `gone` is called when the instrument does not take a message: it was switched off, or its cable pulled. */
  constructor(output: MIDIOutput, clock: Clock, gone: () => void = () => {}) {
    this.output = output;
    this.clock = clock;
    this.gone = gone;
  }

  /** Which instrument each part is played on: General MIDI programs, 128 for drums. */
  instruments(programs: readonly number[]): void {
    const before = this.programs;
    this.programs = [...programs];
    programs.forEach((program, part) => {
      if (program < 128 && program !== before[part]) this.send([0xc0 | channelOf(part, program), program]);
    });
  }

  on(time: number, part: number, pitch: number, velocity: number): void {
    if (this.volumes[part] === 0) return;
    const [channel, stamp] = [channelOf(part, this.programs[part]), this.stamp(time)];
    const now = performance.now();
    this.due = this.due.filter((each) => each.time > now);
    this.due.push({ channel, pitch, time: stamp });
    this.send([0x90 | channel, pitch, velocity], stamp);
  }

  off(time: number, part: number, pitch: number): void {
    this.send([0x80 | channelOf(part, this.programs[part]), pitch, 0], this.stamp(time));
  }

  /** All notes off, now and for each note that is still to come: few browsers can empty the output's queue. */
  silence(): void {
    const now = performance.now();
    try {
      (this.output as MIDIOutput & { clear?: () => void }).clear?.();
    } catch {
      // not all that have it can do it
    }
    for (let channel = 0; channel < CHANNELS; channel++) this.send([0xb0 | channel, ALL_NOTES_OFF, 0]);
    for (const { channel, pitch, time } of this.due) if (time > now) this.send([0x80 | channel, pitch, 0], time + BLINK);
    this.due = [];
  }

  private send(message: number[], stamp?: number): void {
    try {
      this.output.send(message, stamp);
    } catch {
      this.gone();
    }
  }

  /** From the audio clock to the page's, which Web MIDI counts by. */
  private stamp(time: number): number {
    return performance.now() + Math.max(0, time - this.clock.currentTime) * 1000;
  }
}

export interface Struck {
  pitch: number;
  velocity: number;
  /** seconds since recording began */
  from: number;
  to: number;
  /** Where the music was when it was struck; null where nothing played along. */
  tick: number | null;
}

type Held = Pick<Struck, "velocity" | "from" | "tick">;

/** Listens to all inputs until `stop`; `where` says where the music is, null while none plays. */
export class Recorder {
  private readonly began = performance.now();
  private readonly held = new Map<number, Held>();
  private readonly struck: Struck[] = [];
  private readonly inputs: MIDIInput[];

  constructor(access: MIDIAccess, heard: (pitch: number, velocity: number) => void = () => {}, where: () => number | null = () => null) {
    this.inputs = [...access.inputs.values()];
    for (const input of this.inputs)
      input.onmidimessage = (event) => {
        const [status = 0, pitch = 0, velocity = 0] = event.data ?? [];
        const seconds = (event.timeStamp - this.began) / 1000;
        const kind = status & 0xf0;
        if (kind === 0x90 && velocity > 0) {
          this.release(pitch, seconds); // struck again without having been let go
          this.held.set(pitch, { velocity, from: seconds, tick: where() });
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
    this.struck.push({ pitch, ...begun, to: seconds });
  }
}

/** What was played, on the grid: where the music was, and where none played, from tick `at` on, the first note there. */
export function quantised(struck: readonly Struck[], secondsPerTick: number, grid: number, part: number, at: number): Note[] {
  const first = Math.min(...struck.filter((note) => note.tick === null).map((note) => note.from));
  return struck.map(({ pitch, velocity, from, to, tick }) => ({
    id: freshId(),
    part,
    pitch,
    velocity,
    onset: tick === null ? at + snap((from - first) / secondsPerTick, grid) : snap(tick, grid),
    duration: Math.max(grid, floorTo((to - from) / secondsPerTick + grid / 2, grid)),
  }));
}
